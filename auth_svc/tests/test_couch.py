"""Integration tests of the use cases with a CouchDB server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import World

from accounts import container, repositories
from chassis.api.errors import Conflict, NotAuthenticated
from chassis.couch import couch_repository, ensure
from chassis.testing.couch import couch_server, fresh_databases

pytestmark = pytest.mark.integration


class StoredWorld(World):
    """The service with documents in CouchDB and everything else in memory."""

    def repository(self, collection: Any) -> Any:
        return self.repositories.setdefault(collection.kind, couch_repository(collection))


@pytest.fixture(scope="module")
def stored() -> Iterator[StoredWorld]:
    with couch_server(), fresh_databases():
        ensure(container.COLLECTIONS)
        yield StoredWorld()


def test_an_account_from_registration_to_erasure(stored: StoredWorld) -> None:
    account = stored.account("ada@example.com")
    stored.deliver()
    stored.parts.recovery.verify(stored.mailer.token())
    pair = stored.parts.signin.sign_in(email="ada@example.com", password="correct horse")
    successor = stored.parts.signin.refresh(pair.refresh)
    stored.parts.profile.change_password(account.id, old="correct horse", new="battery staple")

    with pytest.raises(NotAuthenticated):
        stored.parts.signin.refresh(successor.refresh)
    with pytest.raises(Conflict):
        stored.account("ADA@example.com")
    assert stored.parts.accounts.get(account.id).email_verified


def test_lists_counts_and_cleanup_use_their_indexes(stored: StoredWorld) -> None:
    stored.account("eve@example.com", active=False)
    stored.account("zoe@example.com")
    stored.clock.advance(hours=1)

    assert stored.parts.accounts.count({"active": False}, index="active") == 1
    assert stored.parts.accounts.find("created", descending=True, limit=1).items[0].email == "zoe@example.com"
    assert stored.parts.cleanup.release_orphaned_claims() == 0
    assert stored.parts.account_mail.deliver_due() == 1
    assert stored.parts.cleanup.delete_expired() == 0
    assert {one.kind for one in repositories.COLLECTIONS} == {"account", "email", "family", "session", "mail"}
