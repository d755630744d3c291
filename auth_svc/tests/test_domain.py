"""Rules of accounts, sessions and passwords."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accounts.domain import (
    MAX_ADDRESSES,
    Account,
    AccountEnded,
    Address,
    EmailClaim,
    Outcome,
    TokenFamily,
    TooManyAddresses,
    password_errors,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def an_account(**fields: object) -> Account:
    return Account("a1", "ada@example.com", "Ada", "hash", NOW, **fields)  # type: ignore[arg-type]


def a_family(**fields: object) -> TokenFamily:
    return TokenFamily("f1", "a1", NOW, NOW + timedelta(days=30), "h1", **fields)  # type: ignore[arg-type]


def an_address(id: str) -> Address:
    return Address(id, "Ada", "Street 1", "1000", "Brussels", "BE")


def test_the_current_token_of_a_family_is_rotated() -> None:
    family = a_family()

    outcome = family.evaluate("h1", NOW)
    family.rotate("h2", NOW)

    assert (outcome, family.token_hash, family.previous_hash, family.generation) == (
        Outcome.ROTATED,
        "h2",
        "h1",
        2,
    )


@pytest.mark.parametrize(
    ("token", "after", "expected"),
    [
        ("h2", 0, Outcome.ROTATED),
        ("h1", 0, Outcome.REPEATED),
        ("h1", 10, Outcome.REPEATED),
        ("h1", 11, Outcome.REUSED),
        ("h0", 0, Outcome.REUSED),
    ],
)
def test_a_rotated_token_is_repeated_for_ten_seconds_and_then_reused(
    token: str, after: int, expected: Outcome
) -> None:
    family = a_family()
    family.rotate("h2", NOW)

    assert family.evaluate(token, NOW + after * SECOND) is expected


def test_a_revoked_or_expired_family_refuses_its_own_token() -> None:
    revoked, expired = a_family(revoked_at=NOW), a_family()

    assert revoked.evaluate("h1", NOW + SECOND) is Outcome.REFUSED
    assert expired.evaluate("h1", NOW + timedelta(days=31)) is Outcome.REFUSED


def test_a_changed_password_ends_the_sessions_begun_before_it() -> None:
    account = an_account()

    account.change_password("other", NOW)

    assert (account.accepts_session_from(NOW - SECOND), account.accepts_session_from(NOW + SECOND)) == (
        False,
        True,
    )


def test_a_deactivated_account_accepts_no_session_at_all() -> None:
    account = an_account()

    account.deactivate(NOW)

    assert not account.accepts_session_from(NOW + SECOND)


def test_a_one_time_token_works_once() -> None:
    account = an_account()
    account.issue_one_time_token("reset", "n1", NOW)

    assert [account.redeem_one_time_token("reset", "n1", NOW + SECOND) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("purpose", "nonce", "after"),
    [("verify", "n1", 1), ("reset", "n2", 1), ("reset", "n1", 3600)],
    ids=["another purpose", "another token", "expired"],
)
def test_a_one_time_token_is_bound_to_purpose_and_time(purpose: str, nonce: str, after: int) -> None:
    account = an_account()
    account.issue_one_time_token("reset", "n1", NOW)

    assert not account.redeem_one_time_token(purpose, nonce, NOW + after * SECOND)


def test_a_one_time_token_is_bound_to_its_address() -> None:
    account = an_account()
    account.issue_one_time_token("reset", "n1", NOW)

    account.email = "new@example.com"

    assert not account.redeem_one_time_token("reset", "n1", NOW + SECOND)


def test_changing_the_password_invalidates_reset_links() -> None:
    account = an_account()
    account.issue_one_time_token("reset", "n1", NOW)

    account.change_password("other", NOW)

    assert not account.redeem_one_time_token("reset", "n1", NOW + SECOND)


def test_the_number_of_open_links_is_limited() -> None:
    account = an_account()

    for number in range(50):
        account.issue_one_time_token("reset", f"n{number}", NOW)

    assert [token.nonce for token in account.one_time] == ["n45", "n46", "n47", "n48", "n49"]


def test_an_ended_account_gets_no_links() -> None:
    with pytest.raises(AccountEnded):
        an_account(active=False).issue_one_time_token("reset", "n1", NOW)


def test_the_address_book_is_limited() -> None:
    account = an_account()
    for number in range(MAX_ADDRESSES):
        account.add_address(an_address(str(number)))

    with pytest.raises(TooManyAddresses):
        account.add_address(an_address("one more"))


def test_erasing_removes_personal_data_and_keeps_the_events() -> None:
    account = an_account(email_verified=True, addresses=[an_address("1")], roles=("customer", "admin"))

    account.erase(NOW)

    assert (account.email, account.name, account.password, account.addresses, account.roles) == (
        "",
        "",
        "",
        [],
        (),
    )
    assert (account.is_usable, account.erased_at) == (False, NOW)


def test_one_spelling_of_an_address_makes_one_claim() -> None:
    assert EmailClaim.id_of(" Ada@Example.COM ") == EmailClaim.id_of("ada@example.com")


@pytest.mark.parametrize(
    "password", ["x" * 7, "x" * 129, "", "password", "PassWord1", "12345678", "abababab", "ada@example.com"]
)
def test_weak_passwords_are_refused_with_a_reason(password: str) -> None:
    assert len(password_errors(password, email="ada@example.com", name="Ada")) == 1


@pytest.mark.parametrize("password", ["correct horse", "é" * 4 + "abcd", "x7" * 4 + "y", "a b c d e " * 12])
def test_long_and_unusual_passwords_are_accepted(password: str) -> None:
    assert password_errors(password) == []
