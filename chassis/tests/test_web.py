"""The chassis as a caller sees it: over HTTP, on a sample service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, override_settings

from chassis.api import throttling
from chassis.testing import bad_input
from chassis.testing.bad_input import assert_problem
from chassis.testing.identity import bearer, make_token, service_headers, staff
from chassis.testing.permissions import assert_every_view_declares_permissions, undeclared

API = "/api/catalog"
GOOD = {"lines": [{"sku": "a", "quantity": 1}]}


@pytest.fixture
def client() -> Iterator[Client]:
    with (
        override_settings(ROOT_URLCONF="sample.web"),
        throttling.buckets.override(throttling.ProcessBuckets()),
    ):
        yield Client(raise_request_exception=False)


def post(client: Client, body: Any, **extra: Any) -> Any:
    return client.post(API, json.dumps(body), content_type="application/json", **extra)


# who may


def test_a_public_view_takes_anybody(client: Client) -> None:
    assert client.get(API).status_code == 200


def test_a_guest_is_told_to_sign_in(client: Client) -> None:
    response = post(client, GOOD)

    assert_problem(response, 401)
    assert response["WWW-Authenticate"] == 'Bearer realm="hivemart"'


def test_a_person_with_a_token_gets_in(client: Client) -> None:
    response = post(client, GOOD, headers=bearer())

    assert (response.status_code, response.json()) == (201, GOOD)


def test_a_customer_is_no_staff_and_staff_needs_the_very_permission(client: Client) -> None:
    customer = client.delete(API, headers=bearer())
    wrong_staff = client.delete(API, headers=staff("catalog.product.read"))
    right_staff = client.delete(API, headers=staff("catalog.product.write"))

    assert (customer.status_code, wrong_staff.status_code, right_staff.status_code) == (403, 403, 204)


@pytest.mark.parametrize("header", bad_input.BAD_AUTHORIZATION, ids=bad_input.name)
def test_a_bad_token_is_a_401_even_where_nobody_needs_one(client: Client, header: str) -> None:
    response = client.get(API, headers={"Authorization": header})

    assert assert_problem(response, 401)["type"] == "bad-token"


def test_an_internal_route_takes_only_the_services_that_it_names(client: Client) -> None:
    def status(headers: dict[str, str]) -> int:
        return client.get("/internal/things", headers=headers).status_code

    answers = {
        "named": status(service_headers("cart")),
        "not named": status(service_headers("reco")),
        "meant for another": status(service_headers("cart", "checkout")),
        "a person": status(bearer(roles=["admin"])),
        "nobody": status({}),
        "nonsense": status({"X-Service-Token": "x"}),
    }

    assert answers == {
        "named": 200,
        "not named": 403,
        "meant for another": 401,
        "a person": 403,
        "nobody": 401,
        "nonsense": 401,
    }


def test_a_service_passes_the_person_on_whom_it_calls_for(client: Client) -> None:
    headers = service_headers("checkout") | bearer(make_token("a1"))

    response = client.get("/internal/things", headers=headers)

    assert response.json() == {"service": "checkout", "account": "a1"}


def test_nobody_keeps_an_answer_that_says_nothing_of_it(client: Client) -> None:
    answers = [post(client, GOOD, headers=bearer()), post(client, {}, headers=bearer())]

    assert [answer["Cache-Control"] for answer in answers] == ["no-store", "no-store"]


def test_every_view_of_the_sample_declares_its_permissions(client: Client) -> None:
    assert_every_view_declares_permissions()


def test_a_view_without_a_decision_fails_the_build(client: Client) -> None:
    from sample import web

    original = list(web.urlpatterns)
    web.urlpatterns.extend(web.faulty)
    try:
        faults = undeclared()
    finally:
        web.urlpatterns[:] = original

    assert faults == [
        "nobody: names no permission classes",
        "empty: an empty list of permission classes",
        "function: a function without permission classes",
        "internal/open: an internal route that is not FromService(…)",
    ]


# what goes in


def test_no_body_of_any_shape_is_more_than_a_bad_request(client: Client) -> None:
    bad_input.assert_refuses_bad_bodies(client, "POST", API, headers=bearer())


@pytest.mark.parametrize(
    ("body", "field", "reason"),
    [
        ({}, "lines", "This field is required."),
        ({"lines": []}, "lines", "This list may not be empty."),
        ({"lines": [{"sku": 1, "quantity": 1}]}, "lines.0.sku", "Must be text."),
        ({"lines": [{"sku": "a", "quantity": "1"}]}, "lines.0.quantity", "Must be a whole number."),
        ({"lines": [{"sku": "a", "quantity": True}]}, "lines.0.quantity", "Must be a whole number."),
        ({"lines": [{"sku": "a", "quantity": 1.0}]}, "lines.0.quantity", "Must be a whole number."),
        ({"lines": [{"sku": "a", "quantity": 1, "price": 1}]}, "lines.0.price", "Unknown field."),
        ({**GOOD, "gift": 1}, "gift", "Must be true or false."),
        ({**GOOD, "state": "paid"}, "state", "Unknown field."),
        ({**GOOD, "$where": "1"}, "$where", "Unknown field."),
    ],
)
def test_a_wrong_field_is_named_with_the_reason(client: Client, body: Any, field: str, reason: str) -> None:
    answer = assert_problem(post(client, body, headers=bearer()), 400)

    assert (answer["type"], answer["errors"][field]) == ("invalid", [reason])


@pytest.mark.parametrize(
    "query", ["rating=6", "rating=x", "rating=03", "rating=1&rating=2", "in_stock=yes", "q=%00", "nope=1"]
)
def test_a_wrong_parameter_is_a_bad_request(client: Client, query: str) -> None:
    assert_problem(client.get(f"{API}?{query}"), 400)


def test_parameters_are_read_as_what_they_mean(client: Client) -> None:
    response = client.get(f"{API}?rating=4&in_stock=true&q=lamp")

    assert response.json() == {"rating": 4, "in_stock": True, "q": "lamp"}


def test_of_many_wrong_fields_twenty_are_named(client: Client) -> None:
    unknown_names = {f"name-{n}-{'x' * 300}": 1 for n in range(900)}
    wrong_lines = {"lines": [{"sku": [], "quantity": "1", "more": 1}] * 900}
    wrong_skus = {"lines": [{"sku": "x" * 200, "quantity": 0}] * 900}

    for body in (unknown_names, wrong_lines, wrong_skus):
        errors = assert_problem(post(client, body, headers=bearer()), 400)["errors"]

        assert len(errors) == 20
        assert max(map(len, errors)) <= 100


def test_of_many_wrong_parameters_twenty_are_named(client: Client) -> None:
    unknown = "&".join(f"name-{n}=1" for n in range(900))
    repeated = "&".join(f"name-{n}=1&name-{n}=1" for n in range(400))

    for query in (unknown, repeated):
        assert len(assert_problem(client.get(f"{API}?{query}"), 400)["errors"]) == 20


def test_a_reason_does_not_repeat_a_long_value(client: Client) -> None:
    response = client.get(f"{API}?in_stock={'x' * 5_000}")

    assert len(response.content) < 500


def test_a_body_over_the_limit_is_a_413(client: Client) -> None:
    body = b'{"a": "' + b"x" * 1_100_000 + b'"}'

    response = client.generic("POST", API, body, content_type="application/json", headers=bearer())

    assert_problem(response, 413)


@pytest.mark.parametrize("item", ["..", "_design", "%00", "a%2fb", "%ff", "x" * 200, "a:b", "$where", "٣"])
def test_an_id_that_is_none_of_ours_is_a_404(client: Client, item: str) -> None:
    response = client.generic("GET", f"{API}/items/{item}")

    assert_problem(response, 404)


# lists


def test_a_list_has_24_entries_and_a_cursor_that_leads_on(client: Client) -> None:
    first = client.get(f"{API}/listing").json()
    second = client.get(f"{API}/listing", {"cursor": first["next"], "limit": "2"}).json()

    assert (len(first["results"]), first["total"], second["results"]) == (24, 1000, [24, 25])


@pytest.mark.parametrize("limit", bad_input.BAD_LIMITS, ids=bad_input.name)
def test_a_page_size_out_of_range_is_a_bad_request(client: Client, limit: str) -> None:
    answer = assert_problem(client.get(f"{API}/listing", {"limit": limit}), 400)

    assert list(answer["errors"]) == ["limit"]


@pytest.mark.parametrize("cursor", [*bad_input.BAD_CURSORS, "WyJhIl0", "W3RydWVd"], ids=bad_input.name)
def test_a_cursor_that_is_none_of_ours_is_a_bad_request(client: Client, cursor: str) -> None:
    answer = assert_problem(client.get(f"{API}/listing", {"cursor": cursor}), 400)

    assert list(answer["errors"]) == ["cursor"]


# conditions and keys


def test_what_the_caller_has_already_is_not_sent_again(client: Client) -> None:
    full = client.get(f"{API}/tagged")
    again = client.get(f"{API}/tagged", headers={"If-None-Match": f'"x", W/{full["ETag"]}'})

    assert (full["ETag"], again.status_code, again.content, again["ETag"]) == ('"3"', 304, b"", '"3"')


@pytest.mark.parametrize(("match", "status"), [(None, 428), ('"2"', 412), ('"3"', 200), ("*", 200)])
def test_a_change_needs_the_version_that_it_is_about(client: Client, match: str | None, status: int) -> None:
    headers = {"If-Match": match} if match else {}

    response = client.patch(f"{API}/tagged", "{}", content_type="application/json", headers=headers)

    assert response.status_code == status


@pytest.mark.parametrize(("key", "status"), [("k-1", 200), ("x" * 255, 200), ("x" * 256, 400), ("a b", 400)])
def test_an_idempotency_key_is_visible_ascii(client: Client, key: str, status: int) -> None:
    response = client.post(f"{API}/keyed", headers={"Idempotency-Key": key})

    assert response.status_code == status


def test_a_missing_idempotency_key_is_a_bad_request_where_it_is_needed(client: Client) -> None:
    answer = assert_problem(client.post(f"{API}/keyed"), 400)

    assert list(answer["errors"]) == ["Idempotency-Key"]


def test_a_throttle_counts_by_the_shoppers_address(client: Client) -> None:
    def status(address: str) -> int:
        return client.get(f"{API}/limited", headers={"X-Forwarded-For": address}).status_code

    answers = [status("192.0.2.1"), status("192.0.2.1"), status("192.0.2.1"), status("192.0.2.2")]

    assert answers == [200, 200, 429, 200]


def test_a_throttled_caller_learns_when_to_come_back(client: Client) -> None:
    responses = [client.get(f"{API}/limited") for _ in range(3)]

    assert_problem(responses[-1], 429)
    assert responses[-1]["Retry-After"] == "1"


# what comes out


@pytest.mark.parametrize(
    ("what", "status", "type"),
    [
        ("conflict", 409, "out-of-stock"),
        ("unprocessable", 422, "total-changed"),
        ("payment", 402, "payment-refused"),
        ("away", 503, "unavailable"),
        ("fields", 400, "invalid"),
        ("store-not-found", 404, "not-found"),
        ("store-conflict", 409, "conflict"),
        ("store-busy", 429, "busy"),
        ("store-away", 503, "unavailable"),
        ("store-cursor", 400, "invalid"),
        ("service-down", 503, "unavailable"),
        ("service-throttled", 429, "too-many-requests"),
        ("service-polite", 503, "unavailable"),
        ("http404", 404, "not-found"),
        ("throttled", 429, "too-many-requests"),
        ("bug", 500, "internal-error"),
    ],
)
def test_every_error_is_a_problem_that_tells_nothing_internal(
    client: Client, what: str, status: int, type: str
) -> None:
    response = client.get(f"{API}/raise/{what}", headers={"X-Request-ID": "req-1"})

    body = assert_problem(response, status)
    assert (body["type"], body["request_id"], response["X-Request-ID"]) == (type, "req-1", "req-1")
    assert ("Retry-After" in response) == (status in (429, 503))
    assert not any(word in response.content for word in (b"secret", b"hunter2", b"couch", b"Traceback"))


@pytest.mark.parametrize(
    ("what", "seconds"), [("service-throttled", "8"), ("service-polite", "9"), ("service-down", "5")]
)
def test_the_time_to_wait_is_the_siblings_own(client: Client, what: str, seconds: str) -> None:
    assert client.get(f"{API}/raise/{what}")["Retry-After"] == seconds


def test_a_problem_has_members_of_its_own(client: Client) -> None:
    body = client.get(f"{API}/raise/conflict", headers={"X-Request-ID": "r"}).json()

    assert body == {
        "type": "out-of-stock",
        "title": "Conflict",
        "status": 409,
        "detail": "Too few.",
        "request_id": "r",
        "short": [{"sku": "a", "available": 1}],
    }


def test_an_address_that_is_not_there_is_a_404_problem(client: Client) -> None:
    assert_problem(client.get("/nope"), 404)
    assert_problem(client.get(f"{API}/"), 404)


def test_a_method_that_is_not_there_is_a_405_for_everybody(client: Client) -> None:
    response = client.put(API)

    assert_problem(response, 405)
    assert response["Allow"] == "GET, POST, DELETE, HEAD, OPTIONS"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0", "image/*"])
def test_who_does_not_take_json_is_told_so(client: Client, accept: str) -> None:
    assert_problem(client.get(API, headers={"Accept": accept}), 406)


@pytest.mark.parametrize(
    "accept", ["*/*", "application/*", "text/html, */*;q=0.1", "application/json, text/x"]
)
def test_who_takes_json_gets_it(client: Client, accept: str) -> None:
    assert client.get(API, headers={"Accept": accept})["Content-Type"] == "application/json"


def test_a_view_may_answer_another_type_that_it_names(client: Client) -> None:
    response = client.get(f"{API}/csv", headers={"Accept": "text/csv"})

    assert (response["Content-Type"], response.content) == ("text/csv", b"a,b\r\n")


def test_json_that_is_ready_goes_out_as_it_is(client: Client) -> None:
    assert client.get(f"{API}/ready").content == b'{"ready":true}'


@pytest.mark.parametrize("sent", ["a b", "x" * 65, "a\tb", "é", "<script>"])
def test_a_request_id_of_another_shape_is_replaced(client: Client, sent: str) -> None:
    answered = client.get(API, headers={"X-Request-ID": sent})["X-Request-ID"]

    assert answered != sent
    assert len(answered) == 32


# what a service says about itself


def test_live_means_the_process_alone(client: Client) -> None:
    assert client.get("/livez").json() == {"status": "ok", "service": "catalog"}


def test_figures_are_by_route_and_not_by_path(client: Client) -> None:
    client.get(f"{API}/items/abc123")

    figures = client.get("/metrics").content.decode()

    assert 'http_requests_total{method="GET",route="api/catalog/items/<id:item>",status="200"}' in figures
    assert "abc123" not in figures


def test_the_schema_describes_the_public_routes_and_the_problems(client: Client) -> None:
    schema = client.get(f"{API}/schema").json()

    operation = schema["paths"]["/api/catalog"]["post"]
    assert operation["responses"]["default"]["content"] == {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
    }
    assert not [path for path in schema["paths"] if "internal" in path]


def test_the_documentation_page_loads_nothing_from_elsewhere(client: Client) -> None:
    response = client.get(f"{API}/docs")

    page = response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert not any(inline in page for inline in ("<style", "<script>", "style="))
    assert "drf_spectacular_sidecar" in page
    assert "//cdn" not in page
