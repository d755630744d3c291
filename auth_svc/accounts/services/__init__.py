"""The use cases of auth_svc."""

from .account_lookup import AccountLookup
from .account_mail import AccountMailService, Mail, Mailer
from .cleanup import Cleanup
from .profile import Profile
from .recovery import Recovery
from .registration import Registration
from .signin import SignIn
from .staff import StaffService
from .tokens import AccessTokens, DerivedTokens, TokenPair

__all__ = [
    "AccessTokens",
    "AccountLookup",
    "AccountMailService",
    "Cleanup",
    "DerivedTokens",
    "Mail",
    "Mailer",
    "Profile",
    "Recovery",
    "Registration",
    "SignIn",
    "StaffService",
    "TokenPair",
]
