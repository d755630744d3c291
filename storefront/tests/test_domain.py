"""Presentation of the services' responses."""

from __future__ import annotations

import json

import pytest

from shop.domain import cart, checkout, listing, orders, products
from shop.domain.listing import ListingQuery
from shop.domain.money import format_money, format_plain_amount, parse_price

EUR = "EUR"


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "shown"),
    [
        (8900, EUR, "en-IE", "€89.00"),
        (123450, EUR, "en-IE", "€1,234.50"),
        (123450, EUR, "nl-BE", "€1.234,50"),
        (123450, EUR, "fr-FR", "1\u202f234,50\u00a0€"),
        (5, EUR, "de-DE", "0,05\u00a0€"),
        (-250, EUR, "en", "-€2.50"),
        (1000, "JPY", "en", "¥1,000"),
        (1000, "CHF", "en", "CHF\u00a010.00"),
    ],
)
def test_a_price_is_formatted_for_the_locale(amount: int, currency: str, locale: str, shown: str) -> None:
    assert format_money({"amount": amount, "currency": currency}, locale) == shown


def test_a_plain_amount_has_a_point_and_no_symbol() -> None:
    assert format_plain_amount({"amount": 8905, "currency": EUR}) == "89.05"


@pytest.mark.parametrize(
    ("typed", "amount"),
    [("12", 1200), ("12,5", 1250), ("€ 9.99", 999), ("x", None), ("-1", None), ("NaN", None), ("1e9", None)],
)
def test_a_typed_price_is_parsed_or_ignored(typed: str, amount: int | None) -> None:
    assert parse_price(typed) == amount


def test_a_picture_offers_webp_first_and_a_middle_size_as_fallback() -> None:
    image = {
        "alt": "A lamp",
        "renditions": [
            {"url": "/media/l.webp", "width": 320, "height": 320, "format": "webp"},
            {"url": "/media/s.jpg", "width": 320, "height": 320, "format": "jpeg"},
            {"url": "/media/m.jpg", "width": 640, "height": 640, "format": "jpeg"},
            {"url": "javascript:alert(1)", "width": 1, "height": 1, "format": "jpeg"},
        ],
    }

    assert products.present_picture(image) == {
        "src": "/media/m.jpg",
        "width": 640,
        "height": 640,
        "alt": "A lamp",
        "srcset": "/media/s.jpg 320w, /media/m.jpg 640w",
        "sources": [{"type": "image/webp", "srcset": "/media/l.webp 320w"}],
        "largest": "/media/m.jpg",
    }


def test_structured_data_cannot_end_its_script_element() -> None:
    raw = {"title": "</script><b>&", "slug": "x", "variants": [], "images": []}

    text = products.structured_data(raw, "https://shop.example")

    assert "<" not in text
    assert json.loads(text)[0]["name"] == "</script><b>&"


def test_a_list_page_ignores_unknown_parameters() -> None:
    items = [
        ("brand", "Vela"),
        ("brand", "Lumen"),
        ("attr.colour", "Black"),
        ("min_price", "12,50"),
        ("max_price", "cheap"),
        ("sort", "random"),
        ("on_sale", "yes"),
        ("limit", "9999"),
        ("utm_source", "mail"),
        ("cursor", "abc"),
    ]

    query = ListingQuery.parse("/search", items)

    assert query.params() == [
        ("limit", "24"),
        ("brand", "Vela"),
        ("brand", "Lumen"),
        ("attr.colour", "Black"),
        ("min_price", "1250"),
        ("sort", "popular"),
        ("cursor", "abc"),
    ]


def test_each_active_filter_can_be_removed_alone() -> None:
    query = ListingQuery.parse("/search", [("q", "lamp"), ("brand", "Vela"), ("max_price", "20")])

    chips = listing.present_chips(query, "en")

    assert chips == [
        {"label": "Vela", "url": "/search?q=lamp&max_price=20"},
        {"label": "Up to €20.00", "url": "/search?q=lamp&brand=Vela"},
    ]


def test_the_catalogues_price_steps_become_links_in_euros() -> None:
    raw = {
        "price": [
            {"value": "0-2499", "label": "Under €25", "count": 2},
            {"value": "5000-", "label": "More", "count": 1},
        ]
    }

    steps = listing.price_facet(raw, ListingQuery.parse("/search", [("min_price", "3")]))["steps"]

    assert [step["url"] for step in steps] == ["/search?max_price=24.99", "/search?min_price=50"]


