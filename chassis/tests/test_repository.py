"""The repository's contract, on the in-memory twin and on a real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chassis.couch import MemoryRepository, Repository, couch_repository, ensure
from chassis.testing.contracts import RepositoryContract
from chassis.testing.couch import CouchServer, fresh_databases
from chassis.testing.fruits import FRUITS, Fruit


class TestMemoryRepository(RepositoryContract):
    @pytest.fixture
    def repository(self) -> Repository[Fruit]:
        return MemoryRepository(FRUITS)


@pytest.mark.integration
class TestCouchRepository(RepositoryContract):
    @pytest.fixture
    def repository(self, couch: CouchServer) -> Iterator[Repository[Fruit]]:
        with fresh_databases():
            ensure([FRUITS])
            yield couch_repository(FRUITS)
