"""Writes that were refused, in words for the person who made them."""

from __future__ import annotations

from django import forms
from rest_framework.exceptions import APIException

from chassis.couch import Busy, Conflict, NotFound

REFUSALS: tuple[type[Exception], ...] = (NotFound, Conflict, Busy, forms.ValidationError, APIException)
_REASONS: dict[type[Exception], str] = {
    NotFound: "It is not there any more.",
    Conflict: "One with this name or number exists already, or somebody else changed it just now.",
    Busy: "Too many are changing this just now; try again.",
}


def reason_of(error: Exception) -> str:
    """Return what to tell about a refused write."""
    if isinstance(error, forms.ValidationError):
        return " ".join(error.messages)
    if isinstance(error, APIException):
        return str(error.detail)
    return _REASONS.get(type(error), str(error))
