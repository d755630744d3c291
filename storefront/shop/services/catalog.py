"""Public pages: the menu, lists, products and shared shelves."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chassis.clients import Refused, ServiceUnavailable
from shop.clients import Catalog, Json, Reco
from shop.domain import listing, menu, products
from shop.domain.listing import ListingQuery
from shop.stale_cache import StaleCache

UNAVAILABLE = (ServiceUnavailable, Refused)
SHELF = 8
_HOME: tuple[tuple[str, list[tuple[str, str]]], ...] = (
    ("newest", [("sort", "newest"), ("in_stock", "true")]),
    ("sale", [("on_sale", "true"), ("in_stock", "true"), ("sort", "popular")]),
)


class CatalogService:
    """Use cases of public pages.

    Data shared by all shoppers is fetched once in a few seconds per process; a shelf that cannot be fetched
    is an empty list, never an error.
    """

    def __init__(self, *, catalog: Catalog, reco: Reco, locale: str, public_url: str) -> None:
        self._catalog, self._reco, self._locale, self._public_url = catalog, reco, locale, public_url
        self._menu: StaleCache[list[Json]] = StaleCache(fresh=5, max_stale=86_400, size=1)
        self._shelves: StaleCache[list[Json]] = StaleCache(fresh=5, max_stale=3_600, size=8)
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="shelf")

    def close(self) -> None:
        """Stop the threads that fetch shelves."""
        self._pool.shutdown(wait=False)

    def menu(self) -> list[Json]:
        """Return the category tree; while the catalogue is unavailable the last one, or an empty one."""
        try:
            return self._menu.get(
                "", lambda: menu.build_menu(self._catalog.categories()), failures=UNAVAILABLE
            )
        except UNAVAILABLE:
            return []

    def home(self) -> dict[str, list[Json]]:
        """Return the shared shelves of the home page by name, fetched in parallel."""
        jobs: dict[str, Callable[[], list[Json]]] = {"trending": self.trending}
        for name, params in _HOME:
            jobs[name] = lambda name=name, params=params: self._shelf(name, params)  # type: ignore[misc]
        waiting = {name: self._pool.submit(contextvars.copy_context().run, job) for name, job in jobs.items()}
        return {name: future.result() for name, future in waiting.items()}

    def trending(self) -> list[Json]:
        """Return trending products; popular ones while reco is unavailable."""
        try:
            found = self._shelves.get(
                "trending",
                lambda: self._cards([one.id for one in self._reco.trending(SHELF)]),
                failures=UNAVAILABLE,
            )
        except UNAVAILABLE:
            found = []
        return found or self._shelf("popular", [("sort", "popular"), ("in_stock", "true")])

    def _shelf(self, name: str, params: list[tuple[str, str]]) -> list[Json]:
        def fetch() -> list[Json]:
            answer = self._catalog.products([*params, ("limit", str(SHELF))], timeout=1.5)
            return [products.present_card(raw, self._locale) for raw in answer["results"]]

        try:
            return self._shelves.get(name, fetch, failures=UNAVAILABLE)
        except UNAVAILABLE:
            return []

    def _cards(self, ids: list[str]) -> list[Json]:
        return [products.present_card(raw, self._locale) for raw in self._catalog.cards(ids)]

    def listing(self, query: ListingQuery) -> Json:
        """Return the middle of a list page.

        Raises `ServiceUnavailable`; `Refused` if the catalogue refuses the query.
        """
        return listing.present_listing(self._catalog.products(query.params()), query, locale=self._locale)

    def product(self, slug: str, sku: str = "") -> tuple[Json, str]:
        """Return the product's page and its structured data.

        Raises `ServiceUnavailable` and `Refused` (404).
        """
        raw = self._catalog.product(slug)
        shown = products.present_product(raw, locale=self._locale, sku=sku)
        return shown, products.structured_data(raw, self._public_url)

    def popular_in_category(self, product: Mapping[str, Any]) -> list[Json]:
        """Return popular products of the same category."""
        crumbs = product["breadcrumbs"]
        if not crumbs:
            return []
        slug = crumbs[-1]["url"].rpartition("/")[2]
        name = f"near:{slug}"
        near = self._shelf(name, [("category", slug), ("sort", "popular"), ("in_stock", "true")])
        return [card for card in near if card["id"] != product["id"]]

    def suggest(self, words: str) -> Json:
        """Return completions for the search box; none while the catalogue is unavailable."""
        if len(words) < 2:
            return {}
        try:
            found = self._catalog.suggest(words)
        except UNAVAILABLE:
            return {}
        return {
            "queries": [
                q if isinstance(q, str) else q.get("q") or q.get("title", "")
                for q in found.get("queries") or []
            ][:4],
            "categories": menu.build_menu(found.get("categories") or [])[:3],
            "products": [
                {
                    "title": p["title"],
                    "url": products.product_url(p["slug"]),
                    "picture": products.present_picture(p.get("image"), p["title"]),
                }
                for p in found.get("products") or []
            ][:5],
        }
