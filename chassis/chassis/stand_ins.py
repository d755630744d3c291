"""What a shop may have in place of the real thing, as long as it says so: test cards, mail that is logged.

Everything else of that kind is refused in production (`chassis.settings`).
"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest

SMTP = "django.core.mail.backends.smtp.EmailBackend"


def demo(request: HttpRequest | None = None) -> dict[str, bool]:
    """Context processor: `demo` for templates."""
    return {"demo": settings.DEMO}


def mail_is_sent() -> bool:
    """Return True if mails go to a mail server."""
    return bool(settings.EMAIL_BACKEND == SMTP)
