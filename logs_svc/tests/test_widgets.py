"""Conversion of widgets: attribution, figures, and confidence intervals."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import NOW
from test_services import ORDER, envelope

from chassis.testing.identity import staff
from logs.domain import IncomingEvent, Rollup
from logs.domain.significance import difference, rate, wilson
from logs.domain.widgets import BUCKETS, MAX_WIDGETS, Tally, Widgets
from logs.services import Days, Visitor

TODAY = Days(NOW.date(), NOW.date())
STEPS = ("impression", "click", "add_to_cart", "purchase")


def send(world, *types, session="s1", product="p1", shelf=None, **more):
    data = {"shelf": shelf, **more} if shelf else {}
    events = [{"type": type, "product_id": product, "data": data} for type in types]
    answer = world.parts.intake.events_accept(events, Visitor(session=session, consented=session is not None))
    assert answer.rejected == []
    world.parts.flusher.flush()


def figures(world, days=TODAY):
    """Return (shelf, variant, shown, clicked, added, bought) tuples, the most shown first."""
    found = world.parts.stats.widgets(days).widgets
    return [(one.shelf, one.variant, *(one.counts[step] for step in STEPS)) for one in found]


def buy(world, session="s1", product="p1", id="e1", at=None):
    line = {"sku": "cup", "product_id": product, "quantity": 2, "unit_price": 1200}
    event = envelope("order.confirmed", {**ORDER, "session_id": session, "lines": [line]}, id=id)
    return world.parts.event_handlers.order_confirmed(replace(event, at=at or world.now))


def test_a_purchase_is_credited_to_the_clicked_shelf(world):
    send(world, "impression", "click", shelf="goes-with")
    send(world, "impression", product="p2", shelf="goes-with")
    send(world, "add_to_cart")
    world.now += timedelta(hours=1)

    buy(world)

    assert figures(world) == [("goes-with", "", 2, 1, 1, 1)]


def test_a_click_and_its_addition_may_share_a_batch(world):
    events = [
        {"type": "click", "product_id": "p1", "data": {"shelf": "sale"}},
        {"type": "add_to_cart", "product_id": "p1"},
    ]
    world.parts.intake.events_accept(events, Visitor(session="s1"))

    assert figures(world) == [("sale", "", 0, 1, 1, 0)]


def test_only_the_visitors_last_click_on_the_product_counts(world):
    send(world, "click", shelf="trending")
    world.now += timedelta(minutes=1)
    send(world, "click", shelf="goes-with")
    send(world, "click", shelf="sale", session="s2")
    send(world, "click", shelf="sale", product="p2")

    send(world, "add_to_cart")
    send(world, "add_to_cart", product="p3")

    assert sorted(figures(world)) == [
        ("goes-with", "", 0, 1, 1, 0), ("sale", "", 0, 2, 0, 0), ("trending", "", 0, 1, 0, 0),
    ]  # fmt: skip


def test_a_late_click_does_not_replace_a_newer_one(world):
    send(world, "click", shelf="goes-with")
    older = {"type": "click", "product_id": "p1", "data": {"shelf": "sale"}}
    older["at"] = (world.now - timedelta(hours=2)).isoformat()
    world.parts.intake.events_accept([older], Visitor(session="s1"))

    send(world, "add_to_cart")

    assert sorted(figures(world)) == [("goes-with", "", 0, 1, 1, 0), ("sale", "", 0, 1, 0, 0)]


@pytest.mark.parametrize(("hours", "bought"), [(24, 1), (24.01, 0), (-0.01, 0)])
def test_a_purchase_is_credited_for_24_hours_after_the_click(world, hours, bought):
    send(world, "click", shelf="goes-with")

    buy(world, at=world.now + timedelta(hours=hours))

    days = Days(NOW.date() - timedelta(days=1), NOW.date() + timedelta(days=2))
    assert figures(world, days) == [("goes-with", "", 0, 1, 0, bought)]


def test_a_click_of_last_month_is_found(world):
    world.now = NOW.replace(day=31, hour=23, minute=59)
    send(world, "click", shelf="goes-with")
    world.now += timedelta(minutes=2)

    send(world, "add_to_cart")

    assert figures(world, Days(NOW.date(), world.now.date())) == [("goes-with", "", 0, 1, 1, 0)]


def test_a_repeated_purchase_event_counts_once(world):
    send(world, "click", shelf="goes-with")

    outcomes = [buy(world), buy(world)]

    assert outcomes == ["done", "duplicate"]
    assert figures(world) == [("goes-with", "", 0, 1, 0, 1)]


def test_visitors_without_consent_are_counted_separately_and_not_credited(world):
    send(world, "impression", "click", "add_to_cart", session=None, shelf="goes-with")
    send(world, "impression", shelf="goes-with")

    (found,) = world.parts.stats.widgets(TODAY).widgets

    assert found.counts == {"impression": 1, "click": 0, "add_to_cart": 0, "purchase": 0}
    assert found.anonymous == {"impression": 1, "click": 1}


def test_figures_are_the_same_in_deltas_days_and_months(world):
    world.now = NOW - timedelta(days=20)
    send(world, "impression", "click", "add_to_cart", shelf="for-you", variant="personal")
    february = Days(world.now.date().replace(day=1), world.now.date().replace(day=28))
    before = figures(world, february)

    world.parts.maintenance.rollups_merge(all=True)
    of_days = figures(world, february)
    world.now = NOW + timedelta(days=10)
    closed = world.parts.maintenance.months_close()

    assert closed == ["2026-02"]
    assert before == of_days == figures(world, february) == [("for-you", "personal", 1, 1, 1, 0)]


def test_an_erased_account_leaves_no_click(world):
    world.parts.intake.events_accept(
        [{"type": "click", "product_id": "p1", "data": {"shelf": "sale"}}], Visitor(user="a1", session="s1")
    )
    send(world, "click", shelf="sale", session="s2")
    keys = world.parts.registry.open("seen-2026-03")

    def clicks():
        return sorted(row["id"] for row in keys.all_docs({}) if row["id"].startswith("clicked:"))

    before = clicks()
    world.parts.event_handlers.account_erased(envelope("account.erased", {"account_id": "a1"}, source="auth"))

    assert (len(before), len(clicks())) == (2, 1)
    assert "s1" not in str(before)
    send(world, "add_to_cart")
    send(world, "add_to_cart", session="s2")
    assert figures(world) == [("sale", "", 0, 2, 1, 0)]


def test_invented_shelves_are_trimmed():
    widgets = Widgets()
    for number in range(2 * MAX_WIDGETS + 1):
        events = IncomingEvent(
            "impression", "2026-03-10T01:00:00.000Z", session="s1", data={"shelf": f"x{number}"}
        )
        widgets.add(events)
    widgets.add(events)

    widgets.trim(2)

    assert len(widgets.tallies) == MAX_WIDGETS
    assert (f"x{2 * MAX_WIDGETS}", "") in widgets.tallies


def test_a_shelf_may_have_any_name(world):
    for name in ("__proto__", "constructor", "<b>"):
        send(world, "impression", shelf=name, variant=name)
    world.parts.maintenance.rollups_merge(all=True)

    assert [row[:3] for row in figures(world)] == [
        (name, name, 1) for name in ("<b>", "__proto__", "constructor")
    ]


def test_a_rollup_without_widgets_is_read():
    stored = Rollup().to_document()
    del stored["widgets"]

    assert Rollup.from_document(stored) == Rollup()


# -- how sure


def test_wilson_intervals_match_the_literature():
    """Compare with Newcombe 1998, table I, for 15 of 148 and 0 of 20."""
    assert wilson(15 / 148, 148, z=1.959964) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0.0, 20, z=1.959964) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_differences_match_newcombe():
    """Compare with example (a) of Newcombe 1998 (on differences), method 10: 48 of 80 and 56 of 70."""
    one, two = [(8, 5)] * 8 + [(8, 4)] * 2, [(7, 6)] * 6 + [(7, 5)] * 4

    found = difference(one, two, 1, z=1.959964)

    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found.significant is True


def visits(random_, number, click):
    """Simulate visitors who see ten widgets each and differ in how often they click."""
    tally = Tally()
    for visitor in range(number):
        name = f"{random_.random()}-{visitor}"
        fond = random_.choice([0.0, 0.0, 0.0, 4 * click])
        for _ in range(10):
            tally.add("impression", name)
            if random_.random() < fond:
                tally.add("click", name)
    return tally.buckets


def test_equal_variants_differ_significantly_in_about_one_of_twenty():
    random_ = random.Random(7)  # noqa: S311 - a simulation
    pairs = [(visits(random_, 300, 0.1), visits(random_, 300, 0.1)) for _ in range(200)]

    wrong = sum(difference(*pair, 1).significant for pair in pairs)
    naive = sum(_differs(difference([_as_one_bucket(one)], [_as_one_bucket(two)], 1)) for one, two in pairs)

    assert wrong <= 16  # 8 % of 200
    assert naive > 2 * wrong  # what would come of taking impressions for independent


def _differs(found):
    return found.low > 0 or found.high < 0


def _as_one_bucket(buckets):
    return tuple(sum(column) for column in zip(*buckets, strict=True))


def test_different_variants_are_significant():
    random_ = random.Random(8)  # noqa: S311 - a simulation

    found = difference(visits(random_, 2000, 0.05), visits(random_, 2000, 0.1), 1)

    assert found.significant is True
    assert found.low > 0
    assert found.difference == pytest.approx(0.05, abs=0.012)


def test_few_visitors_give_no_significance():
    one, two = Tally(), Tally()
    for _ in range(500):
        one.add("impression", "s1")
        two.add("impression", "s2")
        two.add("click", "s2")

    found = difference(one.buckets, two.buckets, 1)

    assert found.difference == 1.0
    assert found.significant is None


def test_without_impressions_there_is_no_rate():
    assert rate(Tally().buckets, 1) is None
    assert len(Tally().buckets) == BUCKETS
    assert rate([(0, 3)], 1) is None
    assert rate([(2, 3)], 1).rate == 1.0


# -- as it is answered


def test_the_api_returns_shelves_and_compares_variants(client, world):
    for number in range(40):
        variant = "personal" if number % 2 else "trending"
        send(world, *["impression"] * 5, shelf="for-you", variant=variant, session=f"s{number}")
    send(world, "click", shelf="for-you", variant="personal")
    send(world, "impression", shelf="sale", session=None)

    answer = client.get(
        "/api/logs/stats/widgets?from=2026-03-10&to=2026-03-10", headers=staff("logs.event.read")
    ).json()

    first, second, sale = answer["results"]
    assert [(each["shelf"], each["variant"], each["impressions"]) for each in (first, second, sale)] == [
        ("for-you", "personal", 100), ("for-you", "trending", 100), ("sale", "", 0),
    ]  # fmt: skip
    assert (first["clicks"], first["add_to_cart"], first["purchases"]) == (1, 0, 0)
    assert sale["anonymous"] == {"impressions": 1, "clicks": 0}
    assert sale["rates"] == {"clicks": None, "add_to_cart": None, "purchases": None}
    assert first["rates"]["clicks"]["rate"] == 0.01
    assert 0 < first["rates"]["clicks"]["low"] < 0.01 < first["rates"]["clicks"]["high"] < 0.1
    (comparison,) = answer["comparisons"]
    assert (comparison["shelf"], comparison["variants"]) == ("for-you", ["personal", "trending"])
    clicks = comparison["differences"]["clicks"]
    assert (clicks["difference"], clicks["significant"]) == (-0.01, False)
    assert clicks["low"] < -0.01 < 0 < clicks["high"]
