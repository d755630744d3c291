"""The use cases of cart_svc."""

from cart.services.keeping import Keeper
from cart.services.orders import OrderDesk
from cart.services.shopping import AddAnswer, Holder, Shopping

__all__ = ["AddAnswer", "Holder", "Keeper", "OrderDesk", "Shopping"]
