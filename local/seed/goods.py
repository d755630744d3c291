"""Reads goods.txt, the demo shop's list of goods."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

GOODS = Path(__file__).with_name("goods.txt")
CURRENCY = "EUR"


@dataclass(frozen=True, slots=True)
class Good:
    """One line of goods.txt; prices in cents."""

    category: str
    subcategory: str
    title: str
    brand: str
    emoji: str
    price: int
    compare_at: int | None
    attribute: str | None
    values: tuple[str, ...]
    stock: int
    description: str

    @property
    def slug(self) -> str:
        return slugify(self.title)

    @property
    def picture_name(self) -> str:
        """File name of the picture in @lobehub/fluent-emoji-3d: its code points in hex."""
        return "-".join(f"{ord(char):04x}" for char in self.emoji) + ".webp"

    def variants(self) -> list[tuple[str, dict[str, str], int]]:
        """`(sku, attributes, units)` of each variant; the stock is spread over them."""
        base = self.sku_base()
        if not self.attribute:
            return [(base, {}, self.stock)]
        share, rest = divmod(self.stock, len(self.values))
        return [
            (f"{base}-{slugify(value).upper()}", {self.attribute: value}, share + (position < rest))
            for position, value in enumerate(self.values)
        ]

    def sku_base(self) -> str:
        digest = hashlib.sha256(self.title.encode()).hexdigest()[:4].upper()
        return f"{self.slug.replace('-', '')[:6].upper()}-{digest}"


def slugify(text: str) -> str:
    """`Cook's knife` -> `cooks-knife`."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "")).strip("-")


def load(path: Path = GOODS) -> list[Good]:
    """All goods in the file's order; a malformed line raises ValueError naming its number."""
    goods = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            goods.append(_parse(line))
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path.name}, line {number}: {error}") from error
    return goods


def _parse(line: str) -> Good:
    fields = [field.strip() for field in line.split("|")]
    if len(fields) != 9:
        raise ValueError(f"9 fields expected, {len(fields)} found")
    place, title, brand, emoji, price, before, variants, stock, description = fields
    category, subcategory = place.split("/")
    attribute, _, values = variants.partition(":")
    return Good(
        category=category,
        subcategory=subcategory,
        title=title,
        brand=brand,
        emoji=emoji,
        price=int(price),
        compare_at=None if before == "-" else int(before),
        attribute=None if variants == "-" else attribute.strip(),
        values=tuple(value.strip() for value in values.split(",")) if values else (),
        stock=int(stock),
        description=description,
    )
