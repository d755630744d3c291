"""Fills an empty shop with the demo goods, their pictures and a history; then trains the first model.

    SEED_PASSWORD=… python -m local.seed --url http://127.0.0.1:8000 --email admin@…

The password comes from the environment (SEED_PASSWORD). Safe to run again: what is there already stays.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from local.seed import steps
from local.seed.goods import load
from local.seed.shop import Shop, ShopRefused


def main() -> int:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--url", required=True, help="the shop's address")
    parser.add_argument("--email", required=True, help="a member of staff with every permission")
    arguments = parser.parse_args()
    password = os.environ.get("SEED_PASSWORD")
    if not password:
        parser.error("SEED_PASSWORD is not set")
    began = time.monotonic()
    try:
        shop = Shop(arguments.url, arguments.email, password)
        goods = load()
        steps.create_categories(shop, goods)
        ids = steps.create_products(shop, goods)
        steps.import_history(goods, ids)
        steps.wait_for_pictures(shop)
        steps.train_first_model(shop, ids)
    except (ShopRefused, steps.SeedFailed) as error:
        print(f"seeding stopped: {error}", file=sys.stderr)
        return 1
    print(f"{len(goods)} products are in, after {time.monotonic() - began:.0f} s", flush=True)
    return 0


sys.exit(main())
