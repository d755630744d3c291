"""Every permission of the suite, `<service>.<noun>.<read|write>`, and which role holds which.

It is here rather than in auth because each service checks its own and the admins map to them.
"""

from __future__ import annotations

_NOUNS = (
    "auth.account",
    "auth.role",
    "catalog.product",
    "catalog.category",
    "catalog.stock",
    "catalog.image",
    "catalog.review",
    "cart.cart",
    "cart.coupon",
    "checkout.order",
    "checkout.payment",
    "checkout.refund",
    "logs.event",
    "logs.audit",
    "reco.model",
    "reco.training",
    "autoscale.service",
)

PERMISSIONS: frozenset[str] = frozenset(f"{noun}.{verb}" for noun in _NOUNS for verb in ("read", "write"))

_READ = frozenset(name for name in PERMISSIONS if name.endswith(".read"))
_SUPPORT = frozenset(
    {
        "auth.account.read",
        "catalog.product.read",
        "catalog.category.read",
        "catalog.stock.read",
        "catalog.image.read",
        "catalog.review.read",
        "catalog.review.write",
        "cart.cart.read",
        "cart.coupon.read",
        "checkout.order.read",
        "checkout.order.write",
        "checkout.payment.read",
        "checkout.refund.read",
        "checkout.refund.write",
        "logs.event.read",
    }
)
_ADMIN_ONLY = frozenset({"auth.role.write", "auth.account.write", "autoscale.service.write"})

ROLES: dict[str, frozenset[str]] = {
    "customer": frozenset(),
    "support": _SUPPORT,
    "manager": (PERMISSIONS - _ADMIN_ONLY) | _READ,
    "admin": PERMISSIONS,
}


def permissions_of(roles: list[str] | tuple[str, ...]) -> frozenset[str]:
    """All permissions of these roles together; an unknown role adds nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))
