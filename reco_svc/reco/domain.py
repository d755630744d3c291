"""What reco_svc knows: what people did, what is for sale, trained lists, and the rules of showing them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

# How much a kind of event says about taste. An assumption to start from (design: reco.md, Model).
WEIGHTS = {"view": 1.0, "click": 1.0, "add_to_cart": 3.0, "purchase": 5.0}
HISTORY = 50
RECENCY = 0.9  # each older thing of a history counts a tenth less
HALF_LIFE = timedelta(days=7)
KEPT_MODELS = 3

Scored = tuple[str, float]


class TrainingRunning(Exception):
    """Another training holds the place; one runs at a time."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One thing that somebody did with a product."""

    type: str
    product_id: str
    at: datetime
    user: str | None = None
    session: str | None = None

    @property
    def weight(self) -> float:
        return WEIGHTS.get(self.type, 0.0)

    @property
    def person(self) -> str | None:
        """Whose taste it tells of: the account where it is known, else the session."""
        return f"user:{self.user}" if self.user else self.visit

    @property
    def visit(self) -> str | None:
        """What belongs together in time: the session, else the account's day."""
        if self.session:
            return f"session:{self.session}"
        return f"user:{self.user}:{self.at:%Y-%m-%d}" if self.user else None


@dataclass(slots=True)
class Product:
    """What the catalogue said of a product: whether it may be shown."""

    id: str
    title: str = ""
    slug: str = ""
    brand: str = ""
    category: str = ""
    categories: tuple[str, ...] = ()
    status: str = "active"
    availability: dict[str, str] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def for_sale(self) -> bool:
        return self.status == "active" and any(state != "out" for state in self.availability.values())

    def stands_on(self, shelf: str) -> bool:
        """Whether it is in this category, or in one below it."""
        return shelf == self.category or shelf in self.categories

    def resembles(self, other: Product) -> int:
        """How much the catalogue's words say that they are alike: words of the title, and the brand."""
        shared = set(self.title.lower().split()) & set(other.title.lower().split())
        return len(shared) + (2 if self.brand and self.brand == other.brand else 0)

    def hear(self, subject: str, seq: int) -> bool:
        """Whether this fact is news; an older one of the same subject is not."""
        if seq <= self.seen.get(subject, 0):
            return False
        self.seen[subject] = seq
        self.version += 1
        return True

    def describe(self, data: dict[str, Any]) -> None:
        self.title, self.slug = str(data.get("title", "")), str(data.get("slug", ""))
        self.brand = str(data.get("brand") or "")
        self.category, self.status = str(data.get("category", "")), str(data.get("status", "active"))
        self.categories = tuple(str(slug) for slug in data.get("categories") or [self.category])
        skus: dict[str, str] = dict(data.get("skus", {}))
        # A stock fact is newer than the product's own idea of its stock.
        self.availability = {
            sku: self.availability[sku] if f"sku:{sku}" in self.seen and sku in self.availability else state
            for sku, state in skus.items()
        }

    def stock(self, sku: str, availability: str) -> None:
        self.availability[sku] = availability

    def withdraw(self) -> None:
        self.status = "deleted"


@dataclass(frozen=True, slots=True)
class Quality:
    """Measured on the newest tenth of the visits, full ranking over the whole catalogue."""

    ndcg_at_10: float = 0.0
    hit_rate_at_10: float = 0.0
    coverage: float = 0.0
    visits: int = 0


