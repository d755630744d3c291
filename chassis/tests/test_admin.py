"""The admin over documents: Django's stock views, answered by a repository in memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from html import unescape
from typing import Any

import pytest
from django.conf import settings
from django.contrib import admin as django_admin
from django.db import models
from django.test import Client, override_settings
from django.urls import path

from chassis.admin import (
    Card,
    Chart,
    Column,
    DocumentAdmin,
    Inlines,
    Table,
    document_model,
    money,
    site,
    text,
)
from chassis.admin.sso import SignOn, SignOnDown, use
from chassis.api.errors import Unprocessable
from chassis.couch import Collection, Index, MemoryRepository
from chassis.testing.identity import make_token


class State(StrEnum):
    DRAFT = "draft"
    LIVE = "live"


@dataclass(slots=True)
class Size:
    sku: str
    price: int
    cost: int = 7


@dataclass(slots=True)
class Thing:
    id: str
    title: str
    brand: str
    state: State
    price: int
    featured: bool
    made_at: datetime
    sizes: list[Size] = field(default_factory=list)
    note: str = ""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    event_seq: int = 0


THINGS = Collection(
    database="things",
    kind="thing",
    type=Thing,
    indexes=(
        Index("title", ("title",)),
        Index("state-made", ("state", "made_at")),
        Index("made", ("made_at",)),
    ),
)
START = datetime(2026, 1, 1, tzinfo=UTC)


class Shelf:
    """Where the model finds its repository; each test has its own."""

    repository: Any = None
    broken = 0


ThingModel = document_model(
    THINGS,
    lambda: Shelf.repository,
    app_label="sample",
    verbose_name="thing",
    fields={
        "price": money("EUR"),
        "note": text(),
        "first_sku": Column(models.CharField(), get=lambda thing: thing.sizes[0].sku if thing.sizes else "-"),
    },
    ordering=["-made_at"],
)


class ThingAdmin(DocumentAdmin):
    noun = "product"
    list_display = ["title", "brand", "state", "price", "featured", "made_at", "first_sku"]
    list_filter = ["state", "featured", ("brand", django_admin.AllValuesFieldListFilter), "made_at"]
    list_editable = ["price", "featured"]
    search_fields = ["title", "brand"]
    list_per_page = 10
    fieldsets = [
        (None, {"fields": ["title", "brand", "state", "price", "featured", "note"]}),
        ("Sizes", {"fields": ["sizes", "first_sku"]}),
    ]
    form_parts = {"sizes": Inlines(Size, ["sku", "price"], kinds={"price": money("EUR")})}
    actions = ["publish", "break_rules"]

    def create(self, request: Any, values: dict[str, Any]) -> Thing:
        return Thing(id=f"new-{values['title']}", made_at=START, **values)

    def change(self, request: Any, entity: Thing, values: dict[str, Any]) -> None:
        if values.get("brand") == "Forbidden":
            raise Unprocessable("brand", "This brand is not sold here.")
        super().change(request, entity, values)

    @django_admin.action(description="Break rules", permissions=["write"])
    def break_rules(self, request: Any, queryset: Any) -> None:
        Shelf.broken += 1
        raise Unprocessable("rules", "The rules say no.")

    @django_admin.action(description="Publish", permissions=["change"])
    def publish(self, request: Any, queryset: Any) -> None:
        for row in queryset:
            Shelf.repository.update(row.pk, lambda thing: setattr(thing, "state", State.LIVE))
            self.log_change(request, row, "Published.")


site.register(ThingModel, ThingAdmin)
urlpatterns = [path(f"admin/{settings.SERVICE}/", site.urls)]
BASE = f"/admin/{settings.SERVICE}"
URL = f"{BASE}/sample/thing/"
NAMES = [f"{settings.SERVICE}.product.read", f"{settings.SERVICE}.product.write"]


def exchange(session: str) -> dict[str, Any] | None:
    """Auth, for these tests: the session's text says what its holder may do."""
    held = {"staff": NAMES, "reader": NAMES[:1], "other": ["logs.event.read"]}
    if session == "down":
        raise SignOnDown
    if session not in held:
        return None
    token = make_token(sub="s1", roles=("manager",), permissions=held[session])
    return {"access": token, "expires_in": 600, "user": {"name": "Ada", "email": "ada@example.com"}}


