"""The admin of catalog_svc. Every write goes through the use cases, so that rules and facts hold here too."""

from catalog.admin import categories, dashboard, images, products, reviews, stock
from catalog.wiring import RELAYS
from chassis.admin import register_dead_letters

for _relay in RELAYS:
    register_dead_letters(_relay, app_label="catalog", noun="product")

__all__ = ["categories", "dashboard", "images", "products", "reviews", "stock"]
