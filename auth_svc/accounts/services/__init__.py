"""The use cases, one module per part of a person's life with the shop."""

from .directory import Directory
from .housekeeping import Housekeeping
from .mailing import Mail, Mailing, Post
from .profile import Profile
from .recovery import Recovery
from .registration import Registration
from .signin import SignIn
from .staff import StaffDesk
from .tokens import AccessTokens, Pair, Secrets

__all__ = [
    "AccessTokens",
    "Directory",
    "Housekeeping",
    "Mail",
    "Mailing",
    "Pair",
    "Post",
    "Profile",
    "Recovery",
    "Registration",
    "Secrets",
    "SignIn",
    "StaffDesk",
]