@pytest.fixture(autouse=True)
def shop() -> Iterator[None]:
    Shelf.repository = MemoryRepository(THINGS)
    for number in range(25):
        Shelf.repository.add(
            Thing(
                id=f"t{number:02}",
                title=f"Lamp {number:02}" if number % 2 else f"Chair {number:02}",
                brand="Acme" if number < 5 else "Umbra",
                state=State.LIVE if number % 5 == 0 else State.DRAFT,
                price=1000 + number,
                featured=number == 3,
                made_at=START + timedelta(days=number),
                sizes=[Size(f"S{number}", 500, cost=3)],
                version=1,
            )
        )
    use(SignOn(exchange))
    with override_settings(ROOT_URLCONF=__name__):
        yield
    use(None)


def signed_in(session: str = "staff") -> Client:
    client = Client()
    client.cookies["staff_session"] = session
    return client


def rows(page: Any) -> list[str]:
    """Return the titles in a list, in order."""
    return re.findall(r"field-title[^>]*>(?:<a[^>]*>)?([^<]+)", page.content.decode())


def inputs(page: Any) -> dict[str, str]:
    """Return the fields that a browser would send back, were the form submitted as it is."""
    html = page.content.decode()
    found: dict[str, str] = {}
    for tag in re.findall(r"<input[^>]*>", html):
        attrs = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        if attrs.get("type") in ("checkbox", "submit", "search") and " checked" not in tag:
            continue
        if "name" in attrs:
            found[attrs["name"]] = unescape(
                attrs.get("value", "on" if attrs.get("type") == "checkbox" else "")
            )
    for name, body in re.findall(r'<textarea[^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', html, re.S):
        found[name] = unescape(body.strip())
    for name, body in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', html, re.S):
        chosen = re.search(r'value="([^"]*)"\s+selected', body)
        found[name] = chosen[1] if chosen else ""
    found.pop("_selected_action", None)
    found.pop("select_across", None)
    found.pop("action", None)
    found.pop("q", None)
    return found


def test_who_is_not_signed_in_is_led_to_the_one_sign_in_page() -> None:
    answer = Client().get(URL)

    assert (answer.status_code, answer["Location"]) == (
        302,
        f"/admin/auth/login/?next={URL.replace('/', '%2F')}",
    )


def test_auth_being_away_is_said_rather_than_thrown() -> None:
    answer = signed_in("down").get(URL)

    assert answer.status_code == 503
    assert "The sign-in service does not answer." in answer.content.decode()


def test_who_has_nothing_here_is_told_so() -> None:
    assert signed_in("other").get(URL).status_code == 403


def test_the_list_is_in_the_order_of_its_index_and_paged() -> None:
    first = signed_in().get(URL)
    third = signed_in().get(URL, {"p": "3"})

    assert rows(first)[:2] == ["Chair 24", "Lamp 23"]
    assert rows(third) == ["Chair 04", "Lamp 03", "Chair 02", "Lamp 01", "Chair 00"]
    assert "25 things" in first.content.decode()


