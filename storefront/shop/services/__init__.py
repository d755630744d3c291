"""The use cases of the storefront: browsing, buying, and who the shopper is."""

from shop.services.browsing import Browsing
from shop.services.buying import Buying
from shop.services.people import People

__all__ = ["Browsing", "Buying", "People"]
