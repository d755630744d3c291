"""Takes the pictures in docs/pictures of a running shop: phone and desktop, light and dark.

PASSWORD=… python -m local.pictures http://localhost:8000 admin@…
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures"
SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 390, "height": 844},
    "desktop": {"width": 1280, "height": 900},
}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def main() -> None:
    url, email = sys.argv[1:3]
    found = shutil.which("chromium") or shutil.which("google-chrome")
    arguments = ["--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
    arguments += ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=arguments)
        for size in SIZES:
            for scheme in SCHEMES:
                _tour(browser, url, size, scheme, email)
        browser.close()


def _tour(browser: Browser, url: str, size: str, scheme: Scheme, email: str) -> None:
    context = browser.new_context(
        base_url=url, viewport=SIZES[size], color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name="No, only count").click()
    for name, path in (("home", "/"), ("category", "/c/outdoor"), ("product", "/p/acoustic-guitar")):
        page.goto(path)
        _shoot(page, f"{name}-{size}-{scheme}")
    for slug in ("tent-for-two", "torch", "acoustic-guitar"):
        page.goto(f"/p/{slug}")
        page.get_by_role("button", name="Add to cart", exact=True).click()
        page.locator("#toast").get_by_text("cart").first.wait_for()
    page.goto("/cart")
    _shoot(page, f"cart-{size}-{scheme}")
    page.goto("/checkout")
    _fill(page)
    _shoot(page, f"checkout-{size}-{scheme}")
    page.get_by_role("button", name="Order and pay").click()
    page.wait_for_url("**/orders/HM-*")
    _shoot(page, f"order-{size}-{scheme}")
    _admin(page, email)
    _shoot(page, f"admin-orders-{size}-{scheme}")
    context.close()


def _fill(page: Page) -> None:
    page.locator("#id_email").fill("ada@example.com")
    page.locator("#id_name").fill("Ada Lovelace")
    page.locator("#id_line1").fill("Rue de la Loi 16")
    page.locator("#id_postal_code").fill("1000")
    page.locator("#id_city").fill("Brussels")
    page.locator("#id_country").select_option("BE")
    page.wait_for_timeout(600)


def _admin(page: Page, email: str) -> None:
    page.goto("/admin/checkout/checkout/order/")
    page.locator("input[name=email]").fill(email)
    page.locator("input[type=password]").fill(os.environ["PASSWORD"])
    page.locator("button[type=submit]").first.click()
    page.locator("#result_list").wait_for()


def _shoot(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png")
    print(name, flush=True)


if __name__ == "__main__":
    main()