@dataclass(slots=True)
class Training:
    """One run of the trainer. States: queued -> running -> done, failed or cancelled."""

    id: str
    requested_at: datetime
    requested_by: str = "schedule"
    status: str = "queued"
    progress: float = 0.0
    step: str = "waiting for a worker"
    started_at: datetime | None = None
    finished_at: datetime | None = None
    heartbeat_at: datetime | None = None
    events: int = 0
    products: int = 0
    seconds: float = 0.0
    size_bytes: int = 0
    parameters: dict[str, float] = field(default_factory=dict)
    quality: Quality | None = None
    model: str | None = None
    promoted: bool = False
    reason: str = ""
    alert: str = ""
    """What staff should look at; empty when all is well."""
    examples: dict[str, list[str]] = field(default_factory=dict)
    """Of what is wanted most, the neighbours: to be looked at by a person."""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return self.status in ("queued", "running")

    def start(self, at: datetime) -> None:
        self._guard("queued", "running")
        self.status, self.started_at, self.heartbeat_at = "running", at, at
        self.version += 1

    def advance(self, step: str, progress: float, at: datetime) -> None:
        self._guard("running")
        self.step, self.progress, self.heartbeat_at = step, round(progress, 3), at
        self.version += 1

    def finish(self, at: datetime, *, model: str, promoted: bool, reason: str) -> None:
        self._guard("running")
        self.status, self.progress, self.step = "done", 1.0, "done"
        self._end(at)
        self.model, self.promoted, self.reason = model, promoted, reason

    def fail(self, at: datetime, reason: str) -> None:
        if not self.open:
            return
        self.status, self.reason = "failed", reason
        self._end(at)

    def cancel(self, at: datetime) -> None:
        """Its worker stops at its next step; cancelling again changes nothing."""
        if self.status == "cancelled":
            return
        self._guard("queued", "running")
        self.status, self.reason = "cancelled", "cancelled by staff"
        self._end(at)

    def _end(self, at: datetime) -> None:
        self.finished_at = at
        self.seconds = round((at - (self.started_at or at)).total_seconds(), 3)
        self.version += 1

    def _guard(self, *states: str) -> None:
        if self.status not in states:
            raise ValueError(f"a training that is {self.status} cannot go on")


@dataclass(slots=True)
class Model:
    """What is kept of a trained model beside its lists (an attachment)."""

    id: str
    algorithm: str
    trained_at: datetime
    parameters: dict[str, float] = field(default_factory=dict)
    quality: Quality | None = None
    products: int = 0
    file: str = ""
    """The name of its file, by its content (reco.files); "" for one of before there were such files."""
    learned_to: str | None = None
    """The checkpoint of logs up to which it has learned; what is live begins there."""
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Forgotten:
    """Somebody (`user:…` or `session:…`) wanted what they did before `at` forgotten. The id is a hash of
    who, since a session is named by whoever calls."""

    id: str
    person: str
    at: datetime
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Serving:
    """The one document that says which model is served, which can be put back, and who trains."""

    id: str = "main"
    model: str | None = None
    previous: list[str] = field(default_factory=list)
    training: str | None = None
    version: int = 0
    rev: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def promote(self, model: str) -> list[str]:
        """Serve this model from now on; answers the models that nobody needs any more."""
        older = ([self.model] if self.model else []) + [name for name in self.previous if name != model]
        self.model, self.previous = model, older[: KEPT_MODELS - 1]
        self.version += 1
        return older[KEPT_MODELS - 1 :]

    def put_back(self, model: str) -> None:
        if model not in self.previous:
            raise ValueError("only a model that is still kept can be put back")
        self.previous.remove(model)
        self.promote(model)


@dataclass(slots=True)
class Lists:
    """A trained model as it is served.

    `similar[p]`, `together[p]` and `personal[p]` (what a history that holds p speaks for): (product, score),
    the best first. `tastes[person]`: how much each place of `histories[person]` still says.
    """

    similar: Mapping[str, list[Scored]] = field(default_factory=dict)
    together: Mapping[str, list[Scored]] = field(default_factory=dict)
    trending: list[Scored] = field(default_factory=list)
    histories: Mapping[str, list[str]] = field(default_factory=dict)
    personal: Mapping[str, list[Scored]] = field(default_factory=dict)
    tastes: Mapping[str, list[float]] = field(default_factory=dict)
    owned: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """The lists that are served, and until when they have learned."""

    lists: Lists
    trained_at: datetime


def trending(interactions: Iterable[Interaction], now: datetime) -> list[Scored]:
    """Weighted interest per product, halved every week; the most wanted first."""
    scores: dict[str, float] = {}
    for one in interactions:
        age = max(now - one.at, timedelta()) / HALF_LIFE
        scores[one.product_id] = scores.get(one.product_id, 0.0) + one.weight * 0.5**age
    rounded = ((product, round(score, 6)) for product, score in scores.items())
    return sorted(rounded, key=lambda scored: (-scored[1], scored[0]))


