from datetime import UTC, datetime, timedelta

import pytest

from cart.domain import Cart, ClaimRefused, Coupon, LineNotFound, Money, Offer, RuleViolation, price_cart

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def offer(sku="cup", amount=1200, availability="in_stock"):
    return Offer(sku, f"p-{sku}", sku.title(), sku, Money(amount), availability)


def cart(**quantities):
    made = Cart.for_guest("g1", NOW)
    for sku, quantity in quantities.items():
        made.add(offer(sku), quantity, NOW)
    return made


def content(made):
    return {line.sku: line.quantity for line in made.lines}


def test_adding_the_same_sku_increases_its_quantity():
    made = cart(cup=2)

    new = made.add(offer(), 3, NOW)

    assert not new
    assert content(made) == {"cup": 5}
    assert made.version == 2


def test_a_line_never_holds_more_than_99():
    made = cart(cup=60)

    with pytest.raises(RuleViolation) as refused:
        made.add(offer(), 40, NOW)

    assert refused.value.type == "quantity-limit"
    assert content(made) == {"cup": 60}


def test_a_cart_never_holds_more_than_100_lines():
    made = cart(**{f"s{n}": 1 for n in range(100)})

    with pytest.raises(RuleViolation) as refused:
        made.add(offer("one-more"), 1, NOW)

    assert refused.value.type == "cart-full"


def test_a_restored_line_adds_to_the_line_in_the_cart():
    made = cart(cup=2, pot=1)

    made.save_for_later("cup", NOW)
    made.add(offer(), 1, NOW)
    made.restore("cup", NOW)

    assert content(made) == {"pot": 1, "cup": 3}
    assert made.saved == []


def test_a_missing_line_cannot_be_changed():
    made = cart(cup=1)

    for change in (made.remove, made.save_for_later, made.restore):
        with pytest.raises(LineNotFound):
            change("pot", NOW)


def test_a_merge_adds_up_to_the_limit_and_happens_once():
    account, guest = Cart.for_account("a1", NOW), cart(cup=60, pot=1)
    account.add(offer(), 50, NOW)

    account.merge(guest, NOW)
    account.merge(guest, NOW)

    assert content(account) == {"cup": 99, "pot": 1}
    assert account.merged_from == ["g1"]


def test_a_merge_saves_lines_that_do_not_fit_for_later():
    account, guest = Cart.for_account("a1", NOW), cart(cup=2)
    for number in range(100):
        account.add(offer(f"s{number}"), 1, NOW)

    account.merge(guest, NOW)

    assert len(account.lines) == 100
    assert [(line.sku, line.quantity) for line in account.saved] == [("cup", 2)]


def test_a_guests_cart_is_merged_into_one_account_only():
    guest = cart(cup=1)

    assert guest.close_for_merge("a1-cart", NOW)
    assert guest.close_for_merge("a1-cart", NOW)
    assert not guest.close_for_merge("a2-cart", NOW)
    assert not Cart.for_account("a1", NOW).close_for_merge("a1-cart", NOW)


def test_one_live_order_holds_a_version():
    made = cart(cup=1)
    made.claim("o1", 1)
    made.claim("o1", 1)

    with pytest.raises(ClaimRefused) as refused:
        made.claim("o2", 1)

    assert refused.value.type == "cart-claimed"
    assert made.version == 1


def test_after_an_unclaim_only_other_orders_can_claim():
    made = cart(cup=1)
    made.claim("o1", 1)

    made.unclaim("o1")
    made.unclaim("o1")
    made.claim("o2", 1)

    with pytest.raises(ClaimRefused) as refused:
        made.claim("o1", 1)
    assert refused.value.type == "cart-claimed"


def test_an_old_version_cannot_be_claimed():
    made = cart(cup=1)
    made.set_quantity("cup", 2, NOW)

    with pytest.raises(ClaimRefused) as refused:
        made.claim("o1", 1)

    assert refused.value.type == "cart-changed"


def test_ordered_units_are_removed_once_and_nothing_else():
    made = cart(cup=2, pot=1)
    made.claim("o1", made.version)
    made.add(offer("cup"), 3, NOW)

    first = made.remove_ordered("o1", {"cup": 2, "pot": 1, "gone": 4}, NOW)
    again = made.remove_ordered("o1", {"cup": 2, "pot": 1}, NOW)

    assert (first, again) == (True, False)
    assert content(made) == {"cup": 3}
    assert made.claims == {}


def test_a_restarted_order_removes_its_units_once():
    made = cart(cup=4)

    made.remove_ordered("HM-1.2", {"cup": 1}, NOW)
    made.remove_ordered("HM-1", {"cup": 1}, NOW)

    assert content(made) == {"cup": 3}


def test_prices_are_current_and_a_change_has_a_notice():
    made = cart(cup=2, pot=1)

    priced = price_cart(made, {"cup": offer("cup", 1500), "pot": offer("pot", 1000, "out")}, None, NOW)

    assert [line.notice for line in priced.lines] == [
        "The price went up from €12.00 to €15.00 since you added it.",
        "Out of stock just now. The price went down from €12.00 to €10.00 since you added it.",
    ]
    assert (priced.subtotal, priced.total, priced.count) == (Money(4000), Money(4000), 3)


def test_without_the_catalogue_the_last_seen_prices_have_a_notice():
    made = cart(cup=2)
    made.refresh_offers({"cup": offer("cup", 1300)})

    (line,) = price_cart(made, None, None, NOW).lines

    assert line.unit_price == Money(1300)
    assert line.notice == (
        "The price went up from €12.00 to €13.00 since you added it. Prices may be a few minutes old."
    )


def test_an_item_no_longer_sold_is_out_and_has_a_notice():
    (line,) = price_cart(cart(cup=1), {}, None, NOW).lines

    assert (line.availability, line.notice) == ("out", "This is not for sale any more.")


@pytest.mark.parametrize(
    ("coupon", "off"),
    [
        (Coupon("A", percent=10), 333),
        (Coupon("A", amount_off=500), 500),
        (Coupon("A", amount_off=50000), 3333),
        (Coupon("A", amount_off=500, minimum=4000), 0),
        (Coupon("A", percent=10, active=False), 0),
        (Coupon("A", percent=10, ends_at=NOW), 0),
        (Coupon("A", percent=10, starts_at=NOW + timedelta(seconds=1)), 0),
        (Coupon("A", percent=10, currency="USD"), 0),
    ],
)
def test_a_coupon_discounts_within_its_conditions(coupon, off):
    made = Cart.for_guest("g1", NOW)
    made.add(offer("cup", 3333), 1, NOW)

    priced = price_cart(made, None, coupon, NOW)

    assert (priced.discount, priced.total) == (Money(off), Money(3333 - off))


def test_only_the_newest_responses_are_stored():
    made = cart()
    from cart.domain import StoredResponse

    for number in range(60):
        made.store_response(f"k{number}", StoredResponse("f", 201))

    assert list(made.answers) == [f"k{number}" for number in range(10, 60)]


@pytest.mark.parametrize(
    "bad",
    [
        Coupon("spring", percent=10),
        Coupon("X", percent=10),
        Coupon("NONE"),
        Coupon("BOTH", percent=10, amount_off=500),
        Coupon("MUCH", percent=101),
        Coupon("LESS", amount_off=-1),
        Coupon("BACK", percent=10, starts_at=NOW, ends_at=NOW),
    ],
    ids=lambda coupon: coupon.id,
)
def test_an_invalid_coupon_is_refused(bad):
    with pytest.raises(RuleViolation):
        bad.validate()
