"""Events that a subscriber refused, in the admin of the service that told them: looked at, and sent again.

from chassis.admin.dead_letters import register_dead_letters
register_dead_letters(container.RELAY, app_label="accounts", noun="account")
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest

from chassis.couch import Repository
from chassis.messaging import DeadLetter, Rejected, Relay, SubscriberUnavailable, dead_letters

from .models_factory import document_model
from .options import DocumentAdmin


def register_dead_letters(relay: Relay, *, app_label: str, noun: str) -> None:
    """Add the list of the relay's dead letters to the service's admin."""
    model = document_model(
        dead_letters(relay.database),
        lambda: letters_of(relay),
        app_label=app_label,
        name=f"DeadLetter{relay.database.capitalize()}",
        verbose_name=f"dead letter ({relay.database})",
        verbose_name_plural=f"dead letters ({relay.database})",
        ordering=["-parked_at"],
    )
    admin.site.register(model, type("DeadLetterAdmin", (DeadLetterAdmin,), {"noun": noun, "relay": relay}))


def letters_of(relay: Relay) -> Repository[DeadLetter]:
    """Return the repository behind the relay's dead letters."""
    return relay.dead_letters.letters


class DeadLetterAdmin(DocumentAdmin):
    """Nobody edits an event; it is sent again once its subscriber has been mended."""

    relay: Relay
    noun = "-"
    has_add = has_change = has_delete = False
    list_display = ["subscriber", "event_type", "subject", "status", "parked_at", "reason"]
    list_filter = ["status", "parked_at"]
    fieldsets = [(None, {"fields": ["subscriber", "status", "reason", "parked_at", "sent_at", "event"]})]
    actions = ["send_again"]

    @admin.display(description="fact")
    def event_type(self, obj: Any) -> str:
        return str(obj.entity.event.get("type", ""))

    @admin.display(description="subject")
    def subject(self, obj: Any) -> str:
        return str(obj.entity.event.get("subject", ""))

    @admin.action(description="Send selected facts again", permissions=["write"])
    def send_again(self, request: HttpRequest, queryset: Any) -> None:
        sent = 0
        for letter in queryset:
            try:
                self.relay.dead_letters.resend(letter.pk)
                sent += 1
            except (Rejected, SubscriberUnavailable) as error:
                self.message_user(request, f"{letter.entity.subscriber}: {error}", messages.ERROR)
        self.message_user(request, f"Sent again: {sent}.", messages.SUCCESS if sent else messages.WARNING)
