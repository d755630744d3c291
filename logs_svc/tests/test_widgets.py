"""What shelves led to: attribution, figures, and how sure they are."""

import random
from dataclasses import replace
from datetime import timedelta

import pytest
from conftest import NOW
from test_services import ORDER, envelope

from chassis.testing.identity import staff
from logs.domain import Rollup, Told
from logs.domain.significance import difference, rate, wilson
from logs.domain.widgets import BUCKETS, KEPT, Tally, Widgets
from logs.services import Days, Visitor

TODAY = Days(NOW.date(), NOW.date())
STEPS = ("impression", "click", "add_to_cart", "purchase")


def tell(world, *types, session="s1", product="p1", shelf=None, **more):
    data = {"shelf": shelf, **more} if shelf else {}
    told = [{"type": type, "product_id": product, "data": data} for type in types]
    answer = world.parts.intake.events_accept(told, Visitor(session=session, consented=session is not None))
    assert answer.rejected == []
    world.parts.drain.drain()


def figures(world, days=TODAY):
    """(shelf, variant, shown, clicked, added, bought), the most shown first."""
    found = world.parts.stats.widgets(days).widgets
    return [(one.shelf, one.variant, *(one.counts[step] for step in STEPS)) for one in found]


def buy(world, session="s1", product="p1", id="e1", at=None):
    line = {"sku": "cup", "product_id": product, "quantity": 2, "unit_price": 1200}
    fact = envelope("order.confirmed", {**ORDER, "session_id": session, "lines": [line]}, id=id)
    return world.parts.facts.order_confirmed(replace(fact, at=at or world.now))


def test_what_was_clicked_in_a_shelf_and_bought_is_credited_to_it(world):
    tell(world, "impression", "click", shelf="goes-with")
    tell(world, "impression", product="p2", shelf="goes-with")
    tell(world, "add_to_cart")
    world.now += timedelta(hours=1)

    buy(world)

    assert figures(world) == [("goes-with", "", 2, 1, 1, 1)]


def test_a_batch_may_have_the_click_and_what_followed(world):
    told = [
        {"type": "click", "product_id": "p1", "data": {"shelf": "sale"}},
        {"type": "add_to_cart", "product_id": "p1"},
    ]
    world.parts.intake.events_accept(told, Visitor(session="s1"))

    assert figures(world) == [("sale", "", 0, 1, 1, 0)]


def test_the_last_click_counts_and_other_products_and_visitors_do_not(world):
    tell(world, "click", shelf="trending")
    world.now += timedelta(minutes=1)
    tell(world, "click", shelf="goes-with")
    tell(world, "click", shelf="sale", session="s2")
    tell(world, "click", shelf="sale", product="p2")

    tell(world, "add_to_cart")
    tell(world, "add_to_cart", product="p3")

    assert sorted(figures(world)) == [
        ("goes-with", "", 0, 1, 1, 0), ("sale", "", 0, 2, 0, 0), ("trending", "", 0, 1, 0, 0),
    ]  # fmt: skip


def test_a_click_that_comes_late_does_not_replace_a_newer_one(world):
    tell(world, "click", shelf="goes-with")
    older = {"type": "click", "product_id": "p1", "data": {"shelf": "sale"}}
    older["at"] = (world.now - timedelta(hours=2)).isoformat()
    world.parts.intake.events_accept([older], Visitor(session="s1"))

    tell(world, "add_to_cart")

    assert sorted(figures(world)) == [("goes-with", "", 0, 1, 1, 0), ("sale", "", 0, 1, 0, 0)]


@pytest.mark.parametrize(("hours", "bought"), [(24, 1), (24.01, 0), (-0.01, 0)])
def test_a_purchase_is_credited_for_24_hours_after_the_click(world, hours, bought):
    tell(world, "click", shelf="goes-with")

    buy(world, at=world.now + timedelta(hours=hours))

    days = Days(NOW.date() - timedelta(days=1), NOW.date() + timedelta(days=2))
    assert figures(world, days) == [("goes-with", "", 0, 1, 0, bought)]


def test_a_click_of_last_month_is_found(world):
    world.now = NOW.replace(day=31, hour=23, minute=59)
    tell(world, "click", shelf="goes-with")
    world.now += timedelta(minutes=2)

    tell(world, "add_to_cart")

    assert figures(world, Days(NOW.date(), world.now.date())) == [("goes-with", "", 0, 1, 1, 0)]


def test_a_purchase_told_again_counts_once(world):
    tell(world, "click", shelf="goes-with")

    outcomes = [buy(world), buy(world)]

    assert outcomes == ["done", "duplicate"]
    assert figures(world) == [("goes-with", "", 0, 1, 0, 1)]


def test_people_who_did_not_agree_are_counted_apart_and_credited_to_nothing(world):
    tell(world, "impression", "click", "add_to_cart", session=None, shelf="goes-with")
    tell(world, "impression", shelf="goes-with")

    (found,) = world.parts.stats.widgets(TODAY).widgets

    assert found.counts == {"impression": 1, "click": 0, "add_to_cart": 0, "purchase": 0}
    assert found.anonymous == {"impression": 1, "click": 1}


