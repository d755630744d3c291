"""The audit trail: appending, listing, and verification against its chains."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from chassis.couch import Busy, Conflict, Page, Repository
from logs.domain import AuditEntry, Head, Link
from logs.domain.audit import GENESIS_HASH, chain_name

T = TypeVar("T")

_ATTEMPTS = 40
_BATCH_SIZE = 200


@dataclass(slots=True)
class VerificationReport:
    """The result of a verification.

    `heads` maps each chain to its last number and hash, to be stored somewhere else.
    """

    entries: int = 0
    links: int = 0
    erased: int = 0
    unsealed: int = 0
    heads: dict[str, tuple[int, str]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class AuditTrail:
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
        """Append an entry to the trail and to its writer's chain of the day; False if it is there.

        Safe to repeat, also concurrently: the entry is identified by its id, and a position in a chain is a
        document's id, which only one writer gets. A crash between the two writes is repaired when the entry
        is appended again.
        """
        entry.seal(self._salt(), self._salt())
        try:
            self._entries.add(entry)
        except Conflict:
            entry = self._entries.get(entry.id)
            if self._has_link(entry.id):
                return False
        self._append_link(entry)
        return True

    def seal_unchained(self) -> int:
        """Add entries older than the chains to a chain, and return their number."""
        found, cursor = 0, None
        while True:
            page = self._entries.find("by_time", limit=_BATCH_SIZE, cursor=cursor)
            for entry in page:
                if not self._has_link(entry.id):
                    self._append_link(self._entries.update(entry.id, self._sealed))
                    found += 1
            cursor = page.next
            if cursor is None:
                return found

    def _sealed(self, entry: AuditEntry) -> None:
        if not entry.sealed:
            entry.seal(self._salt(), self._salt())

    def _has_link(self, entry_id: str) -> bool:
        return bool(self._links.find("by_entry", {"entry": entry_id}, limit=1).items)

    def _append_link(self, entry: AuditEntry) -> Link:
        chain = chain_name(entry.service, self._clock().date().isoformat())
        for attempt in range(_ATTEMPTS):
            last = self._last_link(f"{chain}.", f"{chain}.~")
            before = None if last else self._last_link(f"{entry.service}.", f"{chain}.")
            link = Link.following(chain, last, before, entry)
            try:
                self._links.add(link)
            except Conflict:
                time.sleep(random.uniform(0, 0.002 * min(attempt, 20)))  # noqa: S311 - only jitter
                continue
            self._advance_head(link)
            return link
        raise Busy(f"the chain {chain} has too many concurrent writes")

    def _advance_head(self, link: Link) -> None:
        self._heads.update(link.chain, lambda head: head.advance(link), create=lambda: Head(link.chain))

    def _last_link(self, start: str, end: str) -> Link | None:
        found = self._links.find("id", start=start, end=end, descending=True, limit=1).items
        return found[0] if found else None

    # -- reading

    def list(
        self, *, actor: str | None, object: str | None, limit: int, cursor: str | None
    ) -> Page[AuditEntry]:
        """Return a page of entries, the newest first."""
        where = {"actor": actor, "object_id": object}
        where = {name: value for name, value in where.items() if value is not None}
        names = {(): "by_time", ("actor",): "by_actor", ("object_id",): "by_object"}
        index = names.get(tuple(where), "by_both")
        return self._entries.find(index, where, descending=True, limit=limit, cursor=cursor)

    # -- verifying

    def verify(self, expected: Mapping[str, tuple[int, str]] | None = None) -> VerificationReport:
        """Check every entry against the chains, and every chain against itself, its head and `expected`.

        `expected` are the heads of an earlier verification, stored where nobody could change both.
        """
        report, walk = VerificationReport(), _ChainWalker()
        linked: dict[str, str] = {}
        for link in _all(self._links):
            report.links += 1
            report.problems += walk.find_problems(link)
            linked.setdefault(link.entry, link.digest)
            if linked[link.entry] != link.digest:
                report.problems.append(f"{link.id}: entry {link.entry} has two different contents")
            self._check_expected(link, expected or {}, report)
            report.heads[link.chain] = (link.number, link.hash)
        self._check_heads(expected or {}, report)
        self._check_entries(linked, report)
        return report

    @staticmethod
    def _check_expected(
        link: Link, expected: Mapping[str, tuple[int, str]], report: VerificationReport
    ) -> None:
        number, end = expected.get(link.chain, (0, ""))
        if link.number == number and link.hash != end:
            report.problems.append(f"{link.id}: not the link that was expected")

    def _check_heads(self, expected: Mapping[str, tuple[int, str]], report: VerificationReport) -> None:
        for head in _all(self._heads):
            number, end = report.heads.get(head.id, (0, ""))
            if number < head.number:
                report.problems.append(f"{head.id}: ends at {number}, but had {head.number} links")
            elif number == head.number and end != head.hash:
                report.problems.append(f"{head.id}: does not end as it did")
        for chain, (number, _) in expected.items():
            if report.heads.get(chain, (0, ""))[0] < number:
                report.problems.append(f"{chain}: had {number} links")

    def _check_entries(self, linked: dict[str, str], report: VerificationReport) -> None:
        erasures = set()
        cited: list[tuple[str, str]] = []
        for entry in _all(self._entries):
            report.entries += 1
            erasures.add(entry.id)
            cited += [(entry.id, erasure) for erasure in sorted(set(entry.erased.values()))]
            report.erased += bool(entry.erased)
            report.problems += self._entry_problems(entry, linked.pop(entry.id, None), report)
        report.problems += [f"entry {id}: is gone" for id in linked]
        report.problems += [
            f"entry {id}: was erased by {erasure}, which is not recorded"
            for id, erasure in cited
            if f"erasure-{erasure}" not in erasures
        ]

    @staticmethod
    def _entry_problems(entry: AuditEntry, digest: str | None, report: VerificationReport) -> Iterator[str]:
        if digest is None:
            if entry.sealed:
                yield f"entry {entry.id}: is not in a chain"
            else:
                report.unsealed += 1
            return
        if entry.digest() != digest:
            yield f"entry {entry.id}: does not match its chain"
        for problem in entry.find_problems():
            yield f"entry {entry.id}: {problem}"


class _ChainWalker:
    """Checks links in stored order: by writer, day and number."""

    def __init__(self) -> None:
        self._last_link: Link | None = None
        self._hashes: dict[str, str] = {}  # of this chain and of the writer's chain before it
        self._before: dict[str, str] = {}

    def find_problems(self, link: Link) -> Iterator[str]:
        last = self._last_link
        if last is None or last.chain != link.chain:
            same_writer = last is not None and _writer(last.chain) == _writer(link.chain)
            self._before, self._hashes = (self._hashes if same_writer else {}), {}
            last = None
        if link.hash != link.compute_hash():
            yield f"{link.id}: was changed"
        if link.number != (last.number + 1 if last else 1):
            yield f"{link.id}: links before it are missing"
        elif last:
            if link.previous != last.hash:
                yield f"{link.id}: does not follow {last.id}"
        elif not self._continues_previous_chain(link):
            yield f"{link.id}: the chain before it does not have what it follows"
        self._hashes[link.id] = link.hash
        self._last_link = link

    def _continues_previous_chain(self, link: Link) -> bool:
        """Return True if a day's first link follows one of the writer's previous day.

        That is the last one or, when two processes met at midnight, one near it.
        """
        if not self._before:
            return not link.after and link.previous == GENESIS_HASH
        return self._before.get(link.after) == link.previous


def _writer(chain: str) -> str:
    return chain.rpartition(".")[0]


def _all(repository: Repository[T]) -> Iterator[T]:
    cursor = None
    while True:
        page = repository.find("id", limit=_BATCH_SIZE, cursor=cursor)
        yield from page
        cursor = page.next
        if cursor is None:
            return
