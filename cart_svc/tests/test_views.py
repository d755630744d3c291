import pytest
from conftest import CUP, Offer

from cart.domain import Coupon, account_cart_id
from chassis.testing import bad_input
from chassis.testing.identity import bearer, service_headers
from chassis.testing.permissions import assert_every_view_declares_permissions

EUR = {"currency": "EUR"}
EMPTY = {
    "id": None,
    "lines": [],
    "saved": [],
    "coupon": None,
    "subtotal": {"amount": 0} | EUR,
    "discount": {"amount": 0} | EUR,
    "total": {"amount": 0} | EUR,
    "count": 0,
}


def add(client, sku="cup", quantity=1, cart=None, **headers):
    if cart:
        headers["X-Cart-Id"] = cart
    body = {"sku": sku, "quantity": quantity}
    return client.post("/api/cart/lines", body, content_type="application/json", headers=headers)


def get(client, cart=None, **headers):
    if cart:
        headers["X-Cart-Id"] = cart
    return client.get("/api/cart", headers=headers).json()


def content(body):
    return {line["sku"]: line["quantity"] for line in body["lines"]}


def test_without_a_cart_the_response_is_empty_and_nothing_is_stored(client, world):
    answer = client.get("/api/cart")

    assert (answer.status_code, answer.json()) == (200, EMPTY)
    assert answer["Cache-Control"] == "no-store"
    assert world.carts.count() == 0


def test_a_guests_first_line_creates_a_cart_and_returns_its_id(client):
    answer = add(client, quantity=2)

    id = answer["X-Cart-Id"]
    assert answer.status_code == 201
    assert len(id) == 32
    assert (
        answer.json()
        == get(client, id)
        == EMPTY
        | {
            "id": id,
            "lines": [
                {
                    "sku": "cup",
                    "product_id": "p1",
                    "title": "Cup",
                    "slug": "cup",
                    "image": "/media/cup.webp",
                    "attributes": {"colour": "red"},
                    "unit_price": {"amount": 1200} | EUR,
                    "quantity": 2,
                    "line_total": {"amount": 2400} | EUR,
                    "availability": "in_stock",
                    "notice": None,
                }
            ],
            "subtotal": {"amount": 2400} | EUR,
            "total": {"amount": 2400} | EUR,
            "count": 2,
        }
    )


def test_adding_again_increases_the_quantity(client):
    id = add(client)["X-Cart-Id"]

    answer = add(client, quantity=3, cart=id)

    assert (answer.status_code, content(answer.json())) == (200, {"cup": 4})
    assert answer["X-Cart-Id"] == id


def test_a_guest_cannot_choose_the_id_of_a_cart(client):
    chosen = "0" * 32

    answer = add(client, cart=chosen)

    assert answer["X-Cart-Id"] != chosen
    assert get(client, chosen) == EMPTY


