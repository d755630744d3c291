"""Broken, huge and hostile images: each one ends, rendered or failed, at nobody else's cost."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageOps

from catalog import image_rendering
from catalog.domain import Image as Upload
from catalog.domain import ImageStatus
from catalog.domain.image import MAX_STRIKES
from catalog.image_metadata import read_orientation, strip_metadata
from catalog.image_rendering import InvalidImage, Limits
from catalog.render_process import RenderingFailed, SandboxedProcessor
from chassis.couch import Unavailable
from chassis.testing.identity import staff
from shop import category, product

LIMITS = Limits()
EDITOR = staff("catalog.image.read", "catalog.image.write")


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def plain(kind: str = "JPEG", size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: Any) -> bytes:
    return encoded(Image.new(mode, size), kind, **options)


def halves(size: tuple[int, int] = (64, 32)) -> Image.Image:
    """Return a picture that is red on the left and blue on the right, to show its orientation."""
    picture = Image.new("RGB", size, "red")
    picture.paste("blue", (size[0] // 2, 0, size[0], size[1]))
    return picture


def tiff(*entries: tuple[int, int, int, int], order: str = "<") -> bytes:
    """Return an Exif block of tags (tag, type, count, value), however wrong they are."""
    head = b"II*\0" if order == "<" else b"MM\0*"
    body = b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    return head + struct.pack(f"{order}IH", 8, len(entries)) + body + b"\0\0\0\0"


def turned(value: int, order: str = "<") -> tuple[int, int, int, int]:
    return (0x0112, 3, 1, value if order == "<" else value << 16)


def jpeg_with(exif: bytes, picture: Image.Image | None = None) -> bytes:
    data = encoded(picture or halves(), "JPEG")
    block = b"Exif\0\0" + exif
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + data[2:]


def chunk(name: bytes, content: bytes, *, check: int | None = None) -> bytes:
    crc = zlib.crc32(name + content) if check is None else check
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", crc)


def png_with(*chunks: bytes, picture: Image.Image | None = None) -> bytes:
    data = encoded(picture or halves(), "PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def png_head(width: int, height: int, *, bits: int = 8, colour: int = 2) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


def webp_with_exif(exif: bytes) -> bytes:
    return encoded(halves(), "WEBP", exif=exif, lossless=True)


def jpeg_of(width: int, height: int) -> bytes:
    """Return a small JPEG whose header claims this size."""
    data = bytearray(plain())
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


BROKEN_EXIF = {
    "a number too large for its tag": tiff((0x0103, 4, 1, 90_000), turned(6)),
    "text as a resolution": tiff((0x011A, 2, 4, 0x41414141), turned(6)),
    "values beyond the end": tiff((0x010F, 2, 4000, 90_000), turned(6)),
    "a type that there is not": tiff((0x8769, 99, 1, 1), turned(6)),
    "text as a number of a folder": tiff((0x8769, 2, 4, 0x41414141), turned(6)),
    "more tags than it holds": tiff(turned(6))[:8] + b"\xff\xff" + tiff(turned(6))[10:],
    "fractions over nothing": tiff((0x011A, 5, 1, 4_000_000), turned(6)),
}
HOSTILE = {
    "cut": plain(size=(1200, 800))[:2000],
    "nonsense": b"\xff\xd8\xff" + b"nonsense" * 50,
    "png bomb": png_head(30_000, 30_000),
    "png bomb of one bit": png_head(100_000, 100_000, bits=1, colour=0),
    "jpeg bomb": jpeg_of(65_535, 65_535),
    "gif bomb": b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff,",
    "png without data": png_head(3_000, 3_000),
    "png of nothing": png_head(0, 0),
    "webp head": b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + b"\xff" * 6,
}


@pytest.mark.parametrize(
    ("exif", "error"),
    [("a number too large for its tag", struct.error), ("text as a resolution", TypeError)],
)
def test_pillow_fails_on_these_exif_blocks(exif, error):
    """Prove that the tests below test something."""
    with pytest.raises(error):
        ImageOps.exif_transpose(Image.open(io.BytesIO(jpeg_with(BROKEN_EXIF[exif]))))


# -- metadata


@pytest.mark.parametrize("exif", BROKEN_EXIF.values(), ids=list(BROKEN_EXIF))
def test_an_image_with_broken_exif_is_shown_upright(exif):
    rendition, data = image_rendering.render(jpeg_with(exif), LIMITS)[-1]

    assert (rendition.width, rendition.height) == (32, 64)
    assert b"Exif" not in data


@pytest.mark.parametrize(
    "exif", [b"", b"II", b"XX*\0", tiff((0x0112, 2, 1, 6)), tiff(turned(9)), tiff(turned(6))[:14]]
)
def test_an_unreadable_orientation_leaves_the_image_unchanged(exif):
    assert image_rendering.render(jpeg_with(exif), LIMITS)[-1][0].height == 32


@pytest.mark.parametrize("value", range(1, 9))
def test_every_exif_orientation_is_applied(value):
    exif = Image.Exif()
    exif[0x0112] = value
    uploaded = encoded(halves(), "JPEG", exif=exif, quality=95)

    _, data = image_rendering.render(uploaded, LIMITS)[-1]

    shown = Image.open(io.BytesIO(data)).convert("RGB")
    wanted = ImageOps.exif_transpose(Image.open(io.BytesIO(uploaded))).convert("RGB")
    assert shown.size == wanted.size
    for corner in [(3, 3), (shown.width - 4, 3), (3, shown.height - 4)]:
        near = zip(shown.getpixel(corner), wanted.getpixel(corner), strict=True)
        assert all(abs(one - other) < 40 for one, other in near)


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_are_read(order):
    assert read_orientation(tiff(turned(8, order), order=order)) == 8


@pytest.mark.parametrize(
    "data",
    [png_with(chunk(b"eXIf", tiff(turned(6)))), webp_with_exif(tiff(turned(6))), jpeg_with(tiff(turned(6)))],
    ids=["png", "webp", "jpeg"],
)
def test_orientation_is_read_in_every_format_and_metadata_dropped(data):
    kind = image_rendering.format_of(data) or ""

    clean, value = strip_metadata(data, kind)

    assert (value, image_rendering.render(data, LIMITS)[-1][0].height) == (6, 64)
    assert b"exif" not in clean.lower()
    assert Image.open(io.BytesIO(clean)).size == (64, 32)


@pytest.mark.parametrize(
    "data",
    [
        png_with(chunk(b"iCCP", b"x\0\0not zlib")),
        png_with(chunk(b"zTXt", b"x\0\0" + zlib.compress(b"A" * 70_000_000, 9))),
        png_with(chunk(b"tEXt", b"cut", check=1)),
        png_with(chunk(b"eXIf", BROKEN_EXIF["values beyond the end"])),
        webp_with_exif(BROKEN_EXIF["more tags than it holds"]),
        jpeg_with(b"II*\0" + b"\xff" * 60_000),
    ],
    ids=["profile", "text bomb", "wrong checksum", "png exif", "webp exif", "jpeg exif"],
)
def test_broken_metadata_is_dropped_and_the_image_rendered(data):
    assert image_rendering.render(data, LIMITS)[-1][0].format == "webp"


def test_colours_survive_without_their_metadata():
    """Keep Adobe's segment, which says how a CMYK picture is encoded."""
    ink = encoded(Image.new("CMYK", (64, 64), (0, 255, 255, 0)), "JPEG")

    shown = Image.open(io.BytesIO(image_rendering.render(ink, LIMITS)[0][1])).convert("RGB")

    red, green, blue = shown.getpixel((30, 30))
    assert red > 200
    assert green < 60
    assert blue < 60


