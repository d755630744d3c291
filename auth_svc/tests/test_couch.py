"""The same use cases over a real server of the CouchDB protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import World

from accounts import repositories, wiring
from chassis.api.errors import Conflict, NotAuthenticated
from chassis.couch import couch_repository, ensure
from chassis.testing.couch import couch_server, fresh_databases

pytestmark = pytest.mark.integration


class StoredWorld(World):
    """Everything in memory but the documents."""

    def repository(self, collection: Any) -> Any:
        return self.repositories.setdefault(collection.kind, couch_repository(collection))


@pytest.fixture(scope="module")
def stored() -> Iterator[StoredWorld]:
    with couch_server(), fresh_databases():
        ensure(wiring.COLLECTIONS)
        yield StoredWorld()


def test_a_persons_life_with_the_shop(stored: StoredWorld) -> None:
    account = stored.account("ada@example.com")
    stored.deliver()
    stored.parts.recovery.verify(stored.post.token())
    pair = stored.parts.signin.sign_in(email="ada@example.com", password="correct horse")
    successor = stored.parts.signin.refresh(pair.refresh)
    stored.parts.profile.change_password(account.id, old="correct horse", new="battery staple")

    with pytest.raises(NotAuthenticated):
        stored.parts.signin.refresh(successor.refresh)
    with pytest.raises(Conflict):
        stored.account("ADA@example.com")
    assert stored.parts.accounts.get(account.id).email_verified


def test_lists_counts_and_sweeps_find_their_indexes(stored: StoredWorld) -> None:
    stored.account("eve@example.com", active=False)
    stored.account("zoe@example.com")
    stored.clock.forward(hours=1)

    assert stored.parts.accounts.count({"active": False}, index="active") == 1
    assert stored.parts.accounts.find("created", descending=True, limit=1).items[0].email == "zoe@example.com"
    assert stored.parts.housekeeping.free_claims() == 0
    assert stored.parts.mailing.sweep() == 1
    assert stored.parts.housekeeping.forget_ended() == 0
    assert {one.kind for one in repositories.COLLECTIONS} == {"account", "email", "family", "session", "mail"}
