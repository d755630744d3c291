"""The use cases of cart_svc."""

from cart.services.cart_service import AddResult, CartOwner, CartService
from cart.services.checkout_cart_service import CheckoutCartService
from cart.services.cleanup import GuestCartCleanup
from cart.services.event_handlers import EventHandlers

__all__ = [
    "AddResult",
    "CartOwner",
    "CartService",
    "CheckoutCartService",
    "EventHandlers",
    "GuestCartCleanup",
]
