"""Use cases of the storefront: catalogue, cart and orders, accounts."""

from shop.services.accounts import AccountService
from shop.services.catalog import CatalogService
from shop.services.orders import OrderService

__all__ = ["AccountService", "CatalogService", "OrderService"]
