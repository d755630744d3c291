"""A clean machine: images built, stack up, and selling as it does locally."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from local.seed.goods import load
from swarm import cli
from swarm.seed import import_history
from tests.client import Client

# The same purchases as locally, in this module's hands: `shop` is the deployed one.
from tests.e2e.test_main_path import (
    test_a_cancelled_order_gives_stock_and_money_back,
    test_a_declined_card_is_told_and_the_stock_is_back,
    test_a_guest_sees_the_order_with_its_token_and_nobody_without,
    test_a_new_customer_registers_searches_fills_a_cart_and_orders,
    test_the_same_key_again_gives_the_same_answer_and_one_order,
    test_the_shop_says_how_each_service_is,
    test_twelve_buyers_at_once_for_a_stock_of_three_buy_exactly_three,
    test_what_is_internal_is_not_found_from_outside,
)
from tests.swarm import builds
from tests.swarm.measure import image_sizes, memory
from tests.swarm.stack import PASSWORD

pytestmark = pytest.mark.swarm

__all__ = [
    "test_a_cancelled_order_gives_stock_and_money_back",
    "test_a_declined_card_is_told_and_the_stock_is_back",
    "test_a_guest_sees_the_order_with_its_token_and_nobody_without",
    "test_a_new_customer_registers_searches_fills_a_cart_and_orders",
    "test_the_same_key_again_gives_the_same_answer_and_one_order",
    "test_the_shop_says_how_each_service_is",
    "test_twelve_buyers_at_once_for_a_stock_of_three_buy_exactly_three",
    "test_what_is_internal_is_not_found_from_outside",
]


def test_pages_and_pictures_come_through_the_gateway(shop):
    visitor = Client(shop.url)
    card = visitor.get("/api/catalog/products?q=guitar").json["results"][0]

    page = visitor.get("/p/acoustic-guitar")
    picture = visitor.get(card["image"]["renditions"][0]["url"].removeprefix(shop.url))

    assert page.status == 200
    assert b"Acoustic guitar" in page.body
    assert picture.status == 200
    assert picture.headers["Content-Type"].startswith("image/")


def test_plain_http_is_sent_to_https(shop):
    answer = Client(f"http://127.0.0.1:{shop.given['HTTP_PORT']}").get("/p/honey", Host="localhost")

    assert answer.status == 308
    assert answer.headers["Location"] == f"{shop.url}/p/honey"


def test_images_are_small_and_the_idle_stack_is_light(shop, figures):
    sizes, used = image_sizes(shop), memory(shop)

    figures.put("image sizes, MB", sizes)
    figures.put("idle stack, MB", used["total"])
    figures.put("idle stack by service, MB", used["by_service"])
    assert max(size for name, size in sizes.items() if name not in {"reco"}) <= 350


def test_the_demos_history_goes_in_by_a_job(shop, tmp_path):
    """As `make swarm-seed` does it."""
    goods = load()
    known = {good.title: good.slug for good in goods} | {good["title"]: good["id"] for good in shop.goods}
    today = datetime.now(UTC).date()
    days = f"from={today - timedelta(days=70)}&to={today}"
    tmp_path.parent.chmod(0o755)

    import_history(shop.cluster, goods, known, tmp_path)

    steps = shop.staff().get(f"/api/logs/stats/funnel?{days}").json
    assert steps["results"][0]["events"] > 500, steps


def ids(tasks) -> set[str]:
    return {task["ID"] for task in tasks}


def test_a_deploy_again_rolls_nothing(shop, figures):
    before = {name: shop.tasks(name) for name in shop.cluster.services()}
    began = time.monotonic()

    said = shop.swarm("deploy")

    shop.without_autoscaler()
    figures.put("deploy again, nothing changed, s", round(time.monotonic() - began, 1))
    assert "nothing had to be rolled" in said
    after = {name: shop.tasks(name) for name in shop.cluster.services()}
    assert {name: ids(tasks) for name, tasks in after.items()} == {
        name: ids(tasks) for name, tasks in before.items()
    }
    assert PASSWORD not in said


def test_a_deploy_after_an_update_brings_the_work_trees_image_back(shop):
    """By image id, from the containers that run: Docker's own label does not know of an update."""
    before = running_image(shop, "cart")
    shop.swarm("update", SERVICE="cart", IMAGE=builds.build(shop, "cart", builds.GOOD))
    updated = running_image(shop, "cart")

    said = shop.swarm("deploy")

    shop.without_autoscaler()
    assert updated != before
    assert running_image(shop, "cart") == before
    assert "rolled cart" in said
    assert "not as deployed: cart" not in shop.swarm("status")


def test_the_status_shows_what_somebody_changed_by_hand_and_a_deploy_puts_it_right(shop):
    full = shop.full("cart-background")
    by_hand = ["service", "update", "--detach=false", "--quiet", "--env-add", "LOG_LEVEL=DEBUG"]
    cli.run([*by_hand, "--limit-memory", "200M", full])

    seen = shop.swarm("status")
    shop.swarm("deploy")

    shop.without_autoscaler()
    assert "not as deployed: cart-background has other settings: LOG_LEVEL" in seen
    assert "not as deployed: cart-background may use 209,715,200 bytes of memory" in seen
    assert "not as deployed: cart-background" not in shop.swarm("status")


def running_image(shop, service: str) -> str:
    """Return the id of the image that the service's one container was made of."""
    (task,) = shop.tasks(service)
    container = task["Status"]["ContainerStatus"]["ContainerID"]
    return str(shop.docker().api.inspect_container(container)["Image"])
