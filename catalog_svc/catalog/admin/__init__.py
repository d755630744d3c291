"""Admin pages of catalog_svc.

Every write goes through the services, so that rules and events hold here too.
"""

from catalog.admin import categories, dashboard, images, products, reviews, stock
from catalog.container import RELAYS
from chassis.admin import register_dead_letters

for _relay in RELAYS:
    register_dead_letters(_relay, app_label="catalog", noun="product")

__all__ = ["categories", "dashboard", "images", "products", "reviews", "stock"]
