"""The audit trail: appended to, read, and held against its chains."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from chassis.couch import Busy, Conflict, Page, Repository
from logs.domain import AuditEntry, Head, Link
from logs.domain.audit import FIRST, chain_of

T = TypeVar("T")

_ATTEMPTS = 40
_AT_ONCE = 200


@dataclass(slots=True)
class Verdict:
    """What a verification found. `heads` is the last hash of each chain, to be kept somewhere else."""

    entries: int = 0
    links: int = 0
    erased: int = 0
    unsealed: int = 0
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


class Audit:
    def __init__(
        self,
        *,
        entries: Repository[AuditEntry],
        links: Repository[Link],
        heads: Repository[Head],
        clock: Callable[[], datetime],
        salt: Callable[[], str],
    ) -> None:
        self._entries, self._links, self._heads = entries, links, heads
        self._clock, self._salt = clock, salt

    # -- writing

    def append(self, entry: AuditEntry) -> bool:
        """Keep an entry and give it its place in its writer's chain of the day; False when it has both.

        May be told again, also by several at once: the entry is known by its id, and a place in a chain is a
        document's id, which one of them gets. A crash between the two is mended when it is told again.
        """
        entry.seal(self._salt(), self._salt())
        try:
            self._entries.add(entry)
        except Conflict:
            entry = self._entries.get(entry.id)
            if self._linked(entry.id):
                return False
        self._link(entry)
        return True

    def seal_old(self) -> int:
        """Give entries of before the chains their place; how many."""
        found, cursor = 0, None
        while True:
            page = self._entries.find("by_time", limit=_AT_ONCE, cursor=cursor)
            for entry in page:
                if not self._linked(entry.id):
                    self._link(self._entries.update(entry.id, self._sealed))
                    found += 1
            cursor = page.next
            if cursor is None:
                return found

    def _sealed(self, entry: AuditEntry) -> None:
        if not entry.sealed:
            entry.seal(self._salt(), self._salt())

    def _linked(self, entry_id: str) -> bool:
        return bool(self._links.find("by_entry", {"entry": entry_id}, limit=1).items)

    def _link(self, entry: AuditEntry) -> Link:
        chain = chain_of(entry.service, self._clock().date().isoformat())
        for attempt in range(_ATTEMPTS):
            last = self._last(f"{chain}.", f"{chain}.~")
            before = None if last else self._last(f"{entry.service}.", f"{chain}.")
            link = Link.following(chain, last, before, entry)
            try:
                self._links.add(link)
            except Conflict:
                time.sleep(random.uniform(0, 0.002 * min(attempt, 20)))  # noqa: S311 - only jitter
                continue
            self._reach(link)
            return link
        raise Busy(f"the chain {chain} is written by too many at once")

    def _reach(self, link: Link) -> None:
        self._heads.update(link.chain, lambda head: head.reach(link), create=lambda: Head(link.chain))

    def _last(self, start: str, end: str) -> Link | None:
        found = self._links.find("id", start=start, end=end, descending=True, limit=1).items
        return found[0] if found else None

    # -- reading

    def list(
        self, *, actor: str | None, object: str | None, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """The newest first."""
        where = {"actor": actor, "object_id": object}
        where = {name: value for name, value in where.items() if value is not None}
        names = {(): "by_time", ("actor",): "by_actor", ("object_id",): "by_object"}
        index = names.get(tuple(where), "by_both")
        return self._entries.find(index, where, descending=True, limit=limit, cursor=cursor)

    # -- verifying

    def verify(self, expected: Mapping[str, tuple[int, str]] | None = None) -> Verdict:
        """Hold every entry against the chains, and every chain against itself, its head and what was
        `expected` of it: heads of an earlier verdict, kept where nobody could change both.
        """
        verdict, walk = Verdict(), _Walk()
        linked: dict[str, str] = {}
        for link in _all(self._links):
            verdict.links += 1
            verdict.faults += walk.flaws(link)
            linked.setdefault(link.entry, link.digest)
            if linked[link.entry] != link.digest:
                verdict.faults.append(f"{link.id}: entry {link.entry} has two different contents")
            self._check_expected(link, expected or {}, verdict)
            verdict.heads[link.chain] = (link.number, link.hash)
        self._check_heads(expected or {}, verdict)
        self._check_entries(linked, verdict)
        return verdict

    @staticmethod
    def _check_expected(link: Link, expected: Mapping[str, tuple[int, str]], verdict: Verdict) -> None:
        number, end = expected.get(link.chain, (0, ""))
        if link.number == number and link.hash != end:
            verdict.faults.append(f"{link.id}: not the link that was expected")

    def _check_heads(self, expected: Mapping[str, tuple[int, str]], verdict: Verdict) -> None:
        for head in _all(self._heads):
            number, end = verdict.heads.get(head.id, (0, ""))
            if number < head.number:
                verdict.faults.append(f"{head.id}: ends at {number}, but had {head.number} links")
            elif number == head.number and end != head.hash:
                verdict.faults.append(f"{head.id}: does not end as it did")
        for chain, (number, _) in expected.items():
            if verdict.heads.get(chain, (0, ""))[0] < number:
                verdict.faults.append(f"{chain}: had {number} links")

    def _check_entries(self, linked: dict[str, str], verdict: Verdict) -> None:
        erasures = set()
        cited: list[tuple[str, str]] = []
        for entry in _all(self._entries):
            verdict.entries += 1
            erasures.add(entry.id)
            cited += [(entry.id, erasure) for erasure in sorted(set(entry.erased.values()))]
            verdict.erased += bool(entry.erased)
            verdict.faults += self._entry_flaws(entry, linked.pop(entry.id, None), verdict)
        verdict.faults += [f"entry {id}: is gone" for id in linked]
        verdict.faults += [
            f"entry {id}: was erased by {erasure}, of which nothing is known"
            for id, erasure in cited
            if f"erasure-{erasure}" not in erasures
        ]

    @staticmethod
    def _entry_flaws(entry: AuditEntry, digest: str | None, verdict: Verdict) -> Iterator[str]:
        if digest is None:
            if entry.sealed:
                yield f"entry {entry.id}: is in no chain"
            else:
                verdict.unsealed += 1
            return
        if entry.digest() != digest:
            yield f"entry {entry.id}: is not what its chain says"
        for flaw in entry.flaws():
            yield f"entry {entry.id}: {flaw}"


class _Walk:
    """Goes along all links as they are stored, by writer, day and number; says what is wrong with each."""

    def __init__(self) -> None:
        self._last: Link | None = None
        self._hashes: dict[str, str] = {}  # of this chain and of the writer's chain before it
        self._before: dict[str, str] = {}

    def flaws(self, link: Link) -> Iterator[str]:
        last = self._last
        if last is None or last.chain != link.chain:
            same_writer = last is not None and _writer(last.chain) == _writer(link.chain)
            self._before, self._hashes = (self._hashes if same_writer else {}), {}
            last = None
        if link.hash != link.computed():
            yield f"{link.id}: was changed"
        if link.number != (last.number + 1 if last else 1):
            yield f"{link.id}: links before it are missing"
        elif last:
            if link.previous != last.hash:
                yield f"{link.id}: does not follow {last.id}"
        elif not self._begins_well(link):
            yield f"{link.id}: the chain before it does not have what it follows"
        self._hashes[link.id] = link.hash
        self._last = link

    def _begins_well(self, link: Link) -> bool:
        """A day's first link follows one of the writer's day before: the last one, or, when two processes
        met at midnight, one near it.
        """
        if not self._before:
            return not link.after and link.previous == FIRST
        return self._before.get(link.after) == link.previous


def _writer(chain: str) -> str:
    return chain.rpartition(".")[0]


def _all(repository: Repository[T]) -> Iterator[T]:
    cursor = None
    while True:
        page = repository.find("id", limit=_AT_ONCE, cursor=cursor)
        yield from page
        cursor = page.next
        if cursor is None:
            return
