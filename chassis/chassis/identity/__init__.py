"""Who is calling, and what they may do."""

from chassis.identity.permissions import ByMethod, DenyAll, FromService, Public, SignedIn, Staff
from chassis.identity.principal import ANONYMOUS, Principal, anonymous, principal_of

__all__ = [
    "ANONYMOUS",
    "ByMethod",
    "DenyAll",
    "FromService",
    "Principal",
    "Public",
    "SignedIn",
    "Staff",
    "anonymous",
    "principal_of",
]