# -- large


@pytest.mark.parametrize(
    ("size", "widest"),
    [
        ((40, 60_000), (3, 4096)),
        ((60_000, 40), (960, 1)),
        ((20_000, 300), (960, 14)),
        ((16_384, 2), (960, 1)),
    ],
)
def test_sides_beyond_the_limit_of_webp_are_scaled_down(size, widest):
    made = image_rendering.render(plain("PNG", size), LIMITS)

    assert max((r.width, r.height) for r, _ in made) == widest
    assert all(Image.open(io.BytesIO(data)).size == (r.width, r.height) for r, data in made)


@pytest.mark.integration
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_the_largest_image_of_any_mode_is_rendered_within_the_memory_limit(mode):
    data = plain("PNG", (8_000, 5_000), mode)

    made = SandboxedProcessor(LIMITS).render(data)

    assert [(r.width, r.height) for r, _ in made] == [(160, 100), (480, 300), (960, 600)]


@pytest.mark.integration
def test_a_large_webp_is_rendered_within_the_memory_limit():
    made = SandboxedProcessor(LIMITS).render(plain("WEBP", (8_000, 5_000), "RGBA"))

    assert [(r.width, r.height) for r, _ in made] == [(160, 100), (480, 300), (960, 600)]


def test_a_jpeg_of_a_hundred_megapixels_is_decoded_at_a_reduced_size():
    made = SandboxedProcessor(LIMITS).render(plain("JPEG", (12_000, 9_000)))

    assert [(r.width, r.height) for r, _ in made] == [(160, 120), (480, 360), (960, 720)]


