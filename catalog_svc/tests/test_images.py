"""Uploads become renditions, or are refused with a reason."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from catalog import image_rendering
from catalog.clients import BlobBackup, InMemoryBlobStore
from catalog.domain import ImageStatus
from catalog.image_rendering import InvalidImage, Limits
from chassis.backup import extras
from chassis.testing.identity import bearer, staff
from shop import category, product

PATH = "/api/catalog/products/lamp/images"
EDITOR = staff("catalog.image.read", "catalog.image.write")
LIMITS = Limits(max_bytes=200_000, max_pixels=4_000_000)


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (1200, 800), mode: str = "RGB", **options: Any
) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (0, 128, 128, 90) if mode == "RGBA" else "teal").save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def lamp(world: Any) -> Any:
    category(world.parts, "lamps")
    product(world.parts, "Lamp")
    world.catch_up()
    return world


def upload(client: APIClient, data: bytes, headers: Any = EDITOR, **fields: Any) -> Any:
    file = SimpleUploadedFile("x.jpg", data, content_type="image/jpeg")
    return client.post(PATH, {"file": file, **fields}, format="multipart", headers=headers)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP"])
def test_an_upload_becomes_three_webp_renditions(kind):
    rendered = image_rendering.render(picture(kind), LIMITS)

    assert [(r.width, r.height, r.format) for r, _ in rendered] == [
        (160, 107, "webp"),
        (480, 320, "webp"),
        (960, 640, "webp"),
    ]
    assert all(Image.open(io.BytesIO(data)).format == "WEBP" for _, data in rendered)


def test_a_small_picture_is_not_enlarged():
    assert [r.width for r, _ in image_rendering.render(picture("PNG", (300, 300)), LIMITS)] == [160, 300]


def test_names_are_content_hashes():
    first, again = (image_rendering.render(picture(), LIMITS)[0][0].name for _ in range(2))
    other = image_rendering.render(picture(size=(1000, 1000)), LIMITS)[0][0].name

    assert first == again != other
    assert first.startswith("products/")
    assert first.endswith("-160.webp")


def test_a_rotated_image_is_turned_upright_and_loses_its_metadata():
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x010F] = "SecretCamera"

    rendition, data = image_rendering.render(picture(exif=exif), LIMITS)[-1]

    assert (rendition.width, rendition.height) == (800, 1200)
    assert b"SecretCamera" not in data
    assert not Image.open(io.BytesIO(data)).getexif()


def test_transparency_is_kept():
    _, data = image_rendering.render(picture("PNG", (200, 200), "RGBA"), LIMITS)[0]

    assert Image.open(io.BytesIO(data)).mode == "RGBA"


@pytest.mark.parametrize(
    "data",
    [
        picture()[:2000],
        picture("PNG")[:500],
        b"\xff\xd8\xff" + b"nonsense" * 50,
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a",
        b"RIFF0000WEBP",
        picture("PNG", (2100, 2000), "L"),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
    ],
    ids=["cut jpeg", "cut png", "false jpeg", "png head", "gif head", "webp head", "too many pixels", "svg"],
)
def test_an_incomplete_image_is_refused(data):
    with pytest.raises(InvalidImage):
        image_rendering.render(data, LIMITS)


def test_an_upload_waits_is_rendered_and_shown(lamp, client):
    answer = upload(client, picture(), alt="A lamp")
    id = answer.json()["id"]
    waiting = client.get(f"/api/catalog/images/{id}", headers=EDITOR).json()["status"]

    lamp.parts.images.render(id)
    lamp.catch_up()

    ready = client.get(f"/api/catalog/images/{id}", headers=EDITOR).json()
    shown = client.get("/api/catalog/products/lamp").json()["images"]
    assert (answer.status_code, answer.json(), waiting) == (
        202,
        {"id": id, "status": "processing"},
        "processing",
    )
    assert lamp.renderer.enqueued == [id]
    assert (ready["status"], ready["reason"], ready["alt"]) == ("ready", None, "A lamp")
    assert shown == [{"id": id, "alt": "A lamp", "renditions": ready["renditions"]}]
    assert sorted(f"/media/{name}" for name in lamp.blobs.files) == sorted(
        r["url"] for r in ready["renditions"]
    )
    assert client.get("/api/catalog/products").json()["results"][0]["image"] == shown[0]


def test_rendering_twice_attaches_one_image_and_deletes_the_upload(lamp, client):
    id = upload(client, picture()).json()["id"]

    lamp.parts.images.render(id)
    lamp.parts.images.render(id)

    assert len(lamp.parts.products.get("lamp").images) == 1
    assert lamp.stores["catalog"]._files == {}


def test_an_upload_does_not_make_an_open_form_stale(lamp, client):
    before = lamp.parts.products.get("lamp").version
    lamp.parts.images.render(upload(client, picture()).json()["id"])

    assert lamp.parts.products.get("lamp").version == before


@pytest.mark.parametrize("data", [picture()[:3000], b"GIF89a/*", b"\x89PNG\r\n\x1a\n"])
def test_a_broken_upload_fails_with_a_reason(lamp, client, data):
    id = upload(client, data).json()["id"]

    lamp.parts.images.render(id)

    answer = client.get(f"/api/catalog/images/{id}", headers=EDITOR).json()
    assert (answer["status"], answer["renditions"]) == ("failed", [])
    assert answer["reason"].startswith("The picture cannot be decoded")
    assert "object at 0x" not in answer["reason"]


def test_rendering_waits_for_an_unavailable_blob_store(lamp, client):
    id = upload(client, picture()).json()["id"]
    lamp.blobs.is_down = True
    lamp.parts.images.render(id)
    lamp.clock.forward(minutes=1)
    lamp.renderer.enqueued.clear()

    lamp.parts.images.requeue_overdue()
    lamp.blobs.is_down = False
    done = lamp.parts.images.render(lamp.renderer.enqueued[0])

    assert done.status is ImageStatus.READY


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", 415),
        (b"MZ not a picture", 415),
        (b"", 400),
        (b"\xff\xd8\xff" + b"0" * 200_001, 413),
    ],
)
def test_an_upload_of_another_format_is_refused_at_once(lamp, client, data, status):
    assert upload(client, data).status_code == status


def test_unknown_form_fields_are_refused(lamp, client):
    missing = client.post(PATH, {"alt": "x"}, format="multipart", headers=EDITOR)
    unknown = upload(client, picture(), name="x")
    json = client.post(PATH, {"file": "x"}, format="json", headers=EDITOR)
    long = upload(client, picture(), alt="x" * 301)
    garbage = client.post(PATH, b"--x", content_type="multipart/form-data; boundary=x", headers=EDITOR)

    assert [a.status_code for a in (missing, unknown, json, long, garbage)] == [400, 400, 415, 400, 400]


def test_only_staff_upload_images(lamp, client):
    assert upload(client, picture(), headers={}).status_code == 401
    assert upload(client, picture(), headers=bearer()).status_code == 403
    assert client.get("/api/catalog/images/nope", headers=EDITOR).status_code == 404
    assert client.post("/api/catalog/products/nope/images", headers=EDITOR).status_code in (404, 415)


def test_images_are_backed_up_and_restored_with_their_types(lamp: Any, tmp_path: Any) -> None:
    lamp.blobs.put("lamp/1/card.webp", b"RIFF", "image/webp")
    back = InMemoryBlobStore()

    saved = extras.save(BlobBackup(lamp.blobs), tmp_path / "pictures.tar")
    loaded = extras.load(BlobBackup(back), tmp_path / "pictures.tar")

    assert (saved, loaded) == (1, 1)
    assert list(back.all()) == [("lamp/1/card.webp", b"RIFF", "image/webp")]