def test_a_click_on_a_head_orders_by_that_field() -> None:
    assert rows(signed_in().get(URL, {"o": "1"}))[:2] == ["Chair 00", "Chair 02"]
    assert rows(signed_in().get(URL, {"o": "-1"}))[:2] == ["Lamp 23", "Lamp 21"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "lamp 1"}, ["Lamp 21", "Lamp 19", "Lamp 17", "Lamp 15", "Lamp 13", "Lamp 11", "Lamp 01"]),
        ({"q": "acme chair"}, ["Chair 04", "Chair 02", "Chair 00"]),
        ({"state__exact": "live"}, ["Chair 20", "Lamp 15", "Chair 10", "Lamp 05", "Chair 00"]),
        ({"featured__exact": "1"}, ["Lamp 03"]),
        ({"brand": "Acme", "state__exact": "live"}, ["Chair 00"]),
        ({"made_at__gte": "2026-01-24 00:00:00+00:00"}, ["Chair 24", "Lamp 23"]),
        (
            {"made_at__gte": "2026-01-03 00:00:00+00:00", "made_at__lt": "2026-01-05 00:00:00+00:00"},
            ["Lamp 03", "Chair 02"],
        ),
        ({"made_at__isnull": "True"}, []),
        ({"q": "nothing like it"}, []),
    ],
)
def test_search_and_filters_leave_what_matches(query: dict[str, str], expected: list[str]) -> None:
    assert rows(signed_in().get(URL, query)) == expected


def test_the_filter_of_all_values_offers_each_once() -> None:
    html = signed_in().get(URL).content.decode()

    assert (html.count("?brand=Acme"), html.count("?brand=Umbra")) == (1, 1)


def test_a_filter_that_documents_cannot_answer_leads_back_to_the_list() -> None:
    answer = signed_in().get(URL, {"made_at__year__gte": "x"})

    assert (answer.status_code, answer["Location"]) == (302, f"{URL}?e=1")


def test_a_changed_thing_is_written_once_with_its_version_and_its_audit_fact() -> None:
    client = signed_in()
    form = inputs(client.get(f"{URL}t03/change/"))

    answer = client.post(f"{URL}t03/change/", {**form, "price": "12.34", "note": "new"})

    thing = Shelf.repository.get("t03")
    fact = thing.events[-1]
    assert answer.status_code == 302
    assert (thing.price, thing.note, thing.version, thing.sizes) == (
        1234,
        "new",
        2,
        [Size("S3", 500, cost=3)],
    )
    assert (fact["type"], fact["subject"], fact["seq"]) == ("audit.recorded", "t03", 1)
    assert {
        name: fact["data"][name] for name in ("actor", "actor_name", "action", "object_repr", "message")
    } == {
        "actor": "s1",
        "actor_name": "Ada",
        "action": "change",
        "object_repr": "Lamp 03",
        "message": "Changed Price and Note.",
    }


def test_the_form_shows_money_as_a_decimal_and_the_version_hidden() -> None:
    form = inputs(signed_in().get(f"{URL}t03/change/"))

    assert (form["price"], form["document_version"], form["sizes-0-price"]) == ("10.03", "1", "5.00")


def test_saving_without_a_change_writes_nothing() -> None:
    client = signed_in()
    form = inputs(client.get(f"{URL}t03/change/"))

    client.post(f"{URL}t03/change/", form)

    assert (Shelf.repository.get("t03").version, Shelf.repository.get("t03").events) == (1, [])


def test_the_second_of_two_editors_is_told_and_loses_nothing() -> None:
    client = signed_in()
    form = inputs(client.get(f"{URL}t03/change/"))
    client.post(f"{URL}t03/change/", {**form, "price": "20.00"})

    refused = client.post(f"{URL}t03/change/", {**form, "price": "30.00", "note": "mine"})
    after_refusal = Shelf.repository.get("t03").price
    again = client.post(f"{URL}t03/change/", inputs(refused))

    html = unescape(refused.content.decode())
    assert refused.status_code == 200
    assert "Somebody else changed this while you were editing" in html
    assert "It is now: 20.00" in html
    assert (inputs(refused)["price"], inputs(refused)["note"]) == ("30.00", "mine")
    assert after_refusal == 2000
    assert again.status_code == 302
    assert (Shelf.repository.get("t03").price, Shelf.repository.get("t03").note) == (3000, "mine")


def test_nested_parts_are_edited_in_the_form_of_their_whole() -> None:
    client = signed_in()
    form = inputs(client.get(f"{URL}t03/change/"))
    typed = {"sizes-0-price": "6.50", "sizes-1-sku": "XL", "sizes-1-price": "9.00"}

    client.post(f"{URL}t03/change/", {**form, **typed})

    assert Shelf.repository.get("t03").sizes == [Size("S3", 650, cost=3), Size("XL", 900)]


