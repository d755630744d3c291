"""Whatever is sent: the answer that the contract names, as a problem, and nothing half-written.

The tables of bad/ say what is sent, where, and what has to come back.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import urllib3

from tests.client import Answer
from tests.e2e.bad import rotten
from tests.e2e.bad.asked import (
    EVENT,
    GUARDED,
    KEYS,
    LENGTHS,
    LISTS,
    METHODS,
    NOT_EVENTS,
    ODD,
    ODD_LIST_QUERIES,
    OTHER_TYPES,
    QUERIES,
)
from tests.e2e.bad.bodies import FOR_STAFF, FOREIGN, RULES, WRITING, headers_of
from tests.e2e.bad.scene import Scene, flaws, set_up, wrong

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def scene(shop) -> Scene:
    return set_up(shop)


@pytest.fixture
def unharmed(scene):
    """Return the same stock, cart, addresses and orders after the test as before all of them."""
    yield
    assert scene.state() == scene.before


#: One call of each service gets all of it: the others have the same parser.
THOROUGH = ("register", "add to cart", "order", "stock", "events", "training")


@pytest.mark.parametrize("name", [*WRITING, "events"])
def test_what_is_not_json_is_refused(scene, unharmed, name):
    who, method, path, _, _ = WRITING.get(name, ("nobody", "POST", "/api/logs/events", None, False))

    answers = {
        what: scene.send(who, method, path, body, **headers_of(name))
        for what, body in rotten.NOT_JSON.items()
    }

    assert wrong(answers, 400, type="malformed") == {}


@pytest.mark.parametrize("name", [name for name in WRITING if name != "order of an account"])
def test_one_wrong_missing_or_unknown_field_is_refused_and_named(scene, unharmed, name):
    who, method, path, body, partial = WRITING[name]
    flawed = []

    for place, spoiled in rotten.spoiled(scene.fill(body), partial=partial):
        answer = scene.send(who, method, path, _bytes(spoiled), **headers_of(name))
        # NUL is refused before anybody looks at fields.
        about = ".".join(map(str, place)) if place and "\\u0000" not in json.dumps(spoiled) else None
        if found := flaws(answer, 400, about=about):
            flawed.append((place, json.dumps(spoiled)[:200], found))

    assert flawed == []


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("name", sorted({rule[0] for rule in RULES}))
def test_what_breaks_a_rule_is_refused_by_its_name(scene, unharmed, name):
    who, method, path, _, _ = WRITING[name]
    flawed = []

    for _, body, status, type, about in [rule for rule in RULES if rule[0] == name]:
        answer = scene.send(who, method, path, scene.fill(body), **headers_of(name))
        if found := flaws(answer, status, type=type, about=about):
            flawed.append((body, found))

    assert flawed == []


# -- whose it is


def test_what_is_somebody_elses_is_not_there(scene, unharmed):
    answers = [
        (who, method, path, scene.send(who, method, path, scene.fill(body), **headers_of("order")))
        for who, method, path, body in FOREIGN
    ]
    for token in ("", "x", "é", "0" * 40, scene.names["account"]):
        path = "/api/checkout/orders/<guest-order>"
        answers.append(("nobody", "GET", path, scene.send("nobody", "GET", path, X_Order_Token=token)))

    assert [(*call, found) for *call, answer in answers if (found := flaws(answer, 404))] == []


def test_another_ones_cart_is_not_shown_to_who_names_it(scene, unharmed):
    for who in ("nobody", "stranger"):
        assert scene.send(who, "GET", "/api/cart", X_Cart_Id=scene.names["cart"]).json["lines"] == []


def test_what_is_for_staff_is_closed_to_all_others(scene, unharmed):
    flawed = []

    for method, path, body in FOR_STAFF:
        for who, status in (("nobody", 401), ("buyer", 403)):
            answer = scene.send(who, method, path, scene.fill(body), **headers_of("order"))
            if found := flaws(answer, status):
                flawed.append((who, method, path, found))

    assert flawed == []


# -- tokens


def test_a_token_that_is_not_ours_opens_nothing_anywhere(scene, unharmed):
    own = f"Bearer {scene.forger.token()}"
    assert (
        scene.send("nobody", "GET", "/api/auth/me", Authorization=own).status == 200
    )  # so the others differ
    flawed = []

    for what, bad in scene.forger.bad().items():
        for method, path, body in GUARDED:
            headers = {"Authorization": bad, **headers_of("order")}
            answer = scene.send("nobody", method, path, scene.fill(body), **headers)
            found = flaws(answer, 401)
            if found or "Bearer" not in answer.headers.get("WWW-Authenticate", ""):
                flawed.append((what, method, path, found))

    assert flawed == []


def test_a_service_token_from_outside_means_nothing(scene):
    token = scene.forger.service_token("cart", "catalog")

    answer = scene.send("nobody", "GET", "/api/catalog/internal/skus?sku=<sku>", X_Service_Token=token)
    ignored = scene.send("nobody", "GET", "/api/catalog/stock/<sku>", X_Service_Token=token)

    assert flaws(answer, 404) == []
    assert flaws(ignored, 401) == []


# -- keys of idempotency


@pytest.mark.parametrize("name", ["order", "add to cart", "refund", "shipment"])
def test_an_odd_idempotency_key_is_refused(scene, unharmed, name):
    who, method, path, body, _ = WRITING[name]

    answers = {key: scene.send(who, method, path, scene.fill(body), Idempotency_Key=key) for key in KEYS}

    assert wrong(answers, 400, about="Idempotency-Key") == {}


@pytest.mark.parametrize("name", ["order", "refund"])
def test_without_an_idempotency_key_nothing_is_bought_or_paid_back(scene, unharmed, name):
    who, method, path, body, _ = WRITING[name]

    assert flaws(scene.send(who, method, path, scene.fill(body)), 400, about="Idempotency-Key") == []


# -- queries


@pytest.mark.parametrize(("who", "path"), LISTS)
def test_an_odd_page_of_a_list_is_refused(scene, who, path):
    answers = {query: scene.send(who, "GET", f"{path}?{query}") for query in ODD_LIST_QUERIES}

    assert {
        query: found for query, answer in answers.items() if (found := flaws(answer, 400, about=""))
    } == {}


@pytest.mark.parametrize("path", QUERIES)
def test_an_odd_query_is_refused_and_named(scene, path):
    answers = {query: scene.send("staff", "GET", f"{path}?{query}") for query in QUERIES[path]}

    assert {
        query: found for query, answer in answers.items() if (found := flaws(answer, 400, about=""))
    } == {}


@pytest.mark.parametrize(
    "path",
    [
        "/api/logs/events?user={}", "/api/logs/events?product={}", "/api/logs/audit?actor={}",
        "/api/logs/audit?object={}", "/api/catalog/products?q={}", "/api/catalog/products?brand={}",
        "/api/catalog/products?attr.size={}",
    ],
)  # fmt: skip
def test_where_any_text_is_taken_an_operator_is_text_and_finds_nothing(scene, path):
    answer = scene.send("staff", "GET", path.format("%7B%22$gt%22:null%7D"))

    assert (answer.status, answer.json["results"]) == (200, [])


# -- events


@pytest.mark.parametrize("body", [[], [EVENT] * 101, {}, EVENT, {"events": [EVENT]}, "x", 1, None])
def test_only_1_to_100_events_are_taken_at_once(scene, body):
    assert flaws(scene.send("nobody", "POST", "/api/logs/events", _bytes(body)), 400, about="") == []


def test_what_is_no_event_is_rejected_by_itself_and_the_good_one_is_kept(scene):
    answer = scene.send("nobody", "POST", "/api/logs/events", [*NOT_EVENTS, EVENT])

    assert answer.status == 202
    assert answer.json["accepted"] == 1
    assert [one["index"] for one in answer.json["rejected"]] == list(range(len(NOT_EVENTS)))
    assert all(one["reason"] for one in answer.json["rejected"])


# -- pictures


def upload(scene: Scene, data: bytes, name: str = "x.png") -> Answer:
    return scene.staff.upload(scene.fill("/api/catalog/products/<slug>/images"), data, name, "A picture")


def test_files_that_are_no_pictures_are_refused(scene, unharmed):
    answers = {what: upload(scene, data) for what, data in rotten.NOT_PICTURES.items()}

    assert wrong(answers, 415, type="unsupported-picture") == {}
    assert flaws(upload(scene, b""), 400, about="file") == []
    for size in (7_000_000, 11_000_000):
        assert flaws(upload(scene, b"\x89PNG\r\n\x1a\n" + bytes(size)), 413) == []


def test_a_large_upload_of_a_stranger_is_refused_as_a_small_one(scene, unharmed):
    body = bytes(9_000_000)
    path = "/api/catalog/products/<slug>/images"
    form = "multipart/form-data; boundary=x"

    for _ in range(5):  # an answer while the body is still on its way used to get lost, now and then
        assert flaws(scene.send("nobody", "POST", path, body, Content_Type=form), 401) == []
        assert flaws(scene.send("buyer", "POST", path, body, Content_Type=form), 403) == []
        assert flaws(scene.send("staff", "POST", path, body, Content_Type=form), 413) == []


PICTURE = ("a.png", rotten.picture("PNG"))


@pytest.mark.parametrize(
    ("fields", "about"),
    [
        ({"alt": "x"}, "file"),
        ({"file": "text", "alt": "x"}, "file"),
        ([("file", PICTURE), ("file", PICTURE), ("alt", "x")], "file"),
        ({"file": PICTURE, "alt": "x", "price": "1"}, "price"),
        ({"file": PICTURE, "alt": "x" * 301}, "alt"),
        ({"file": PICTURE, "alt": "a\x00b"}, "alt"),
    ],
)
def test_a_form_that_is_not_file_and_alt_is_refused(scene, unharmed, fields, about):
    data, content_type = urllib3.encode_multipart_formdata(fields)

    answer = scene.send(
        "staff", "POST", "/api/catalog/products/<slug>/images", data, Content_Type=content_type
    )

    assert flaws(answer, 400, about=about) == []


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=zzz", "; boundary=" + "a" * 300])
def test_a_form_without_its_boundary_is_refused(scene, unharmed, boundary):
    content_type = "multipart/form-data" + boundary

    answer = scene.send(
        "staff", "POST", "/api/catalog/products/<slug>/images", PICTURE[1], Content_Type=content_type
    )

    assert flaws(answer, 400) == []


def finished(scene: Scene, id: str) -> dict[str, Any]:
    """Return the end of an upload."""
    deadline = time.monotonic() + 15
    while (image := scene.staff.get(f"/api/catalog/images/{id}").json)["status"] == "processing":
        assert time.monotonic() < deadline, "still processing"
        time.sleep(0.1)
    return dict(image)


def test_broken_pictures_and_bombs_fail_with_a_reason_and_are_never_shown(scene, unharmed):
    sent = {what: upload(scene, data).json["id"] for what, data in rotten.broken_pictures().items()}

    images = {what: finished(scene, id) for what, id in sent.items()}

    assert {image["status"] for image in images.values()} == {"failed"}
    assert all(image["reason"] and "0x" not in image["reason"] for image in images.values())
    assert "pixels" in images["20,000 x 20,000 pixels"]["reason"]


def test_odd_pictures_are_shown(scene):
    slug, _ = scene.staff.product(on_hand=1)
    path = f"/api/catalog/products/{slug}/images"
    odd = rotten.odd_pictures()
    sent = {what: scene.staff.upload(path, data, "odd", "Odd").json["id"] for what, data in odd.items()}

    images = {what: finished(scene, id) for what, id in sent.items()}

    assert {what: image["status"] for what, image in images.items()} == dict.fromkeys(sent, "ready")
    assert max(r["height"] for r in images["40 x 60,000 pixels"]["renditions"]) == 4096


def test_a_picture_that_is_something_else_too_is_only_a_picture_afterwards(scene):
    slug, _ = scene.staff.product(on_hand=1)
    data = rotten.picture("GIF") + rotten.PAYLOAD

    sent = scene.staff.upload(f"/api/catalog/products/{slug}/images", data, "../../x.html", "A picture")
    shown = scene.nobody.get(finished(scene, sent.json["id"])["renditions"][0]["url"])

    assert (shown.status, shown.headers["Content-Type"]) == (200, "image/webp")
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert (shown.body[:4], shown.body[8:12]) == (b"RIFF", b"WEBP")
    assert rotten.PAYLOAD not in shown.body


# -- the envelope


@pytest.mark.parametrize("name", WRITING)
def test_what_is_too_large_or_of_another_type_is_refused(scene, unharmed, name):
    who, method, path, body, _ = WRITING[name]
    data = _bytes(scene.fill(body))
    headers = headers_of(name)

    large = scene.send(who, method, path, b'{"a": "' + b"x" * 1_100_000 + b'"}', **headers)
    types = OTHER_TYPES if name in THOROUGH else OTHER_TYPES[:2]
    typed = {kind: scene.send(who, method, path, data, **headers, Content_Type=kind) for kind in types}

    assert flaws(large, 413) == []
    assert wrong(typed, 415) == {}


def test_a_method_that_is_not_offered_is_refused_and_the_others_are_named(scene, unharmed):
    answers = {call: scene.send("nobody", *call) for call in METHODS}

    assert wrong(answers, 405) == {}
    assert [call for call, answer in answers.items() if not answer.headers.get("Allow")] == []
    for method, path in (("TRACE", "/api/cart"), ("POST", "/healthz"), ("PUT", "/healthz")):
        assert flaws(scene.send("nobody", method, path), 405) == []


@pytest.mark.parametrize("length", LENGTHS)
def test_long_addresses_and_headers_are_problems(scene, length):
    text = "a" * length
    asked = scene.send("nobody", "GET", f"/api/catalog/products?q={text}")
    named = scene.send("nobody", "GET", f"/api/catalog/products/{text}")
    headed = scene.send("nobody", "GET", "/api/cart", X_Cart_Id=text)
    signed = scene.send("nobody", "GET", "/api/auth/me", Authorization=f"Bearer {text}")

    assert flaws(asked, 400, 414) == []
    assert flaws(named, 404, 414) == []
    assert headed.status == 200 or flaws(headed, 400, 431) == []
    assert flaws(signed, 401, 400, 431) == []


@pytest.mark.parametrize("count", [50, 95, 110, 300, 1_500])
def test_many_headers_are_a_problem_at_most(scene, count):
    answer = scene.send("nobody", "GET", "/api/cart", **{f"X_H{number}": "v" * 20 for number in range(count)})

    assert answer.status == 200 or flaws(answer, 400, 431) == []


@pytest.mark.parametrize(
    "place",
    [
        "/api/cart/lines/{}/save", "/api/checkout/orders/{}", "/api/checkout/orders/{}/cancel",
        "/api/catalog/products/{}", "/api/catalog/products/{}/reviews", "/api/catalog/stock/{}",
        "/api/catalog/images/{}", "/api/catalog/categories/{}", "/api/auth/me/addresses/{}",
        "/api/reco/trainings/{}", "/api/cart/{}",
    ],
)  # fmt: skip
def test_an_odd_name_in_an_address_is_not_there(scene, unharmed, place):
    changes = ("save", "cancel", "categories")
    method = "PATCH" if "categories" in place else "POST" if place.endswith(changes) else "GET"

    answers = {
        name: scene.send("staff", method, place.format(name), {"title": "A"} if method != "GET" else None)
        for name in ODD
    }

    assert wrong(answers, 400, 404) == {}
    assert all("X-Evil" not in answer.headers for answer in answers.values())
