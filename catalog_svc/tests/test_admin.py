"""Admin pages at /admin/catalog/."""

from __future__ import annotations

import html
import io
import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from catalog.domain import Variant
from catalog.readmodel.consistency import Discrepancy
from chassis.admin.sso import SignOn, use
from chassis.testing.identity import make_token
from shop import eur, small_shop

ADMIN = "/admin/catalog/catalog"
WRITERS = ["product", "category", "stock", "image"]
HELD = {
    "editor": [f"catalog.{noun}.{verb}" for noun in WRITERS for verb in ("read", "write")],
    "reader": [f"catalog.{noun}.read" for noun in WRITERS],
}


def exchange(session: str) -> Any:
    if session not in HELD:
        return None
    token = make_token(sub="s1", roles=("manager",), permissions=HELD[session])
    return {"access": token, "expires_in": 600, "user": {"name": "Ada", "email": "ada@example.com"}}


@pytest.fixture
def shop(world: Any) -> Any:
    use(SignOn(exchange))
    small_shop(world.parts)
    world.catch_up()
    yield world
    use(None)


def staff(session: str = "editor") -> Client:
    client = Client()
    client.cookies["staff_session"] = session
    return client


def form_of(page: str) -> dict[str, str]:
    """Return what a browser would send of a page's unchanged form."""
    values = {}
    for tag in re.findall(r"<input[^>]*>", page):
        found = {name: html.unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if found.get("type") in ("submit", "file") or "name" not in found:
            continue
        if found.get("type") != "checkbox" or " checked" in tag:
            values[found["name"]] = found.get("value", "")
    for name, inside in re.findall(r'<textarea[^>]*name="([\w-]+)"[^>]*>\s*(.*?)</textarea>', page, re.S):
        values[name] = html.unescape(inside)
    for name, inside in re.findall(r'<select[^>]*name="([\w-]+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.findall(r'value="([^"]*)" selected', inside)
        values[name] = chosen[0] if chosen else ""
    return values


def errors_of(html: str) -> list[str]:
    return re.findall(r'<ul class="errorlist[^"]*"[^>]*>\s*<li>(.*?)</li>', html)


def test_the_dashboard_shows_alerts(shop):
    page = staff().get("/admin/catalog/").content.decode()

    assert "Stock alerts" in page
    assert "FLOOR-LAMP" in page
    assert "Pictures that failed" in page


def test_the_dashboard_shows_index_repairs(shop):
    before = staff().get("/admin/catalog/").content.decode()
    shop.parts.index_repairs.record([Discrepancy("p0001", "missing", "not shown", "mark")])

    page = staff().get("/admin/catalog/").content.decode()

    assert "lists and search agree with the documents" in before
    assert "were repaired" not in before
    assert "lists and search agree with the documents" not in page
    assert re.search(r'p0001/change/">p0001</a></td>\s*<td[^>]*>missing</td>\s*<td[^>]*>not shown', page)


def test_products_are_listed_searched_and_filtered(shop):
    def titles(**query: str) -> list[str]:
        page = staff().get(f"{ADMIN}/product/", query).content.decode()
        names = ["Desk lamp", "Floor lamp", "Reading lamp", "Armchair", "Stool", "Teddy bear"]
        return [name for name in names if f">{name}</a>" in page]

    assert len(titles()) == 6
    assert titles(q="lamps") == ["Desk lamp", "Floor lamp", "Reading lamp"]
    assert titles(q="STOOL-R") == ["Stool"]
    assert titles(brand="Vela") == ["Reading lamp", "Armchair"]
    assert titles(status__exact="hidden") == []


def test_a_price_is_changed_in_the_list(shop):
    url = f"{ADMIN}/product/"
    form = form_of(staff().get(url).content.decode())
    row = next(name for name, value in form.items() if value == "49.00")

    answer = staff().post(url, {**form, row: "39.90", "_save": "Save"})

    product = shop.parts.products.get("desk-lamp")
    assert answer.status_code == 302, errors_of(answer.content.decode())
    assert (product.cheapest.price, product.version) == (eur(3990), 2)
    types = [event["type"] for event in product.events]
    assert types[-2:] == ["product.changed", "audit.recorded"]


def test_a_product_is_created_with_its_variants(shop):
    url = f"{ADMIN}/product/add/"
    form = form_of(staff().get(url).content.decode())

    answer = staff().post(
        url,
        {
            **form,
            "title": "Mug",
            "brand": "Odd & Co",
            "category": "home",
            "status": "active",
            "variants-0-sku": "MUG",
            "variants-0-attributes": "colour: Red",
            "variants-0-price": "12.50",
            "variants-0-tax_class": "standard",
            "variants-0-weight": "300",
        },
    )

    assert answer.status_code == 302, errors_of(answer.content.decode())
    assert shop.parts.products.get("mug").variants == [
        Variant("MUG", eur(1250), {"colour": "Red"}, None, "standard", 300)
    ]
    assert shop.parts.stock.get("MUG").on_hand == 0