def test_a_mistake_in_a_part_is_told_with_its_row() -> None:
    client = signed_in()
    form = inputs(client.get(f"{URL}t03/change/"))

    page = client.post(f"{URL}t03/change/", {**form, "sizes-1-sku": "XL", "sizes-1-price": "dear"})

    assert "Row 2: Price: Enter a number." in page.content.decode()
    assert inputs(page)["sizes-1-price"] == "dear"


def test_a_new_thing_is_added_with_its_fact() -> None:
    client = signed_in()
    form = inputs(client.get(f"{URL}add/"))
    typed = {"title": "Sofa", "brand": "Acme", "state": "draft", "price": "99.00"}

    answer = client.post(f"{URL}add/", {**form, **typed})

    sofa = Shelf.repository.get("new-Sofa")
    assert answer.status_code == 302
    assert (sofa.price, sofa.state, sofa.version, sofa.events[0]["data"]["action"]) == (
        9900,
        State.DRAFT,
        1,
        "add",
    )


def test_a_name_that_is_taken_is_told_beside_the_form() -> None:
    client = signed_in()
    form = inputs(client.get(f"{URL}add/"))
    typed = {**form, "title": "Sofa", "brand": "Acme", "state": "draft", "price": "99.00"}
    client.post(f"{URL}add/", typed)

    page = client.post(f"{URL}add/", typed)

    assert page.status_code == 200
    assert "exists already" in page.content.decode()
    assert inputs(page)["price"] == "99.00"


def test_rows_edited_in_the_list_are_written_where_they_changed() -> None:
    client = signed_in()
    form = inputs(client.get(URL))
    chosen = next(name for name, value in form.items() if value == "t23").removesuffix("-id")

    answer = client.post(URL, {**form, f"{chosen}-price": "1.00", "_save": "Save"})

    assert answer.status_code == 302
    assert (Shelf.repository.get("t23").price, Shelf.repository.get("t23").version) == (100, 2)
    assert (Shelf.repository.get("t22").price, Shelf.repository.get("t22").version) == (1022, 1)


def test_a_stale_row_of_the_list_is_refused_with_what_was_typed() -> None:
    client = signed_in()
    form = inputs(client.get(URL))
    chosen = next(name for name, value in form.items() if value == "t23").removesuffix("-id")
    client.post(URL, {**form, f"{chosen}-price": "1.00", "_save": "Save"})

    page = client.post(URL, {**form, f"{chosen}-price": "2.00", "_save": "Save"})

    assert page.status_code == 200
    assert "Somebody else changed this" in page.content.decode()
    assert inputs(page)[f"{chosen}-price"] == "2.00"
    assert Shelf.repository.get("t23").price == 100


def test_an_action_reaches_the_chosen_and_leaves_a_fact() -> None:
    client = signed_in()

    client.post(URL, {"action": "publish", "index": "0", "_selected_action": ["t01", "t02"]})

    assert [Shelf.repository.get(id).state for id in ("t01", "t02", "t03")] == [
        State.LIVE,
        State.LIVE,
        State.DRAFT,
    ]
    assert Shelf.repository.get("t01").events[-1]["data"]["message"] == "Published."


def test_an_action_across_pages_reaches_all_that_match() -> None:
    client = signed_in()

    client.post(
        f"{URL}?brand=Umbra",
        {"action": "publish", "index": "0", "select_across": "1", "_selected_action": ["t24"]},
    )

    assert Shelf.repository.count({"state": "live"}, index="state-made") == 21


def test_an_action_that_is_refused_runs_once_and_says_why() -> None:
    client, before = signed_in(), Shelf.broken

    answer = client.post(URL, {"action": "break_rules", "index": "0", "_selected_action": ["t01"]})

    assert (answer.status_code, Shelf.broken - before) == (302, 1)
    assert "The rules say no." in client.get(URL).content.decode()


