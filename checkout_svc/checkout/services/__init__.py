"""The use cases. They get repositories, siblings and the payment provider through their constructors."""

from .mailing import Mail, Mailing, Post
from .orders import Orders, Search, Viewer
from .people import anonymise_orders
from .placing import Placed, PlaceOrder, Placing
from .ports import Away, Cart, Carts, Catalog, Correction, Fate, Refusal, Sku, StockBook, Truth
from .pricing import Basket, Priced, Pricing
from .reconciling import Finding, Reconciler, Report
from .saga import Saga
from .sweeping import Sweeper

__all__ = [
    "Away",
    "Basket",
    "Cart",
    "Carts",
    "Catalog",
    "Correction",
    "Fate",
    "Finding",
    "Mail",
    "Mailing",
    "Orders",
    "PlaceOrder",
    "Placed",
    "Placing",
    "Post",
    "Priced",
    "Pricing",
    "Reconciler",
    "Refusal",
    "Report",
    "Saga",
    "Search",
    "Sku",
    "StockBook",
    "Sweeper",
    "Truth",
    "Viewer",
    "anonymise_orders",
]
