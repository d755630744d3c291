"""Shop pictures: a thing of Fluent Emoji 3D (MIT) on a soft background, at the size a shop would upload."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

from local.seed.goods import Good

ASSETS = Path(__file__).with_name("node_modules") / "@lobehub" / "fluent-emoji-3d" / "assets"
SIZE = 960
THING = 560
# (light, deep) of each background; a product keeps its own from run to run.
PALETTE = (
    ((250, 244, 236), (236, 221, 201)),
    ((240, 246, 248), (205, 224, 231)),
    ((243, 247, 238), (214, 227, 200)),
    ((249, 240, 240), (236, 210, 209)),
    ((244, 241, 250), (218, 209, 236)),
    ((252, 247, 229), (242, 226, 180)),
    ((240, 244, 242), (202, 220, 214)),
)


def compose(good: Good) -> bytes:
    """Return a square JPEG of 960 x 960 pixels."""
    light, deep = PALETTE[hashlib.sha256(good.title.encode()).digest()[0] % len(PALETTE)]
    canvas = Image.composite(
        Image.new("RGB", (SIZE, SIZE), deep), Image.new("RGB", (SIZE, SIZE), light), _vignette()
    )
    with Image.open(ASSETS / good.picture_name) as source:
        thing = source.convert("RGBA").resize((THING, THING), Image.Resampling.LANCZOS)
    corner = ((SIZE - THING) // 2, (SIZE - THING) // 2 - 20)
    _shadow(canvas, thing, corner)
    canvas.paste(thing, corner, thing)
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=88)
    return out.getvalue()


def _vignette() -> Image.Image:
    """0 in the middle, 255 at the edge."""
    return Image.radial_gradient("L").resize((SIZE, SIZE), Image.Resampling.BILINEAR)


def _shadow(canvas: Image.Image, thing: Image.Image, corner: tuple[int, int]) -> None:
    """Return a soft ellipse under the thing, as wide as the thing is."""
    left, _, right, bottom = thing.getbbox() or (0, 0, THING, THING)
    middle, floor = corner[1] + bottom, (right - left) // 14
    mask = Image.new("L", (SIZE // 4, SIZE // 4))
    box = (corner[0] + left, middle - floor, corner[0] + right, middle + floor)
    ImageDraw.Draw(mask).ellipse([edge // 4 for edge in box], fill=110)
    canvas.paste((40, 36, 44), (0, 0), mask.filter(ImageFilter.GaussianBlur(6)).resize((SIZE, SIZE)))
