"""A worker in its own process, to be killed or starved: `python -m tests.worker TRAINING [STOP]`.

It runs a training on the CouchDB of COUCHDB_URL with `shoppers`' events (and EVENTS more), and prints each
page that it reads; after STOP pages it stops reading and waits. TRAINING_MEMORY_MB limits it.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from datetime import timedelta
from pathlib import Path

PAGE = 50


def shoppers(history, count=200):
    """Generate pairs of products that are viewed together; the same every time."""
    for number in range(count):
        near = f"p{number % 20}", f"p{(number * 7 + 1) % 20}"
        history.visit(f"s{number}", *near, user=f"u{number % 30}", ago=9 - number * 8 / count)


def grow(history, count):
    """Generate events of as many sessions, each sometimes with a new product."""
    at = history.events[0].at
    one = type(history.events[0])
    history.events += [
        one(
            "view", f"product-{number % 3000}", at + timedelta(seconds=number), None, f"session-{number // 3}"
        )
        for number in range(count)
    ]


def say(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main(training_id: str, stop: int) -> None:
    from chassis.testing.django import setup

    setup(str(Path(__file__).with_name("conftest.py")))
    from chassis.couch import couch_repository
    from tests.world import World

    world = World(couch_repository, page=PAGE, pages=2, memory=int(os.environ.get("TRAINING_MEMORY_MB", "0")))
    shoppers(world.history)
    if os.environ.get("EVENTS"):
        world.history.page = 20_000
        grow(world.history, int(os.environ["EVENTS"]))
    after, read = world.history.after, []

    def said(cursor):
        say("read", cursor)
        read.append(cursor)
        if len(read) > stop:
            time.sleep(600)
        return after(cursor)

    world.history.after = said
    training = world.parts.trainings.training_run(training_id)
    say("ended", training.status, training.reason)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10**9)
