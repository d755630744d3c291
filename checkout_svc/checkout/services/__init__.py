"""The use cases. They get repositories, siblings and the payment provider through their constructors."""

from .mailing import Mail, Mailing, Post
from .orders import Orders, Search, Viewer
from .people import anonymise_orders
from .placing import Placed, PlaceOrder, Placing
from .ports import Away, Cart, Carts, Catalog, Refusal, Sku
from .pricing import Basket, Priced, Pricing
from .saga import Saga
from .sweeping import Sweeper

__all__ = [
    "Away",
    "Basket",
    "Cart",
    "Carts",
    "Catalog",
    "Mail",
    "Mailing",
    "Orders",
    "PlaceOrder",
    "Placed",
    "Placing",
    "Post",
    "Priced",
    "Pricing",
    "Refusal",
    "Saga",
    "Search",
    "Sku",
    "Sweeper",
    "Viewer",
    "anonymise_orders",
]
