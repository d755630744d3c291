"""What an account, a session and a request for mail are, and their rules. Standard library only."""

from .account import (
    MOST_ADDRESSES,
    Account,
    AccountEnded,
    Address,
    EmailClaim,
    OneTimeToken,
    TooManyAddresses,
    normal_email,
)
from .mail import MailRequest
from .passwords import password_faults
from .sessions import GRACE, Family, Outcome, StaffSession

__all__ = [
    "GRACE",
    "MOST_ADDRESSES",
    "Account",
    "AccountEnded",
    "Address",
    "EmailClaim",
    "Family",
    "MailRequest",
    "OneTimeToken",
    "Outcome",
    "StaffSession",
    "TooManyAddresses",
    "normal_email",
    "password_faults",
]
