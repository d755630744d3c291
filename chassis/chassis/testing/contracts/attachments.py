"""Bytes that belong to an entity."""

from __future__ import annotations

import pytest

from chassis.couch import Conflict, NotFound, Repository
from chassis.testing.fruits import Fruit


class AttachmentsContract:
    def test_an_attachment_survives_later_writes(self, repository: Repository[Fruit]) -> None:
        fruit = repository.add(Fruit("a", "apple"))
        data = bytes(range(256)) * 40

        attached = repository.attach(fruit, "photo", data, "image/png")
        attached.name = "after"
        saved = repository.save(attached)

        assert repository.attachment("a", "photo") == data
        assert repository.get("a") == saved
        assert repository.detach(saved, "photo").extra == {}
        with pytest.raises(NotFound):
            repository.attachment("a", "photo")

    def test_an_attachment_is_put_on_the_revision_that_was_read(self, repository: Repository[Fruit]) -> None:
        stale = repository.add(Fruit("a", "apple"))
        fresh = repository.get("a")
        fresh.name = "b"
        repository.save(fresh)

        with pytest.raises(Conflict):
            repository.attach(stale, "photo", b"x", "image/png")
        with pytest.raises(NotFound):
            repository.attachment("a", "photo")
        with pytest.raises(NotFound):
            repository.attachment("nothing", "photo")
