"""Password rules: length and a list of common ones, as NIST SP 800-63B (5.1.1.2) advises."""

from __future__ import annotations

from pathlib import Path

MIN_LENGTH, MAX_LENGTH = 8, 128

#: The most used passwords of eight characters or more, from public lists of leaked ones.
COMMON = frozenset(Path(__file__).with_name("common_passwords.txt").read_text().split())


def password_errors(password: str, *, email: str = "", name: str = "") -> list[str]:
    """Return the reasons why a password is refused; empty if it is accepted. It is never truncated."""
    if not MIN_LENGTH <= len(password) <= MAX_LENGTH:
        return [f"Must have {MIN_LENGTH} to {MAX_LENGTH} characters."]
    lowered = password.lower()
    if lowered in COMMON or len(set(lowered)) < 3:
        return ["Too many people use this one; choose another."]
    if lowered in {email.lower(), name.lower()}:
        return ["Must not be your own name or e-mail."]
    return []
