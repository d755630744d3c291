"""Domain rules of products, categories and stock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from catalog.domain import (
    Availability,
    Category,
    CategoryTree,
    InsufficientStock,
    Money,
    Product,
    ProductImage,
    ProductStatus,
    Rating,
    ReservationReleased,
    RuleViolation,
    Stock,
    UnknownReservation,
    Variant,
    availability_of,
    best_availability,
    is_sku,
    is_slug,
    slugify,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=15)


def stock(on_hand: int = 3) -> Stock:
    return Stock("LAMP", "p1", on_hand)


def lamp(**fields: object) -> Product:
    given = {"slug": "lamp", "title": "Lamp", "category": "lamps", "variants": [Variant("LAMP", Money(1999))]}
    return Product(id="p1", **{**given, **fields})  # type: ignore[arg-type]


def test_a_reservation_keeps_units_without_taking_them_off_the_shelf():
    shelf = stock(3)

    shelf.reserve("HM-1", 2, LATER)

    assert (shelf.on_hand, shelf.reserved, shelf.available) == (3, 2, 1)


def test_a_repeated_reservation_changes_nothing():
    shelf = stock(3)
    shelf.reserve("HM-1", 2, LATER)

    assert shelf.reserve("HM-1", 2, LATER) is False
    assert shelf.available == 1


def test_more_units_than_available_cannot_be_reserved():
    shelf = stock(3)
    shelf.reserve("HM-1", 2, LATER)

    with pytest.raises(InsufficientStock) as short:
        shelf.reserve("HM-2", 2, LATER)

    assert (short.value.sku, short.value.available, shelf.available) == ("LAMP", 1, 1)


def test_a_committed_unit_leaves_the_shelf_once():
    shelf = stock(3)
    shelf.reserve("HM-1", 2, LATER)

    shelf.commit("HM-1", NOW)
    shelf.commit("HM-1", NOW)

    assert (shelf.on_hand, shelf.reserved, shelf.available) == (1, 0, 1)


def test_a_released_order_cannot_reserve_or_commit_any_more():
    shelf = stock(3)
    shelf.reserve("HM-1", 2, LATER)
    shelf.release("HM-1", NOW)
    shelf.release("HM-1", NOW)

    for late in (lambda: shelf.reserve("HM-1", 2, LATER), lambda: shelf.commit("HM-1", NOW)):
        with pytest.raises(ReservationReleased):
            late()
    assert (shelf.on_hand, shelf.available) == (3, 3)


def test_a_release_before_the_reservation_is_remembered():
    shelf = stock(3)
    shelf.release("HM-1", NOW)

    with pytest.raises(ReservationReleased):
        shelf.reserve("HM-1", 1, LATER)


def test_units_of_a_cancelled_order_return_to_the_shelf():
    shelf = stock(3)
    shelf.reserve("HM-1", 2, LATER)
    shelf.commit("HM-1", NOW)

    shelf.release("HM-1", NOW)
    shelf.release("HM-1", NOW)

    assert (shelf.on_hand, shelf.available) == (3, 3)


def test_units_of_a_forgotten_cancelled_order_return_to_the_shelf():
    shelf = stock(3)
    shelf.reserve("HM-1", 2, LATER)
    shelf.commit("HM-1", NOW)
    shelf.prune(NOW + timedelta(hours=25))

    changed = [shelf.release("HM-1", LATER, sold=2) for _ in range(2)]

    assert (changed, shelf.on_hand, shelf.available) == ([True, False], 3, 3)


def test_an_unreserved_order_cannot_be_committed():
    with pytest.raises(UnknownReservation):
        stock().commit("HM-1", NOW)


def test_an_undone_reservation_may_be_repeated():
    shelf = stock(3)
    shelf.reserve("HM-1", 2, LATER)

    shelf.cancel_hold("HM-1")

    assert shelf.reserve("HM-1", 3, LATER) is True


def test_finished_orders_are_forgotten_after_a_day():
    shelf = stock(3)
    shelf.release("HM-1", NOW)

    shelf.prune(NOW + timedelta(hours=23))
    kept = dict(shelf.finished)
    shelf.prune(NOW + timedelta(hours=25))

    assert (list(kept), list(shelf.finished)) == (["HM-1"], [])


def test_the_count_cannot_fall_below_the_reserved_units():
    shelf = stock(3)
    shelf.reserve("HM-1", 2, LATER)

    with pytest.raises(RuleViolation, match="reserved"):
        shelf.set_on_hand(1)
    with pytest.raises(RuleViolation, match="fewer"):
        shelf.adjust(-4, "broken")


def test_availability_is_three_words():
    assert [str(availability_of(units)) for units in (-1, 0, 1, 5, 6)] == [
        "out",
        "out",
        "low",
        "low",
        "in_stock",
    ]
    assert best_availability([Availability.OUT, Availability.LOW]) is Availability.LOW
    assert best_availability([]) is Availability.OUT


def test_a_business_edit_raises_the_version_and_a_picture_does_not():
    product = lamp()
    product.create(NOW)

    product.revise({"title": "Better lamp"}, LATER)
    product.attach_image(ProductImage("i1"))
    product.attach_image(ProductImage("i1"))

    assert (product.version, product.title, len(product.images)) == (2, "Better lamp", 1)


@pytest.mark.parametrize(
    ("variants", "type"),
    [
        ([], "no-variants"),
        ([Variant("A", Money(1)), Variant("A", Money(2), {"size": "M"})], "sku-taken"),
        ([Variant("A", Money(1)), Variant("B", Money(2))], "same-attributes"),
    ],
)
def test_variants_need_different_attributes(variants, type):
    with pytest.raises(RuleViolation) as broken:
        lamp(variants=variants).create(NOW)

    assert broken.value.type == type


def test_images_are_reordered_and_removed():
    product = lamp(images=[ProductImage("a", "A"), ProductImage("b", "B"), ProductImage("c", "C")])

    product.revise({"images": [{"id": "c"}, {"id": "a", "alt": "New"}]}, NOW)

    assert [(image.id, image.alt) for image in product.images] == [("c", "C"), ("a", "New")]


def test_a_deleted_product_stays_deleted():
    product = lamp(status=ProductStatus.DELETED)

    with pytest.raises(RuleViolation):
        product.revise({"status": ProductStatus.ACTIVE}, NOW)


def test_a_lower_compare_at_price_is_no_sale():
    assert Variant("A", Money(200), compare_at_price=Money(100)).original_price is None
    assert Variant("A", Money(200), compare_at_price=Money(300)).original_price == Money(300)


def test_the_average_of_stars_has_one_decimal():
    assert (Rating(0, 0).average, Rating(14, 3).average) == (None, 4.7)


def test_a_category_is_neither_below_itself_nor_too_deep():
    tree = CategoryTree(
        [
            Category("a", "A"),
            Category("b", "B", "a"),
            Category("c", "C", "b"),
            Category("d", "D", "c"),
            Category("e", "E", "d"),
        ]
    )

    assert [c.id for c in tree.path("c")] == ["a", "b", "c"]
    for slug, parent, type in [
        ("a", "c", "category-cycle"),
        ("x", "nope", "unknown-category"),
        ("x", "e", "category-too-deep"),
    ]:
        with pytest.raises(RuleViolation) as broken:
            tree.check_parent(slug, parent)
        assert broken.value.type == type


def test_names_use_a_small_alphabet():
    assert slugify("Cook's Crème brûlée torch!") == "cooks-creme-brulee-torch"
    assert [is_slug(s) for s in ("a-b", "A", "a--b", "", "a" * 101)] == [True, False, False, False, False]
    assert [is_sku(s) for s in ("A.b_1-2", "-A", "a/b", "a" * 65)] == [True, False, False, False]