def test_a_rule_that_says_no_is_told_beside_what_was_typed() -> None:
    client = signed_in()
    form = inputs(client.get(f"{URL}t03/change/"))

    page = client.post(f"{URL}t03/change/", {**form, "brand": "Forbidden", "note": "mine"})

    assert "This brand is not sold here." in page.content.decode()
    assert (inputs(page)["brand"], inputs(page)["note"]) == ("Forbidden", "mine")
    assert Shelf.repository.get("t03").brand == "Acme"


def test_a_change_in_the_last_moment_is_noticed_too() -> None:
    class Overtaken:
        """The repository, but somebody else is quicker, once."""

        def __init__(self, inner: Any) -> None:
            self.inner, self.quicker = inner, True

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def update(self, id: str, change: Any, **options: Any) -> Any:
            if self.quicker:
                self.quicker = False
                self.inner.save(replace(self.inner.get(id), version=2, price=1))
            return self.inner.update(id, change, **options)

    client = signed_in()
    Shelf.repository = Overtaken(Shelf.repository)
    form = inputs(client.get(f"{URL}t03/change/"))

    page = client.post(f"{URL}t03/change/", {**form, "note": "mine"})

    assert "Somebody else changed this" in page.content.decode()
    assert (Shelf.repository.get("t03").price, Shelf.repository.get("t03").note) == (1, "")


def test_what_has_an_outbox_cannot_be_deleted() -> None:
    assert signed_in().get(f"{URL}t03/delete/").status_code == 403


def test_the_history_is_there_while_logs_is_away() -> None:
    client = signed_in()
    form = inputs(client.get(f"{URL}t03/change/"))
    client.post(f"{URL}t03/change/", {**form, "price": "12.34"})

    html = client.get(f"{URL}t03/history/").content.decode()

    assert "Changed Price." in html
    assert "Ada" in html


def test_a_reader_sees_and_changes_nothing() -> None:
    client = signed_in("reader")

    page = client.get(f"{URL}t03/change/")
    refused = client.post(f"{URL}t03/change/", {"title": "Mine"})

    assert (page.status_code, 'name="title"' in page.content.decode()) == (200, False)
    assert "S3" in page.content.decode()
    assert (refused.status_code, client.get(f"{URL}add/").status_code) == (403, 403)


def test_a_post_from_another_sites_page_is_refused() -> None:
    client = signed_in()

    by_origin = client.post(f"{URL}t03/change/", {}, headers={"Origin": "https://evil.example"})
    by_fetch = client.post(f"{URL}t03/change/", {}, headers={"Sec-Fetch-Site": "cross-site"})
    own = client.post(f"{URL}t03/change/", {}, headers={"Origin": "http://testserver"})

    assert (by_origin.status_code, by_fetch.status_code, own.status_code) == (403, 403, 200)


def test_the_index_shows_the_dashboard_even_when_one_part_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: Any) -> list[Any]:
        raise RuntimeError("no figures")

    def fine(request: Any) -> list[Any]:
        return [
            Card("Low stock", 3, note="<b>few</b>", tone="warn"),
            Table("Imports", ["file"], [["a.csv"]]),
            Chart("Orders", [("Mon", 3), ("Tue", 5)]),
        ]

    monkeypatch.setattr(site, "_dashboards", [broken, fine])

    page = signed_in().get(f"{BASE}/")

    html = page.content.decode()
    assert page.status_code == 200
    assert all(part in html for part in ("Low stock", "&lt;b&gt;few", "a.csv", 'height="160.0"'))
    assert page["Content-Security-Policy"].startswith("default-src 'self'")


def test_an_unknown_thing_leads_back_with_a_word() -> None:
    assert signed_in().get(f"{URL}nope/change/").status_code == 302


def test_titles_are_shown_as_text_whatever_they_hold() -> None:
    Shelf.repository.update("t24", lambda thing: setattr(thing, "title", "<script>alert(1)</script>"))

    html = signed_in().get(URL).content.decode()

    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html