def test_reducing_first_gives_the_same_image():
    large = halves((8_000, 4_000))

    shown = Image.open(io.BytesIO(image_rendering.render(encoded(large, "PNG"), LIMITS)[-1][1])).convert(
        "RGB"
    )

    assert [shown.getpixel((x, 100))[0] > 200 for x in (10, 470, 490, 950)] == [True, True, False, False]


def test_sixteen_bit_grey_keeps_its_shades():
    data = plain("PNG", (40, 40), "I;16")
    grey = encoded(Image.new("I;16", (40, 40), 0x8000), "PNG")

    black, middle = (
        Image.open(io.BytesIO(image_rendering.render(one, LIMITS)[0][1])).convert("L").getpixel((20, 20))
        for one in (data, grey)
    )

    assert black < 10
    assert 118 < middle < 138


# -- refused


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_an_invalid_image_is_refused_with_a_reason(data):
    with pytest.raises(InvalidImage) as refused:
        SandboxedProcessor(LIMITS).render(data)

    assert str(refused.value).startswith("The picture ")
    assert "object at 0x" not in str(refused.value)


def test_exceeding_the_memory_limit_is_reported():
    with pytest.raises((InvalidImage, RenderingFailed)):
        SandboxedProcessor(LIMITS, memory_mb=140).render(plain("PNG", (6_000, 6_000), "RGBA"))


def test_a_render_process_that_takes_too_long_is_killed():
    with pytest.raises(RenderingFailed, match="took longer than 0 s"):
        SandboxedProcessor(LIMITS, seconds=0).render(plain())


@pytest.mark.integration
def test_a_killed_render_process_is_reported():
    with ThreadPoolExecutor(1) as pool:
        rendering = pool.submit(SandboxedProcessor(LIMITS).render, plain("WEBP", (8_000, 5_000), "RGBA"))
        os.kill(child_of_this_process(), signal.SIGKILL)

        with pytest.raises(RenderingFailed, match="ended by signal 9"):
            rendering.result()


def child_of_this_process() -> int:
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for task in Path("/proc/self/task").iterdir():
            for pid in (task / "children").read_text().split():
                if b"catalog.render_child" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return int(pid)
        time.sleep(0.01)
    raise AssertionError("no process renders")


