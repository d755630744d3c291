"""Logs as one JSON object a line, with the request id and without secrets."""

from __future__ import annotations

import logging
import re
from functools import lru_cache
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from chassis.observability import context

_HIDDEN = "[hidden]"
_SECRET_KEY = re.compile(
    r"password|passwd|secret|token|authorization|cookie|api[_-]?key|private[_-]?key|card|cvc|otp", re.I
)
_SECRET_TEXT = [
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]+"), r"\1 " + _HIDDEN),
    (re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), _HIDDEN),
    (
        re.compile(
            r"""(?i)(["']?(?:password|secret|refresh|access|token|otp)["']?\s*[:=]\s*["']?)[^\s"',&}]+"""
        ),
        r"\1" + _HIDDEN,
    ),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@"), r"\1:" + _HIDDEN + "@"),
    (re.compile(r"\b(?:\d[ -]?){13,19}\b"), _HIDDEN),
]
# Finds all that any of the above could match, in one pass: hardly a line holds any of it.
_SUSPECT = re.compile(
    r"bearer|basic|eyJ|password|secret|refresh|access|token|otp|://|\d(?:[ -]?\d){12}", re.I
)
#: What this module puts into a line itself.
_OWN = frozenset({"level", "logger", "service", "at", "request_id"})


def redact(text: str) -> str:
    """Return the text without bearer tokens, JWTs, passwords, URL credentials and card numbers."""
    if _SUSPECT.search(text) is None:
        return text
    for pattern, replacement in _SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return text


class JsonLine(JsonFormatter):
    """One line per record; JSON escaping neutralises line breaks that a caller put into a value."""

    def __init__(self, *args: Any, service: str = "", **kwargs: Any) -> None:
        super().__init__("%(message)s", *args, **kwargs)
        self._service = service

    def add_fields(self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: Any) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        log_data["service"] = self._service
        log_data["at"] = self.formatTime(record, "%Y-%m-%dT%H:%M:%S") + f".{int(record.msecs):03d}Z"
        request_id = context.request_id()
        if request_id:
            log_data["request_id"] = request_id

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        log_data.pop("request", None)  # Django's records carry the whole request
        return {key: value if key in _OWN else _clean(key, value) for key, value in log_data.items()}


@lru_cache(maxsize=512)
def _is_secret(key: str) -> bool:
    return _SECRET_KEY.search(key) is not None


def _clean(key: str, value: Any) -> Any:
    if _is_secret(key):
        return _HIDDEN
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {str(inner): _clean(str(inner), item) for inner, item in value.items()}
    return value


def config(service: str, level: str = "INFO") -> dict[str, Any]:
    """Django's LOGGING for a service: everything to standard error, as JSON lines."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "chassis.observability.logs.JsonLine", "service": service}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": level, "handlers": [], "propagate": True},
            # A refused host or a hostile path is an answer, not an alarm.
            "django.security": {"level": "WARNING", "propagate": True},
            "django.request": {"level": "ERROR", "propagate": True},
            "django.server": {"level": "WARNING", "propagate": True},
            "urllib3": {"level": "ERROR", "propagate": True},
            "azure": {"level": "WARNING", "propagate": True},
        },
    }