def test_the_same_key_adds_once(client):
    id = add(client)["X-Cart-Id"]
    first = add(client, "pot", cart=id, **{"Idempotency-Key": "k1"})

    again = add(client, "pot", cart=id, **{"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert content(again.json()) == {"cup": 1, "pot": 1}
    assert again["Idempotent-Replay"] == "true"
    assert not first.has_header("Idempotent-Replay")


def test_the_same_key_for_another_body_is_refused(client):
    id = add(client)["X-Cart-Id"]
    add(client, "pot", cart=id, **{"Idempotency-Key": "k1"})

    answer = add(client, "pot", 2, cart=id, **{"Idempotency-Key": "k1"})

    assert bad_input.assert_problem(answer, 422)["type"] == "idempotency-key-reused"
    assert content(get(client, id)) == {"cup": 1, "pot": 1}


def test_a_refusal_replays_as_a_refusal(client, world):
    id = add(client)["X-Cart-Id"]
    first = add(client, "new", cart=id, **{"Idempotency-Key": "k1"})
    world.catalog.put(Offer("new", "p3", "New", "new", CUP.price, "in_stock"))

    again = add(client, "new", cart=id, **{"Idempotency-Key": "k1"})

    assert bad_input.assert_problem(first, 422)["type"] == "unknown-sku"
    assert bad_input.assert_problem(again, 422)["type"] == "unknown-sku"
    assert again["Idempotent-Replay"] == "true"


def test_an_unknown_sku_is_refused_and_creates_no_cart(client, world):
    for sku in ("nope", "no such sku", "a,b", "../x", ".."):
        assert bad_input.assert_problem(add(client, sku), 422)["type"] == "unknown-sku"

    assert world.carts.count() == 0


def test_more_than_99_of_one_is_refused(client):
    id = add(client, quantity=60)["X-Cart-Id"]

    answer = add(client, quantity=40, cart=id)

    assert bad_input.assert_problem(answer, 422)["type"] == "quantity-limit"
    assert content(get(client, id)) == {"cup": 60}


def test_the_101st_line_is_refused(client, world):
    world.catalog.put(*(Offer(f"s{n}", "p", "S", "s", CUP.price, "in_stock") for n in range(101)))
    id = add(client, "s0")["X-Cart-Id"]
    for number in range(1, 100):
        add(client, f"s{number}", cart=id)

    answer = add(client, "s100", cart=id)

    assert bad_input.assert_problem(answer, 422)["type"] == "cart-full"
    assert len(get(client, id)["lines"]) == 100


def test_bad_bodies_are_refused(client):
    id = add(client)["X-Cart-Id"]
    good = {"sku": "cup", "quantity": 1}
    quantities = [0, -1, 100, 1.5, "1", True, None, [], 10**30]

    bad_input.assert_refuses_bad_bodies(client, "POST", "/api/cart/lines")
    bad_input.assert_refuses_values(client, "POST", "/api/cart/lines", good, "quantity", quantities)
    bad_input.assert_refuses_values(
        client, "POST", "/api/cart/lines", good, "sku", [None, 1, "", [], "x" * 65]
    )
    bad_input.assert_refuses_values(client, "POST", "/api/cart/lines", good, "price", [1])
    bad_input.assert_refuses_values(
        client, "PATCH", "/api/cart/lines/cup", {"quantity": 1}, "quantity", quantities, HTTP_X_CART_ID=id
    )
    bad_input.assert_problem(add(client, **{"Idempotency-Key": "x" * 256}), 400)
    assert content(get(client, id)) == {"cup": 1}


def test_a_line_is_set_and_removed(client):
    id = add(client)["X-Cart-Id"]
    headers = {"X-Cart-Id": id}
    url = "/api/cart/lines/cup"

    set_to = client.patch(url, {"quantity": 7}, content_type="application/json", headers=headers)
    removed = client.delete(url, headers=headers)
    again = client.delete(url, headers=headers)

    assert (set_to.status_code, content(set_to.json())) == (200, {"cup": 7})
    assert (removed.status_code, removed.json()) == (200, EMPTY | {"id": id})
    bad_input.assert_problem(again, 404)


def test_a_missing_line_is_not_found(client):
    bad_input.assert_problem(
        client.patch("/api/cart/lines/cup", {"quantity": 1}, content_type="application/json"), 404
    )
    for bad in bad_input.BAD_IDS:
        bad_input.assert_problem(client.delete(f"/api/cart/lines/{bad}"), 404, 400)


def test_a_line_is_saved_for_later_and_restored(client):
    id = add(client, quantity=2)["X-Cart-Id"]
    headers = {"X-Cart-Id": id}

    saved = client.post("/api/cart/lines/cup/save", headers=headers)
    restored = client.post("/api/cart/saved/cup/restore", headers=headers)

    assert saved.json()["lines"] == []
    assert [(line["sku"], line["quantity"]) for line in saved.json()["saved"]] == [("cup", 2)]
    assert (saved.json()["count"], saved.json()["total"]) == (0, {"amount": 0} | EUR)
    assert (content(restored.json()), restored.json()["saved"]) == ({"cup": 2}, [])


def test_a_cart_is_emptied(client):
    id = add(client)["X-Cart-Id"]

    answer = client.delete("/api/cart", headers={"X-Cart-Id": id})

    assert (answer.status_code, answer.json()) == (200, EMPTY | {"id": id})
    assert client.delete("/api/cart").json() == EMPTY


def test_reading_a_cart_calls_the_catalogue_once(client, world):
    id = add(client)["X-Cart-Id"]
    add(client, "pot", cart=id)
    world.catalog.asked.clear()

    get(client, id)

    assert world.catalog.asked == [["cup", "pot"]]


def test_a_new_price_applies_at_once_and_has_a_notice(client, world):
    id = add(client)["X-Cart-Id"]
    world.catalog.price("cup", 1000)

    body = get(client, id)

    assert body["total"] == {"amount": 1000} | EUR
    assert body["lines"][0]["notice"] == "The price went down from €12.00 to €10.00 since you added it."


def test_with_the_catalogue_unavailable_the_last_seen_price_applies(client, world):
    id = add(client)["X-Cart-Id"]
    world.catalog.price("cup", 1000)
    version = world.carts.get(id).version
    get(client, id)
    world.catalog.available = False

    (line,) = get(client, id)["lines"]

    assert line["unit_price"] == {"amount": 1000} | EUR
    assert line["notice"].endswith("Prices may be a few minutes old.")
    assert world.carts.get(id).version == version


def test_with_the_catalogue_unavailable_known_lines_increase_and_new_ones_are_503(client, world):
    id = add(client)["X-Cart-Id"]
    world.catalog.available = False

    raised, new = add(client, cart=id), add(client, "pot", cart=id)

    assert (raised.status_code, content(raised.json())) == (200, {"cup": 2})
    assert bad_input.assert_problem(new, 503)["type"] == "catalog-away"
    assert new["Retry-After"] == "2"


def test_an_account_has_one_cart_on_every_device(client):
    add(client, **bearer(sub="a1"))

    body = get(client, **bearer(sub="a1"))

    assert (body["id"], content(body)) == (account_cart_id("a1"), {"cup": 1})
    assert get(client, **bearer(sub="a2")) == EMPTY


def test_the_id_of_an_accounts_cart_gives_no_access(client):
    first = add(client, **bearer(sub="a1"))
    id = first.json()["id"]

    assert not first.has_header("X-Cart-Id")
    assert get(client, id) == EMPTY
    assert get(client, id, **bearer(sub="a2")) == EMPTY
    assert add(client, cart=id).json()["id"] != id
    assert content(get(client, **bearer(sub="a1"))) == {"cup": 1}


def merge(client, id, sub="a1"):
    body = {"cart_id": id}
    return client.post("/api/cart/merge", body, content_type="application/json", headers=bearer(sub=sub))


def test_a_guests_cart_is_merged_into_the_accounts_once(client):
    add(client, quantity=2, **bearer(sub="a1"))
    id = add(client, quantity=3)["X-Cart-Id"]
    add(client, "pot", cart=id)

    first, again = merge(client, id), merge(client, id)

    assert (first.status_code, content(first.json())) == (200, {"cup": 5, "pot": 1})
    assert again.json() == first.json()
    assert get(client, id) == EMPTY


def test_repeating_an_interrupted_merge_completes_it(client, world):
    id = add(client, quantity=3)["X-Cart-Id"]
    world.carts.update(id, lambda cart: cart.close_for_merge(account_cart_id("a1"), world.clock()) and None)

    answer = merge(client, id)

    assert content(answer.json()) == {"cup": 3}
    assert world.carts.get(id).lines == []


def test_a_merge_can_be_repeated_after_the_guests_cart_was_deleted(client, world):
    id = add(client, quantity=3)["X-Cart-Id"]
    merge(client, id)
    world.clock.advance(days=61)
    world.parts.cleanup.delete_expired()

    assert content(merge(client, id).json()) == {"cup": 3}


def test_only_guest_carts_are_merged(client):
    mine = add(client, **bearer(sub="a2")).json()["id"]
    taken = add(client)["X-Cart-Id"]
    merge(client, taken, sub="a2")

    for id in (mine, taken, "0" * 32, "nope", "a:b"):
        bad_input.assert_problem(merge(client, id), 404)
    bad_input.assert_problem(client.post("/api/cart/merge"), 401)
    assert get(client, **bearer(sub="a1")) == EMPTY


def test_a_coupon_lowers_the_total(client, world):
    world.coupons.add(Coupon("SPRING", percent=10))
    id = add(client, quantity=2)["X-Cart-Id"]
    headers = {"X-Cart-Id": id}

    with_it = client.post(
        "/api/cart/coupon", {"code": " spring"}, content_type="application/json", headers=headers
    ).json()
    without = client.delete("/api/cart/coupon", headers=headers).json()

    assert (with_it["coupon"], with_it["discount"]["amount"], with_it["total"]["amount"]) == (
        "SPRING",
        240,
        2160,
    )
    assert (without["coupon"], without["discount"]["amount"], without["total"]["amount"]) == (None, 0, 2400)


def test_an_unknown_coupon_is_refused(client):
    headers = {"X-Cart-Id": add(client)["X-Cart-Id"]}

    for code in ("NOPE", "a:b", "../x"):
        answer = client.post(
            "/api/cart/coupon", {"code": code}, content_type="application/json", headers=headers
        )
        assert bad_input.assert_problem(answer, 422)["type"] == "unknown-coupon"


@pytest.mark.parametrize("authorization", bad_input.BAD_AUTHORIZATION, ids=bad_input.name)
def test_a_bad_token_is_401(client, authorization):
    bad_input.assert_problem(client.get("/api/cart", headers={"Authorization": authorization}), 401)


def internal(client, method, path, body=None):
    headers = service_headers("checkout")
    return client.generic(
        method, f"/internal/carts/{path}", _json(body), content_type="application/json", headers=headers
    )


def _json(body):
    import json

    return json.dumps(body).encode() if body is not None else b""


def test_checkout_reads_and_claims_a_cart_and_removes_ordered_lines(client):
    id = add(client, quantity=2)["X-Cart-Id"]
    lines = [{"sku": "cup", "quantity": 2}]
    seen = {
        "id": id, "version": 1, "account_id": None, "lines": lines, "coupon": None, "claimed_by": None,
    }  # fmt: skip

    read = internal(client, "GET", id)
    claim = {"order_id": "HM-1", "version": 1}
    claimed = internal(client, "POST", f"{id}/claim", claim)
    repeated = internal(client, "POST", f"{id}/claim", claim)
    other = internal(client, "POST", f"{id}/claim", {"order_id": "HM-2", "version": 1})
    settle = {"order_id": "HM-1", "lines": lines}
    settled = internal(client, "POST", f"{id}/settle", settle)
    settled_again = internal(client, "POST", f"{id}/settle", settle)

    assert read.json() == seen
    assert claimed.json() == repeated.json() == seen | {"claimed_by": "HM-1"}
    assert bad_input.assert_problem(other, 409)["type"] == "cart-claimed"
    assert settled.json() == settled_again.json() == seen | {"version": 2, "lines": []}


def test_a_failed_order_releases_its_claim(client):
    id = add(client)["X-Cart-Id"]
    internal(client, "POST", f"{id}/claim", {"order_id": "HM-1", "version": 1})

    let_go = [internal(client, "POST", f"{id}/unclaim", {"order_id": "HM-1"}) for _ in range(2)]
    other = internal(client, "POST", f"{id}/claim", {"order_id": "HM-2", "version": 1})

    assert [answer.json()["claimed_by"] for answer in let_go] == [None, None]
    assert other.json()["claimed_by"] == "HM-2"


def test_removing_ordered_lines_follows_a_merged_cart(client):
    id = add(client, quantity=3)["X-Cart-Id"]
    merge(client, id)

    internal(client, "POST", f"{id}/settle", {"order_id": "HM-1", "lines": [{"sku": "cup", "quantity": 2}]})

    assert content(get(client, **bearer(sub="a1"))) == {"cup": 1}
    bad_input.assert_problem(internal(client, "GET", id), 404)


def test_only_checkout_may_use_the_internal_views(client):
    id = add(client)["X-Cart-Id"]

    for headers in ({}, bearer(roles=["admin"]), service_headers("logs")):
        bad_input.assert_problem(client.get(f"/internal/carts/{id}", headers=headers), 401, 403)


def test_every_view_declares_permissions():
    assert_every_view_declares_permissions()
