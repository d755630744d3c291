"""Why a product is recommended: for programs as a kind and a product, for people as a sentence."""

from __future__ import annotations

from dataclasses import dataclass

#: Kind -> the sentence; `{title}` is the product that it is about.
SENTENCES = {
    "viewed_with": "often looked at with {title}",
    "basket": "goes with your basket",
    "viewed": "because you viewed {title}",
    "bought": "because you bought {title}",
    "like": "like {title}",
    "like_viewed": "like {title}, which you viewed",
    "popular_in_category": "popular on this shelf",
    "trending_in_category": "wanted by many on a shelf you looked at",
    "trending": "wanted by many just now",
}


@dataclass(frozen=True, slots=True)
class Because:
    """The cause of a recommendation; `product_id` and `title` where it is about one product."""

    kind: str
    product_id: str | None = None
    title: str | None = None

    @property
    def sentence(self) -> str:
        return SENTENCES[self.kind].format(title=self.title)
