"""Which passwords are refused. Length and a list of common ones, as NIST SP 800-63B (5.1.1.2) advises."""

from __future__ import annotations

from pathlib import Path

SHORTEST, LONGEST = 8, 128

#: The most used passwords of eight characters or more, from public lists of leaked ones.
COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text().split())


def password_faults(password: str, *, email: str = "", name: str = "") -> list[str]:
    """Why a password is not accepted; empty when it is. It is never cut short."""
    if not SHORTEST <= len(password) <= LONGEST:
        return [f"Must have {SHORTEST} to {LONGEST} characters."]
    lowered = password.lower()
    if lowered in COMMON or len(set(lowered)) < 3:
        return ["Too many people use this one; choose another."]
    if lowered in {email.lower(), name.lower()}:
        return ["Must not be your own name or e-mail."]
    return []
