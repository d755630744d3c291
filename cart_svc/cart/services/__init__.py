"""The use cases of cart_svc."""

from cart.services.coupons import Coupons
from cart.services.keeping import Keeper
from cart.services.orders import OrderDesk
from cart.services.shopping import AddAnswer, Holder, Shopping

__all__ = ["AddAnswer", "Coupons", "Holder", "Keeper", "OrderDesk", "Shopping"]