@pytest.mark.integration
def test_packages_are_found_through_pythonpath_alone():
    """Find packages in folders of PYTHONPATH, as in Docker images; nothing else of it is passed on."""
    script = (
        "import sys; from catalog.render_process import *; "
        "print(len(SandboxedProcessor(Limits()).render(sys.stdin.buffer.read())))"
    )
    folders = [str(Path(image_rendering.__file__).parent.parent), str(Path(Image.__file__).parent.parent)]
    python = Path(sys.base_prefix, "bin", "python3")

    done = subprocess.run(  # noqa: S603 - our own code
        [python, "-S", "-c", script], input=plain(), capture_output=True, check=False, cwd="/",
        env={"PYTHONPATH": os.pathsep.join(folders), "COUCHDB_PASSWORD": "secret"},
    )  # fmt: skip

    assert done.stdout.strip() == b"2", done.stderr


@pytest.mark.integration
def test_memory_of_hostile_images_is_returned():
    """Return memory to the system: a worker once grew from 110 to 1,430 MB in 45 minutes."""
    processor = SandboxedProcessor(LIMITS)
    hostile = [*HOSTILE.values(), plain("PNG", (6_000, 6_000), "RGBA")]

    def refuse(data: bytes) -> None:
        with contextlib.suppress(InvalidImage):
            processor.render(data)

    refuse(hostile[-1])
    before = resident_mb()
    for data in hostile * 2:
        refuse(data)

    assert resident_mb() - before < 10


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


# -- the picture's document


class Dying:
    """Processor that kills its worker while it renders."""

    def render(self, data: bytes) -> Any:
        raise KeyboardInterrupt


