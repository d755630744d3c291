"""Messages for a service that is unavailable or rate limits the shopper."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: Headline and sentence for a service that is down.
UNAVAILABLE_TEXTS = {
    "catalog": (
        "Our shelves are out of reach for a moment",
        "We are putting them back. Please try again in a minute.",
    ),
    "cart": (
        "Your cart is out of reach for a moment",
        "Nothing in it is lost. You can go on looking around.",
    ),
    "checkout": ("Checkout is taking a break; your cart is safe", "Please come back in a few minutes."),
    "auth": (
        "Signing in is taking a break",
        "You can look around, fill your cart and order as a guest in the meantime.",
    ),
}
_ANY = ("Something is out of reach for a moment", "Please try again in a minute.")
#: Retry-After if the service has sent none.
DEFAULT_RETRY_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Outage:
    """Message of a page, its status, and the seconds of its Retry-After."""

    title: str
    text: str
    status: int
    retry_after: int

    @property
    def sentence(self) -> str:
        return f"{self.title}. {self.text}"


def describe(service: str, *, limited: bool, retry_after: float | None) -> Outage:
    """Return the message for a service that is down or (`limited`) asks to slow down."""
    if limited:
        return Outage("That was a bit quick", wait_sentence(retry_after), 429, whole_seconds(retry_after))
    title, text = UNAVAILABLE_TEXTS.get(service, _ANY)
    return Outage(title, text, 503, whole_seconds(retry_after))


def wait_sentence(retry_after: float | None) -> str:
    """Return a sentence with the time to wait."""
    return f"Please wait {_words(whole_seconds(retry_after))}, then try again."


def whole_seconds(retry_after: float | None) -> int:
    """Return the seconds of a Retry-After header."""
    return DEFAULT_RETRY_SECONDS if retry_after is None else max(1, math.ceil(retry_after))


def _words(seconds: int) -> str:
    if seconds == 1:
        return "a second"
    if seconds <= 50:
        return f"{seconds} seconds"
    if seconds <= 90:
        return "a minute"
    if seconds <= 50 * 60:
        return f"{math.ceil(seconds / 60)} minutes"
    return "an hour" if seconds <= 90 * 60 else f"{math.ceil(seconds / 3600)} hours"
