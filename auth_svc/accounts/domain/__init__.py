"""Rules of accounts, sessions, passwords and mail requests. Standard library only."""

from .account import (
    MAX_ADDRESSES,
    Account,
    AccountEnded,
    Address,
    EmailClaim,
    OneTimeToken,
    TooManyAddresses,
    normalize_email,
)
from .mail import MailRequest
from .passwords import password_errors
from .sessions import GRACE, Outcome, StaffSession, TokenFamily

__all__ = [
    "GRACE",
    "MAX_ADDRESSES",
    "Account",
    "AccountEnded",
    "Address",
    "EmailClaim",
    "MailRequest",
    "OneTimeToken",
    "Outcome",
    "StaffSession",
    "TokenFamily",
    "TooManyAddresses",
    "normalize_email",
    "password_errors",
]