def test_only_the_most_common_and_chosen_attributes_become_facets() -> None:
    both = [{"value": "x", "label": "x", "count": 1}, {"value": "y", "label": "y", "count": 1}]
    more = [{"value": "x", "label": "x", "count": 9}, {"value": "y", "label": "y", "count": 9}]
    raw = {f"attr.n{i}": more for i in range(6)} | {"attr.rare": both, "attr.chosen": both}

    names = [
        facet["name"]
        for facet in listing.present_facets(raw, ListingQuery.parse("/search", [("attr.chosen", "x")]))
    ]

    assert names == [*(f"attr.n{i}" for i in range(6)), "attr.chosen"]


def test_a_cart_with_old_prices_has_a_notice() -> None:
    line = {
        "sku": "a",
        "title": "Lamp",
        "slug": "lamp",
        "quantity": 2,
        "notice": "Prices may be a few minutes old.",
    }

    shown = cart.present_cart({"lines": [line]}, "en")

    assert shown["old_prices"] is True


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("0", 0), ("99", 99), ("100", None), ("-1", None), ("²", None)]
)
def test_only_whole_quantities_from_0_to_99_are_valid(text: str, number: int | None) -> None:
    assert cart.parse_quantity(text) == number


def test_out_of_stock_names_the_products_and_keeps_the_form() -> None:
    problem = {"type": "out-of-stock", "short": [{"sku": "a", "available": 2}, {"sku": "b", "available": 0}]}

    refusal = checkout.explain_rejection(409, problem, {"a": "Lamp", "b": "Chair"})

    assert refusal == checkout.OrderRejection(
        "Some products are not available in that quantity",
        "Of “Lamp” only 2 left; “Chair” is sold out. "
        "Change your cart, then order again. What you typed here is kept.",
        status=409,
    )


def test_an_order_in_progress_keeps_its_key() -> None:
    refusal = checkout.explain_rejection(409, {"type": "idempotency-in-progress"}, {})

    assert refusal.new_key is False


@pytest.mark.parametrize(
    "errors",
    [
        {"shipping_address": {"city": ["No."]}, "payment": {"token": ["Bad."]}},
        {"shipping_address.city": ["No."], "payment.token": ["Bad."]},
    ],
)
def test_errors_of_nested_fields_are_mapped_to_form_fields(errors: dict[str, object]) -> None:
    refusal = checkout.explain_rejection(400, {"errors": errors}, {})

    assert refusal.fields == {"city": ["No."], "card": ["Bad."]}


@pytest.mark.parametrize(
    ("action", "url"),
    [
        ({"type": "redirect", "url": "https://bank.example/3ds"}, "https://bank.example/3ds"),
        ({"url": "/api/checkout/x"}, "/api/checkout/x"),
        ({"url": "javascript:alert(1)"}, ""),
        ({"url": "//evil.example"}, ""),
        (None, ""),
    ],
)
def test_a_payment_action_must_be_a_web_address(action: object, url: str) -> None:
    assert orders.action_url(action) == url


@pytest.mark.parametrize(
    ("rate", "shown"), [(0.21, "21%"), (0.055, "5.5%"), (1.0, "100%"), (None, ""), (0, "")]
)
def test_a_tax_rate_is_shown_in_per_cent(rate: float | None, shown: str) -> None:
    assert checkout.format_percent(rate) == shown


def test_every_tax_rate_is_named_where_there_are_several() -> None:
    tax = {"amount": {"amount": 81, "currency": EUR}, "rate": None, "included": True}
    taxes = [{"rate": 0.0}, {"rate": 0.06}, {"rate": 0.21}]

    assert (
        checkout.present_totals({"tax": tax, "taxes": taxes}, "en-IE")["tax_label"]
        == "Includes VAT 6% and 21%"
    )
    assert checkout.present_totals({"tax": {**tax, "rate": 0.06}}, "en-IE")["tax_label"] == "Includes VAT 6%"


@pytest.mark.parametrize(
    ("payment", "refunds", "shown", "fulfilment"),
    [
        ("paid", [], "", "We are getting it ready"),
        ("partially_refunded", [1000, 250], "€12.50", "We are getting it ready"),
        ("refunded", [2495], "€24.95", ""),
    ],
)
def test_an_order_shows_the_sum_of_refunds(
    payment: str, refunds: list[int], shown: str, fulfilment: str
) -> None:
    raw = {
        "number": "HM-1",
        "status": "confirmed",
        "payment": {"status": payment},
        "fulfilment": {"status": "unfulfilled", "shipments": []},
        "refunds": [{"amount": {"amount": amount, "currency": EUR}} for amount in refunds],
    }

    order = orders.present_order(raw, locale="en-IE")

    assert (order["refunded"], order["fulfilment_label"]) == (shown, fulfilment)