def test_figures_are_the_same_in_deltas_days_and_months(world):
    world.now = NOW - timedelta(days=20)
    tell(world, "impression", "click", "add_to_cart", shelf="for-you", variant="personal")
    february = Days(world.now.date().replace(day=1), world.now.date().replace(day=28))
    before = figures(world, february)

    world.parts.keeper.rollups_merge(all=True)
    of_days = figures(world, february)
    world.now = NOW + timedelta(days=10)
    closed = world.parts.keeper.months_close()

    assert closed == ["2026-02"]
    assert before == of_days == figures(world, february) == [("for-you", "personal", 1, 1, 1, 0)]


def test_an_erased_account_leaves_no_click(world):
    world.parts.intake.events_accept(
        [{"type": "click", "product_id": "p1", "data": {"shelf": "sale"}}], Visitor(user="a1", session="s1")
    )
    tell(world, "click", shelf="sale", session="s2")
    keys = world.parts.registry.open("seen-2026-03")

    def clicks():
        return sorted(row["id"] for row in keys.all_docs({}) if row["id"].startswith("clicked:"))

    before = clicks()
    world.parts.facts.account_erased(envelope("account.erased", {"account_id": "a1"}, source="auth"))

    assert (len(before), len(clicks())) == (2, 1)
    assert "s1" not in str(before)
    tell(world, "add_to_cart")
    tell(world, "add_to_cart", session="s2")
    assert figures(world) == [("sale", "", 0, 2, 1, 0)]


def test_made_up_shelves_do_not_fill_a_day():
    widgets = Widgets()
    for number in range(2 * KEPT + 1):
        told = Told("impression", "2026-03-10T01:00:00.000Z", session="s1", data={"shelf": f"x{number}"})
        widgets.add(told)
    widgets.add(told)

    widgets.trim(2)

    assert len(widgets.tallies) == KEPT
    assert (f"x{2 * KEPT}", "") in widgets.tallies


def test_a_shelf_may_have_any_name(world):
    for name in ("__proto__", "constructor", "<b>"):
        tell(world, "impression", shelf=name, variant=name)
    world.parts.keeper.rollups_merge(all=True)

    assert [row[:3] for row in figures(world)] == [
        (name, name, 1) for name in ("<b>", "__proto__", "constructor")
    ]


def test_a_day_of_before_the_shelves_is_read():
    stored = Rollup().stored()
    del stored["widgets"]

    assert Rollup.read(stored) == Rollup()


# -- how sure


def test_an_interval_of_independent_tries_is_wilsons():
    """Numbers of Newcombe 1998, table I, for 15 of 148 and 0 of 20."""
    assert wilson(15 / 148, 148, z=1.959964) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0.0, 20, z=1.959964) == pytest.approx((0.0, 0.1611), abs=5e-5)


def test_a_difference_of_independent_tries_is_newcombes():
    """48 of 80 and 56 of 70: example (a) of Newcombe 1998 (on differences), method 10."""
    one, two = [(8, 5)] * 8 + [(8, 4)] * 2, [(7, 6)] * 6 + [(7, 5)] * 4

    found = difference(one, two, 1, z=1.959964)

    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert found.significant is True


def visits(random_, number, click):
    """Tallies of visitors who see ten things each and are more or less fond of clicking."""
    tally = Tally()
    for visitor in range(number):
        name = f"{random_.random()}-{visitor}"
        fond = random_.choice([0.0, 0.0, 0.0, 4 * click])
        for _ in range(10):
            tally.add("impression", name)
            if random_.random() < fond:
                tally.add("click", name)
    return tally.buckets


def test_of_equal_variants_about_one_in_twenty_is_called_different():
    random_ = random.Random(7)  # noqa: S311 - a simulation
    pairs = [(visits(random_, 300, 0.1), visits(random_, 300, 0.1)) for _ in range(200)]

    wrong = sum(difference(*pair, 1).significant for pair in pairs)
    naive = sum(_apart(difference([_whole(one)], [_whole(two)], 1)) for one, two in pairs)

    assert wrong <= 16  # 8 % of 200
    assert naive > 2 * wrong  # what would come of taking impressions for independent


def _apart(found):
    return found.low > 0 or found.high < 0


def _whole(buckets):
    return tuple(sum(column) for column in zip(*buckets, strict=True))


def test_variants_that_differ_are_told_apart():
    random_ = random.Random(8)  # noqa: S311 - a simulation

    found = difference(visits(random_, 2000, 0.05), visits(random_, 2000, 0.1), 1)

    assert found.significant is True
    assert found.low > 0
    assert found.difference == pytest.approx(0.05, abs=0.012)


def test_a_few_visitors_prove_nothing():
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


def test_the_api_answers_shelves_and_what_of_their_variants_differs(client, world):
    for number in range(40):
        variant = "personal" if number % 2 else "trending"
        tell(world, *["impression"] * 5, shelf="for-you", variant=variant, session=f"s{number}")
    tell(world, "click", shelf="for-you", variant="personal")
    tell(world, "impression", shelf="sale", session=None)

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
