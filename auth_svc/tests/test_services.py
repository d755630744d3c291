"""Tests of the use cases over in-memory repositories."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from accounts.domain import EmailClaim, MailRequest
from chassis.api.errors import BadRequest, Conflict, Forbidden, NotAuthenticated, TooManyRequests
from chassis.couch import NotFound

EMAIL, PASSWORD = "ada@example.com", "correct horse"


def event_types(world: Any, account: Any) -> list[str]:
    return [event["type"] for event in world.parts.accounts.get(account.id).events]


def test_an_address_is_registered_once(world: Any) -> None:
    world.account("Ada@Example.com")

    with pytest.raises(Conflict):
        world.account("ada@example.com ")


def test_only_one_concurrent_registration_gets_the_address(world: Any) -> None:
    outcomes: list[str] = []

    def register() -> None:
        try:
            world.account()
            outcomes.append("registered")
        except Conflict:
            outcomes.append("taken")

    threads = [threading.Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["registered"] + ["taken"] * 7
    assert world.parts.accounts.count() == 1


def test_registering_sends_a_verification_mail(world: Any) -> None:
    account = world.account()
    world.deliver()

    world.parts.recovery.verify(world.mailer.token())

    assert [(mail.to, mail.subject) for mail in world.mailer.mails] == [(EMAIL, "Confirm your e-mail")]
    assert world.parts.accounts.get(account.id).email_verified
    assert event_types(world, account) == ["account.verified"]


@pytest.mark.parametrize(("email", "password"), [(EMAIL, "wrong horse"), ("nobody@example.com", PASSWORD)])
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer_at_the_same_cost(
    world: Any, email: str, password: str
) -> None:
    world.account()
    world.hasher.checked.clear()

    with pytest.raises(NotAuthenticated) as refused:
        world.parts.signin.sign_in(email=email, password=password)

    assert refused.value.body() | {"request_id": ""} == {
        "type": "invalid-credentials",
        "title": "Unauthorized",
        "status": 401,
        "detail": "The e-mail or the password is wrong.",
        "request_id": "",
    }
    assert len(world.hasher.checked) == 1


def test_a_deactivated_account_cannot_sign_in(world: Any) -> None:
    world.account(active=False)

    with pytest.raises(NotAuthenticated):
        world.parts.signin.sign_in(email=EMAIL, password=PASSWORD)


def test_attempts_are_counted_per_account_whatever_the_spelling(world: Any) -> None:
    world.account()
    world.attempts.limit = 2
    for email in (EMAIL, EMAIL.upper()):
        world.parts.signin.sign_in(email=email, password=PASSWORD)

    with pytest.raises(TooManyRequests):
        world.parts.signin.sign_in(email=EMAIL, password=PASSWORD)


def test_an_outdated_hash_is_renewed_at_sign_in(world: Any) -> None:
    account = world.account()
    good = account.password
    world.hasher.is_outdated = lambda hashed: hashed == "old"
    world.hasher.verify = lambda password, hashed: True
    world.parts.accounts.update(account.id, lambda found: setattr(found, "password", "old"))

    world.parts.signin.sign_in(email=EMAIL, password=PASSWORD)

    assert world.parts.accounts.get(account.id).password == good


def test_a_refresh_token_has_one_successor(world: Any) -> None:
    first = world.parts.signin.begin(world.account())

    second = world.parts.signin.refresh(first.refresh)
    third = world.parts.signin.refresh(second.refresh)

    assert len({first.refresh, second.refresh, third.refresh}) == 3


def test_a_lost_response_is_repeated_for_ten_seconds(world: Any) -> None:
    first = world.parts.signin.begin(world.account())
    second = world.parts.signin.refresh(first.refresh)
    world.clock.advance(seconds=8)

    again = world.parts.signin.refresh(first.refresh)

    assert again.refresh == second.refresh


def test_a_stolen_token_ends_the_whole_family(world: Any) -> None:
    first = world.parts.signin.begin(world.account())
    second = world.parts.signin.refresh(first.refresh)
    world.clock.advance(seconds=11)

    for token in (first.refresh, second.refresh):
        with pytest.raises(NotAuthenticated):
            world.parts.signin.refresh(token)


def test_concurrent_refreshes_get_the_same_successor(world: Any) -> None:
    first = world.parts.signin.begin(world.account())
    got: list[str] = []

    def refresh() -> None:
        got.append(world.parts.signin.refresh(first.refresh).refresh)

    threads = [threading.Thread(target=refresh) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(got), len(set(got))) == (6, 1)


@pytest.mark.parametrize("change", ["x", "", "." * 60], ids=["altered", "empty", "dots"])
def test_a_forged_refresh_token_is_refused_and_ends_no_family(world: Any, change: str) -> None:
    first = world.parts.signin.begin(world.account())
    forged = first.refresh[:-1] + ("A" if first.refresh[-1] != "A" else "B") if change == "x" else change

    with pytest.raises(NotAuthenticated):
        world.parts.signin.refresh(forged)

    assert world.parts.signin.refresh(first.refresh).refresh


def test_signing_out_ends_the_family_and_no_other(world: Any) -> None:
    account = world.account()
    here, there = world.parts.signin.begin(account), world.parts.signin.begin(account)

    world.parts.signin.revoke(here.refresh)

    with pytest.raises(NotAuthenticated):
        world.parts.signin.refresh(here.refresh)
    assert world.parts.signin.refresh(there.refresh).refresh


def test_changing_the_password_ends_refreshing_at_once(world: Any) -> None:
    account = world.account()
    pair = world.parts.signin.begin(account)

    world.parts.profile.change_password(account.id, old=PASSWORD, new="battery staple")

    with pytest.raises(NotAuthenticated):
        world.parts.signin.refresh(pair.refresh)
    assert world.parts.signin.sign_in(email=EMAIL, password="battery staple").access


def test_a_wrong_old_password_changes_nothing(world: Any) -> None:
    account = world.account()

    with pytest.raises(Forbidden):
        world.parts.profile.change_password(account.id, old="guess", new="battery staple")


def test_a_forgotten_password_is_reset_once(world: Any) -> None:
    account = world.account()
    pair = world.parts.signin.begin(account)
    world.queue.clear()
    world.parts.recovery.request_reset(EMAIL)
    world.deliver()
    token = world.mailer.token()

    world.parts.recovery.reset(token, "battery staple")

    assert world.parts.signin.sign_in(email=EMAIL, password="battery staple").access
    with pytest.raises(NotAuthenticated):
        world.parts.signin.refresh(pair.refresh)
    with pytest.raises(BadRequest):
        world.parts.recovery.reset(token, "another password")


def test_the_link_of_a_mail_is_for_one_purpose(world: Any) -> None:
    world.account()
    world.deliver()

    with pytest.raises(BadRequest):
        world.parts.recovery.reset(world.mailer.token(), "battery staple")


def test_unknown_addresses_cost_the_same_and_get_no_mail(world: Any) -> None:
    world.account()
    world.deliver()
    world.mailer.mails.clear()

    world.parts.recovery.request_reset("nobody@example.com")
    asked = len(world.queue)
    world.deliver()

    assert (asked, world.mailer.mails) == (1, [])


def test_reset_mails_above_the_limit_are_silently_dropped(world: Any) -> None:
    world.mail_attempts.limit = 2

    for _ in range(5):
        world.parts.recovery.request_reset("ada@example.com")

    assert len(world.queue) == 2


def test_a_mail_that_the_queue_lost_is_sent_by_the_background_job(world: Any) -> None:
    world.account()
    world.queue.clear()
    world.clock.advance(seconds=30)

    delivered = [world.parts.account_mail.deliver_due() for _ in range(2)]

    assert (delivered, len(world.mailer.mails)) == ([1, 0], 1)


def test_a_mail_is_retried_while_the_mail_server_is_down_and_expires(world: Any) -> None:
    world.account()
    world.mailer.unavailable = True
    world.clock.advance(seconds=30)
    blocked = world.parts.account_mail.deliver_due()
    world.clock.advance(hours=7)
    world.mailer.unavailable = False

    late = world.parts.account_mail.deliver_due()

    assert (blocked, late, world.mailer.mails) == (0, 0, [])


def test_a_failing_mail_does_not_block_others(world: Any) -> None:
    """The first request has a purpose that only a newer version knows."""
    requests = world.repositories["mail"]
    world.account("eve@example.com")
    requests.add(MailRequest("0", "newer", "eve@example.com", world.clock()))
    world.clock.advance(seconds=1)
    world.account("ada@example.com")
    world.clock.advance(seconds=30)

    delivered = world.parts.account_mail.deliver_due()

    assert delivered == 2
    assert requests.get("0").attempts == 1


def test_refused_mails_do_not_delay_others(world: Any) -> None:
    for n in range(60):
        world.account(f"refused{n}@example.com")
    world.clock.advance(seconds=30)
    world.mailer.unavailable = True
    world.parts.account_mail.deliver_due()
    world.mailer.unavailable = False
    world.account("ada@example.com")
    world.clock.advance(seconds=21)
    world.mailer.mails.clear()

    delivered = [world.parts.account_mail.deliver_due() for _ in range(2)]

    assert sum(delivered) == 61
    assert "ada@example.com" in {mail.to for mail in world.mailer.mails}


def test_attempts_of_a_mail_back_off(world: Any) -> None:
    world.account()
    world.mailer.unavailable, at = True, []
    (request,) = world.repositories["mail"].find("asked").items

    for second in range(0, 3600, 5):
        before = request.attempts
        world.parts.account_mail.deliver_due()
        request = world.repositories["mail"].get(request.id)
        at += [second] if request.attempts > before else []
        world.clock.advance(seconds=5)

    assert at == [20, 35, 65, 125, 245, 485, 965, 1865, 2765]


def test_the_export_has_all_personal_data_and_no_secret(world: Any) -> None:
    account = world.account()

    held = world.parts.profile.export(account.id)

    assert held.keys() & {"password", "one_time", "events", "rev"} == set()
    assert (held["email"], held["name"], held["roles"], held["addresses"]) == (
        EMAIL,
        "Ada",
        ("customer",),
        [],
    )


def test_erasing_needs_the_password_appends_an_event_and_frees_the_address(world: Any) -> None:
    account = world.account()
    with pytest.raises(Forbidden):
        world.parts.profile.erase(account.id, "guess")

    world.parts.profile.erase(account.id, PASSWORD)

    assert event_types(world, account) == ["account.erased"]
    with pytest.raises(NotAuthenticated):
        world.parts.profile.me(account.id)
    assert world.account().id != account.id


def test_only_orphaned_claims_are_released(world: Any) -> None:
    account = world.account()
    emails = world.repositories["email"]
    emails.add(EmailClaim(EmailClaim.id_of("lost@example.com"), "no-such-account", world.clock()))
    early = world.parts.cleanup.release_orphaned_claims()
    world.clock.advance(minutes=11)

    freed = world.parts.cleanup.release_orphaned_claims()

    assert (early, freed) == (0, 1)
    assert emails.get(EmailClaim.id_of(account.email)).account_id == account.id
    with pytest.raises(NotFound):
        emails.get(EmailClaim.id_of("lost@example.com"))


def test_expired_families_are_deleted(world: Any) -> None:
    world.parts.signin.begin(world.account())
    world.clock.advance(days=31)

    assert (world.parts.cleanup.delete_expired(), world.repositories["family"].count()) == (1, 0)


def test_staff_get_a_session_and_customers_do_not(world: Any) -> None:
    world.account()
    world.parts.staff.create_staff(email="boss@example.com", password=PASSWORD, role="admin")

    secret, _ = world.parts.staff.sign_in(email="boss@example.com", password=PASSWORD)

    assert world.parts.staff.exchange(secret)["user"]["email"] == "boss@example.com"
    with pytest.raises(NotAuthenticated):
        world.parts.staff.sign_in(email=EMAIL, password=PASSWORD)


@pytest.mark.parametrize("end", ["sign out", "deactivate", "password", "time", "roles"])
def test_a_staff_session_ends(world: Any, end: str) -> None:
    boss = world.parts.staff.create_staff(email="boss@example.com", password=PASSWORD, role="admin")
    secret, _ = world.parts.staff.sign_in(email="boss@example.com", password=PASSWORD)
    ways = {
        "sign out": lambda: world.parts.staff.sign_out(secret),
        "deactivate": lambda: world.parts.accounts.update(boss.id, lambda a: a.deactivate(world.clock())),
        "password": lambda: world.parts.profile.change_password(boss.id, old=PASSWORD, new="battery staple"),
        "time": lambda: world.clock.advance(hours=13),
        "roles": lambda: world.parts.accounts.update(boss.id, lambda a: a.set_roles(())),
    }

    ways[end]()

    assert world.parts.staff.exchange(secret) is None


def test_creating_staff_twice_changes_nothing(world: Any) -> None:
    first = world.parts.staff.create_staff(email="boss@example.com", password=PASSWORD, role="admin")
    secret, _ = world.parts.staff.sign_in(email="boss@example.com", password=PASSWORD)

    again = world.parts.staff.create_staff(email="boss@example.com", password=PASSWORD, role="admin")

    assert (again.rev, again.roles) == (first.rev, ("customer", "admin"))
    assert world.parts.staff.exchange(secret) is not None


def test_a_customer_who_becomes_staff_gets_role_and_password(world: Any) -> None:
    account = world.account()

    made = world.parts.staff.create_staff(email=EMAIL, password="battery staple", role="manager")

    assert (made.id, made.roles) == (account.id, ("customer", "manager"))
    assert world.parts.staff.sign_in(email=EMAIL, password="battery staple")[1].id == account.id