def test_a_product_is_edited_and_a_stale_edit_is_refused(shop):
    url = f"{ADMIN}/product/p0005/change/"
    form = form_of(staff().get(url).content.decode())

    first = staff().post(url, {**form, "title": "Bar stool", "variants-1-price": "33.00"})
    second = staff().post(url, {**form, "title": "Milking stool"})

    product = shop.parts.products.get("stool")
    assert first.status_code == 302, errors_of(first.content.decode())
    assert (product.title, [v.price.amount for v in product.variants]) == ("Bar stool", [3900, 3300])
    assert second.status_code == 200
    assert "Somebody else changed this" in second.content.decode()
    assert 'value="Milking stool"' in second.content.decode()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"slug": "No Slug"}, "small letters"),
        ({"slug": "armchair"}, "taken"),
        ({"variants-0-sku": "a/b"}, "SKU"),
        ({"variants-0-price": "0"}, "more than 0"),
        ({"variants-0-price": "-3"}, "more than 0"),
        ({"variants-0-price": "x"}, "number"),
        ({"category": "nowhere"}, "valid choice"),
        ({"title": ""}, "required"),
    ],
)
def test_rule_violations_are_shown_beside_the_form(shop, change, reason):
    url = f"{ADMIN}/product/p0005/change/"
    form = form_of(staff().get(url).content.decode())

    answer = staff().post(url, {**form, **change})

    assert answer.status_code == 200
    assert reason in " ".join(errors_of(answer.content.decode()))
    assert shop.parts.products.get("stool").version == 1


def test_a_picture_is_uploaded_with_the_product(shop):
    out = io.BytesIO()
    Image.new("RGB", (300, 300), "teal").save(out, "PNG")
    url = f"{ADMIN}/product/p0005/change/"
    form = form_of(staff().get(url).content.decode())

    bad = staff().post(url, {**form, "picture": SimpleUploadedFile("x.svg", b"<svg/>")})
    good = staff().post(
        url, {**form, "picture": SimpleUploadedFile("x.png", out.getvalue()), "picture_alt": "A stool"}
    )
    assert good.status_code == 302, errors_of(good.content.decode())
    shop.parts.images.render(shop.renderer.enqueued[0])

    assert "Only JPEG" in " ".join(errors_of(bad.content.decode()))
    assert good.status_code == 302, errors_of(good.content.decode())
    assert [image.alt for image in shop.parts.products.get("stool").images] == ["A stool"]
    assert "-160.webp" in staff().get(url).content.decode()


def test_products_are_hidden_and_deleted(shop):
    staff().post(f"{ADMIN}/product/", {"action": "hide", "_selected_action": ["p0005"]})
    staff().post(f"{ADMIN}/product/p0006/delete/", {"post": "yes"})

    assert str(shop.parts.products.get("stool").status) == "hidden"
    assert staff().get("/api/catalog/products/teddy-bear").status_code == 404


def test_a_category_is_created_moved_and_not_deleted_while_in_use(shop):
    add = f"{ADMIN}/category/add/"
    made = staff().post(
        add, {**form_of(staff().get(add).content.decode()), "title": "Garden", "parent": "home"}
    )
    change = f"{ADMIN}/category/garden/change/"
    form = form_of(staff().get(change).content.decode())
    moved = staff().post(change, {**form, "title": "Adapters", "parent": ""})
    cycle = {"title": "Home", "parent": "lamps", "position": "0", "document_version": "1"}
    wrong = staff().post(f"{ADMIN}/category/home/change/", cycle)
    staff().post(f"{ADMIN}/category/home/delete/", {"post": "yes"})

    garden = shop.parts.categories.get("garden")
    assert (made.status_code, moved.status_code) == (302, 302)
    assert (garden.title, garden.parent) == ("Adapters", None)
    assert "below itself" in wrong.content.decode()
    assert shop.parts.categories.get("home").title == "Home"


def test_stock_is_counted_through_its_rules(shop):
    url = f"{ADMIN}/stock/"
    form = form_of(staff().get(url, {"q": "DESK-LAMP"}).content.decode())
    row = next(name for name in form if name.endswith("-on_hand"))

    good = staff().post(f"{url}?q=DESK-LAMP", {**form, row: "25", "_save": "Save"})
    bad = staff().post(f"{url}?q=DESK-LAMP", {**form, row: "-1", "_save": "Save"})

    assert (good.status_code, bad.status_code) == (302, 200)
    assert shop.parts.stock.get("DESK-LAMP").on_hand == 25
    assert staff().get(f"{url}add/").status_code == 403


def test_a_failed_picture_is_tried_again(shop):
    product = shop.parts.products.get("stool")
    image = shop.parts.images.upload(product=product, data=b"\xff\xd8\xff nothing", alt="")
    shop.parts.images.render(image.id)
    listed = staff().get(f"{ADMIN}/image/", {"status__exact": "failed"}).content.decode()

    staff().post(f"{ADMIN}/image/", {"action": "retry", "_selected_action": [image.id]})

    assert "cannot be decoded" in listed
    assert str(shop.parts.images.get(image.id).status) == "processing"
    assert shop.renderer.enqueued == [image.id, image.id]


def test_a_review_is_deleted(shop):
    stool = shop.parts.products.get("stool")
    review = shop.parts.reviews.write(
        product=stool, account_id="a1", author="", rating=1, title="<script>alert(1)</script>", body=""
    )
    listed = staff().get(f"{ADMIN}/review/").content.decode()

    staff().post(
        f"{ADMIN}/review/", {"action": "delete_selected", "_selected_action": [review.id], "post": "yes"}
    )

    assert "<script>alert" not in listed
    assert shop.parts.products.get("stool").rating.count == 0


def test_a_read_only_user_changes_nothing(shop):
    reader = staff("reader")

    assert reader.get(f"{ADMIN}/product/p0005/change/").status_code == 200
    assert reader.get(f"{ADMIN}/product/add/").status_code == 403
    assert reader.post(f"{ADMIN}/product/p0005/change/", {"title": "X"}).status_code == 403
    assert staff("nobody").get(f"{ADMIN}/product/").status_code == 302
