"""The sandbox provider's payment tokens and their behaviour. No token is a card."""

from __future__ import annotations

from dataclasses import dataclass

from ..domain import Outcome


@dataclass(frozen=True)
class Behaviour:
    """``outcome`` is what the ledger records; ``answered`` is False if the caller gets no response."""

    outcome: Outcome
    last4: str
    code: str = ""
    answered: bool = True


TOKENS = {
    "tok_ok": Behaviour(Outcome.PAID, "4242"),
    "tok_declined": Behaviour(Outcome.REFUSED, "0002", "card_declined"),
    "tok_insufficient_funds": Behaviour(Outcome.REFUSED, "9995", "insufficient_funds"),
    "tok_timeout_then_ok": Behaviour(Outcome.PAID, "4242", answered=False),
    "tok_timeout_unknown": Behaviour(Outcome.PROCESSING, "4242", answered=False),
    "tok_requires_action": Behaviour(Outcome.REQUIRES_ACTION, "3155"),
    "tok_error": Behaviour(Outcome.REFUSED, "0119", "processing_error", answered=False),
}