class Failing:
    """Processor that raises an unexpected error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def render(self, data: bytes) -> Any:
        raise self.error


@pytest.fixture
def lamp(world: Any) -> Any:
    category(world.parts, "lamps")
    product(world.parts, "Lamp")
    return world


def upload(lamp: Any, data: bytes) -> str:
    return str(lamp.parts.images.upload(product=lamp.parts.products.get("lamp"), data=data, alt="").id)


def with_processor(lamp: Any, processor: Any) -> Any:
    lamp.processor = processor
    return lamp.bootstrap().images


def until_it_ends(lamp: Any, images: Any, id: str, *, rounds: int = 12) -> Any:
    """Run the sweeper and the worker as in an hour."""
    for _ in range(rounds):
        try:
            image = images.render(id)
        except KeyboardInterrupt:
            image = images.get(id)
        if not image.is_waiting:
            return image
        lamp.clock.forward(minutes=5)
    return image


@pytest.mark.parametrize("data", HOSTILE.values(), ids=list(HOSTILE))
def test_a_hostile_upload_fails_at_the_first_attempt(lamp, client, data):
    id = upload(lamp, data)

    lamp.parts.images.render(id)

    answer = client.get(f"/api/catalog/images/{id}", headers=EDITOR).json()
    assert (answer["status"], answer["reason"][:12]) == ("failed", "The picture ")
    assert lamp.parts.images.get(id).attempts == 1


@pytest.mark.parametrize(
    ("processor", "reason"),
    [
        (Dying(), "The worker ended while it rendered the picture."),
        (Failing(struct.error("no")), "Something went wrong: error."),
        (Failing(RecursionError()), "Something went wrong: RecursionError."),
        (SandboxedProcessor(LIMITS, seconds=0), "Rendering took longer than 0 s and was ended."),
    ],
    ids=["lost worker", "struct.error", "recursion", "killed child"],
)
def test_every_failed_attempt_is_counted_until_the_limit(lamp, processor, reason):
    id = upload(lamp, plain())

    image = until_it_ends(lamp, with_processor(lamp, processor), id)

    assert (image.status, image.attempts) == (ImageStatus.FAILED, MAX_STRIKES)
    assert image.reason == f"Given up after {MAX_STRIKES} attempts. {reason}"


def test_a_repeated_job_makes_no_attempt_before_its_time(lamp):
    images = with_processor(lamp, Dying())
    id = upload(lamp, plain())
    with pytest.raises(KeyboardInterrupt):
        images.render(id)

    again = images.render(id)

    assert (again.status, again.attempts) == (ImageStatus.PROCESSING, 1)


def test_delays_between_attempts_grow(lamp):
    images, at = with_processor(lamp, Failing(TypeError())), []
    id = upload(lamp, plain())

    for second in range(0, 3600, 30):
        before = images.get(id).attempts
        if images.render(id).attempts > before:
            at.append(second)
        lamp.clock.forward(seconds=30)

    assert at == [0, 90, 270, 630]


def test_a_day_without_the_blob_store_fails_no_image(lamp, client):
    id = upload(lamp, plain())
    lamp.blobs.is_down = True
    for _ in range(8):
        waiting = lamp.parts.images.render(id)
        lamp.clock.forward(hours=3)
    shown = client.get(f"/api/catalog/images/{id}", headers=EDITOR).json()
    lamp.blobs.is_down = False

    ready = lamp.parts.images.render(id)

    assert (waiting.status, waiting.strikes) == (ImageStatus.PROCESSING, 0)
    assert (shown["status"], shown["reason"]) == (
        "processing",
        "The store of pictures does not answer; it is tried again.",
    )
    assert (ready.status, ready.reason) == (ImageStatus.READY, "")


def test_rendering_waits_for_an_unavailable_database(lamp):
    images = with_processor(lamp, Failing(Unavailable("down")))
    id = upload(lamp, plain())
    with pytest.raises(Unavailable):
        images.render(id)
    lamp.clock.forward(minutes=2)

    assert lamp.parts.images.render(id).status is ImageStatus.READY


@pytest.mark.parametrize(
    ("data", "status"),
    [(jpeg_with(BROKEN_EXIF["values beyond the end"]), "ready"), (HOSTILE["png bomb"], "failed")],
    ids=["broken exif", "bomb"],
)
def test_endless_jobs_of_the_previous_version_end(lamp, data, status):
    id = upload(lamp, data)
    store = lamp.stores["catalog"]
    document = store.get(f"image:{id}")
    for name in ("strikes", "next_attempt_at"):
        document.pop(name)
    store.put({**document, "attempts": 151})
    lamp.clock.forward(minutes=1)

    lamp.renderer.enqueued.clear()
    lamp.parts.images.requeue_overdue()
    image = lamp.parts.images.render(lamp.renderer.enqueued[0])

    assert (str(image.status), image.attempts) == (status, 152)


def test_staff_can_try_a_failed_picture_again(lamp):
    id = upload(lamp, plain())
    until_it_ends(lamp, with_processor(lamp, Dying()), id)

    lamp.parts.images.retry(id)

    assert lamp.parts.images.render(id).status is ImageStatus.READY


def test_the_sweeper_queues_every_image_in_turn(lamp):
    """Give every image its turn: once the fifty oldest were queued again and again, and no others."""
    for _ in range(20):
        upload(lamp, plain(size=(1, 1)))
    for n in range(220):
        lamp.parts.image_documents.add(Upload(f"z{n:03d}", "p0001", created_at=lamp.clock()))
    lamp.clock.forward(minutes=1)
    lamp.renderer.enqueued.clear()

    asked = [lamp.parts.images.requeue_overdue() for _ in range(5)]

    assert asked == [50, 50, 50, 50, 40]
    assert len(set(lamp.renderer.enqueued)) == 240


def test_images_between_attempts_do_not_block_others(lamp):
    images = with_processor(lamp, Failing(TypeError()))
    for _ in range(60):
        images.render(upload(lamp, plain(size=(1, 1))))
    lamp.clock.forward(seconds=1)
    good = upload(lamp, plain())
    lamp.clock.forward(seconds=30)
    lamp.renderer.enqueued.clear()

    images.requeue_overdue()

    assert lamp.renderer.enqueued == [good]