def histories(interactions: Sequence[Interaction]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """`(what each person looked at, what each bought)`, the newest first, each product once."""
    seen: dict[str, list[str]] = {}
    owned: dict[str, list[str]] = {}
    for one in sorted(interactions, key=lambda i: i.at, reverse=True):
        for person in {one.person, one.visit} - {None}:
            book = seen.setdefault(str(person), [])
            if one.product_id not in book and len(book) < HISTORY:
                book.append(one.product_id)
            if one.type == "purchase":
                owned.setdefault(str(person), []).append(one.product_id)
    return seen, owned


def blend(lists: Iterable[tuple[float, Sequence[Scored]]]) -> list[tuple[str, float, int]]:
    """Adds weighted lists up: (product, score, place of the list that gave most), the best first."""
    total: dict[str, float] = {}
    best: dict[str, tuple[float, int]] = {}
    for place, (weight, scored) in enumerate(lists):
        for product, score in scored:
            share = weight * score
            total[product] = total.get(product, 0.0) + share
            if share > best.get(product, (0.0, 0))[0]:
                best[product] = (share, place)
    ranked = sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(product, score, best[product][1]) for product, score in ranked]


def history_of(lists: Lists, people: Iterable[str]) -> list[Scored]:
    """What these people did and how much it still says, the one who is named first before the others."""
    found: list[Scored] = []
    for person in people:
        book = lists.histories.get(person, [])
        weights = lists.tastes.get(person) or recency_weights(len(book))
        found += zip(book, weights, strict=False)
    return found


def with_live(live: Sequence[Interaction], trained: Sequence[Scored]) -> list[Scored]:
    """One history, each product once: what just happened, the newest first, before what training knows."""
    fresh = list(dict.fromkeys(one.product_id for one in live))[:HISTORY]
    found = dict(zip(fresh, recency_weights(len(fresh)), strict=True))
    fade = RECENCY ** len(fresh)
    for product, weight in trained:
        found.setdefault(product, fade * weight)
    return list(found.items())[:HISTORY]


def recency_weights(count: int) -> list[float]:
    return [RECENCY**place for place in range(count)]


def showable(
    scored: Iterable[Scored], allowed: Callable[[str], bool], exclude: set[str], limit: int
) -> list[Scored]:
    """The first `limit` of a list that may be shown, each once."""
    chosen: dict[str, float] = {}
    for product, score in scored:
        if product not in exclude and product not in chosen and allowed(product):
            chosen[product] = score
            if len(chosen) == limit:
                break
    return list(chosen.items())


@dataclass(frozen=True, slots=True)
class Comparison:
    """The new model and the serving one, measured on the same visits, which neither has learned from."""

    candidate: Quality
    serving: Quality


def quality_alert(
    quality: Quality, before: Sequence[Quality], *, share: float = 0.8, enough: int = 30
) -> str:
    """Says so when the lists are clearly worse than those of the trainings before (their median)."""
    known = sorted(one.ndcg_at_10 for one in before if one.visits >= enough)
    if not known or quality.visits < enough:
        return ""
    usual = known[len(known) // 2]
    if quality.ndcg_at_10 >= share * usual:
        return ""
    return f"quality fell: NDCG@10 {quality.ndcg_at_10:.4f}, usually {usual:.4f}"


def may_promote(compared: Comparison | None, *, enough: int = 30) -> tuple[bool, str]:
    """A new model serves only if it is not worse (by a tenth) than the serving one on the same fresh visits.

    With fewer than `enough` visits there is no verdict, and the newer one serves.
    """
    if compared is None:
        return True, "the first model"
    if compared.candidate.visits < enough:
        return True, f"too few fresh visits to compare ({compared.candidate.visits})"
    ours, theirs = compared.candidate.ndcg_at_10, compared.serving.ndcg_at_10
    if ours < 0.9 * theirs:
        return False, f"NDCG@10 {ours:.4f}, worse than the serving {theirs:.4f}"
    return True, "not worse than the serving one"
