"""What people did, as arrays, and the matrix of owners and products that a recipe makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

DAY = 86400.0
# More products than any shopper has: a bot or a reseller's script. It teaches nothing.
TOO_MANY = {"session": 200, "basket": 1000, "user": 2000}
# Pairs of X^T X in a whole fit: the cost is the square of the histories, so the longest are capped.
WORK = 150_000_000
SHORTEST_CAP = 20
LEAST_TIME_BITS = 24


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that is chosen on a validation split. Half-lives in days; None: nothing ages."""

    kinds: tuple[tuple[str, float], ...] = (("user", 1.0),)  # whose rows, and how much they weigh
    shrink: float = 20.0
    asymmetry: float = 0.5
    keep: int = 100
    strength: float = 0.5  # power of the weights (a purchase beside a view); 0: all count alike
    half_life: float | None = None  # of what was done, in the counts
    damping: float = 0.25  # rows are divided by (products in the row) ** damping
    prior: float = 0.0  # power of how much a product is wanted of late
    prior_half_life: float = 14.0
    history_half_life: float | None = None  # of a history, when it is asked
    second: float = 0.0  # share of the closed-form second model
    ridge: float = 400.0


@dataclass(frozen=True, slots=True)
class Pairs:
    """Each owner and product once, sorted by both: the strongest weight, the newest time (seconds)."""

    owner: np.ndarray
    product: np.ndarray
    weight: np.ndarray
    time: np.ndarray


@dataclass
class Deeds:
    """One thing done per place of the arrays. `owners[kind]`: a number per owner, -1 for nobody."""

    product: np.ndarray
    time: np.ndarray
    weight: np.ndarray
    owners: dict[str, np.ndarray]
    products: int
    dense: bool = True
    """Whether there is room for matrices of products x products (engine.second)."""
    _pairs: dict[str, Pairs] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.product)

    @property
    def end(self) -> float:
        return float(self.time.max()) if len(self) else 0.0

    @property
    def span(self) -> float:
        """Days between the first thing done and the last."""
        return float(self.time.max() - self.time.min()) / DAY if len(self) else 0.0

    def only(self, chosen: np.ndarray) -> Deeds:
        owners = {kind: numbers[chosen] for kind, numbers in self.owners.items()}
        product, time, weight = self.product[chosen], self.time[chosen], self.weight[chosen]
        return Deeds(product, time, weight, owners, self.products, self.dense)

    def newest(self, kind: str, most: int) -> Deeds:
        """Whole owners, those who did something last, up to about `most` things done."""
        if len(self) <= most:
            return self
        owner = self.owners[kind]
        last = np.full(int(owner.max(initial=-1)) + 2, -np.inf)
        np.maximum.at(last, owner, self.time)
        sizes = np.bincount(owner + 1, minlength=len(last))[1:]
        order = np.argsort(-last[: len(sizes)], kind="stable")
        chosen = np.zeros(len(last), dtype=bool)
        chosen[order[: int(np.searchsorted(np.cumsum(sizes[order]), most)) + 1]] = True
        return self.only(chosen[owner])

    def pairs(self, kind: str) -> Pairs:
        if kind not in self._pairs:
            self._pairs[kind] = _pairs(self, self.owners[kind])
        return self._pairs[kind]


def matrix(deeds: Deeds, recipe: Recipe, work: int = WORK) -> sparse.csr_matrix:
    """Owners of every kind in rows, products in columns; the mean square is 1, so shrink is in people."""
    usable = [(kind, share) for kind, share in recipe.kinds if kind in deeds.owners and share > 0]
    share_of_work = work // max(1, len(usable))
    parts = [_rows(deeds, kind, share, recipe, share_of_work) for kind, share in usable]
    x = sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, deeds.products))
    if x.nnz:
        x.data /= np.sqrt(np.mean(parts[0].data ** 2)) if parts[0].nnz else 1.0
    return x


def wanted(deeds: Deeds, kind: str, half_life: float | None) -> np.ndarray:
    """Per product how many owners wanted it, the newest counting most."""
    pairs = deeds.pairs(kind)
    return np.bincount(pairs.product, _decay(deeds.end - pairs.time, half_life), deeds.products)


def histories(
    pairs: Pairs, owners: np.ndarray, products: int, half_life: float | None, strength: float = 0.5
) -> sparse.csr_matrix:
    """Rows of these owners: weights of what they did, the newest of each 1 and the older ones less."""
    place = np.full(max(int(pairs.owner.max(initial=-1)), int(owners.max(initial=-1))) + 2, -1)
    place[owners] = np.arange(len(owners))
    row = place[pairs.owner]
    chosen = row >= 0
    row = row[chosen]
    newest = np.zeros(len(owners))
    np.maximum.at(newest, row, pairs.time[chosen])
    values = pairs.weight[chosen] ** strength * _decay(newest[row] - pairs.time[chosen], half_life)
    shape = (len(owners), products)
    return sparse.csr_matrix((values.astype(np.float32), (row, pairs.product[chosen])), shape=shape)


def _rows(deeds: Deeds, kind: str, share: float, recipe: Recipe, work: int) -> sparse.csr_matrix:
    pairs = deeds.pairs(kind)
    age = deeds.end - pairs.time
    value = np.sqrt(share * _decay(age, recipe.half_life)) * pairs.weight**recipe.strength
    value = value.astype(np.float32)
    count = int(pairs.owner.max(initial=-1)) + 1
    sizes = np.bincount(pairs.owner, minlength=count)
    kept = _newest(pairs, sizes, longest(np.bincount(sizes), TOO_MANY.get(kind, 2000), work))
    kept &= sizes[pairs.owner] <= TOO_MANY.get(kind, 2000)
    owner, product, value = pairs.owner[kept], pairs.product[kept], value[kept]
    sizes = np.bincount(owner, minlength=count)
    if recipe.damping and len(owner):
        scale = np.maximum(sizes, 1.0) ** -recipe.damping
        scale /= np.sqrt((sizes * scale**2).sum() / sizes.sum())
        value *= scale[owner].astype(np.float32)
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return sparse.csr_matrix((value, product.astype(np.int32), indptr), shape=(count, deeds.products))


def longest(owners: np.ndarray, most: int, work: int) -> int:
    """The longest history that keeps the work in bounds; `owners[n]` have n products."""
    owners = owners[: most + 1].astype(np.int64)
    sizes = np.arange(len(owners))
    low, high = SHORTEST_CAP, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if (owners * np.minimum(sizes, middle) ** 2).sum() <= work else (low, middle - 1)
        )
    return low


def _newest(pairs: Pairs, sizes: np.ndarray, cap: int) -> np.ndarray:
    """Which pairs are among the newest `cap` of their owner."""
    kept = np.ones(len(pairs.owner), dtype=bool)
    long = np.flatnonzero(sizes[pairs.owner] > cap)
    if len(long):
        order = long[np.lexsort((pairs.product[long], -pairs.time[long], pairs.owner[long]))]
        owner = pairs.owner[order]
        first = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
        rank = np.arange(len(owner)) - np.repeat(first, np.diff(np.append(first, len(owner))))
        kept[order[rank >= cap]] = False
    return kept


def _pairs(deeds: Deeds, numbers: np.ndarray) -> Pairs:
    somebody = (numbers >= 0) & (deeds.weight > 0)
    chosen = slice(None) if somebody.all() else somebody.nonzero()[0]  # spares a copy of ten million
    weight, time = deeds.weight[chosen], deeds.time[chosen]
    key = numbers[chosen].astype(np.int64) * deeds.products + deeds.product[chosen]
    if not len(key):
        return Pairs(*(np.zeros(0, dtype=kind) for kind in (np.int32, np.int32, np.float32, np.float64)))
    alike = weight.min() == weight.max()
    key, strongest, newest = _newest_of_alike(key, time, weight[0]) if alike else _most(key, time, weight)
    owner = key // deeds.products
    product = (key - owner * deeds.products).astype(np.int32)
    return Pairs(owner=owner.astype(np.int32), product=product, weight=strongest, time=newest)


Merged = tuple[np.ndarray, np.ndarray, np.ndarray]  # keys, each once; the strongest weight; the newest time


def _most(key: np.ndarray, time: np.ndarray, weight: np.ndarray) -> Merged:
    order = np.argsort(key)
    key = key[order]
    first = np.concatenate([[True], key[1:] != key[:-1]]).nonzero()[0]
    return key[first], np.maximum.reduceat(weight[order], first), np.maximum.reduceat(time[order], first)


def _newest_of_alike(key: np.ndarray, time: np.ndarray, weight: float) -> Merged:
    """The same where all weigh the same: key and time sorted as one number, three times faster.

    Time is rounded to the bits that are left, for ten million events of a year a second or less.
    """
    bits = min(40, 62 - int(key.max()).bit_length())
    start, span = float(time.min()), float(time.max() - time.min())
    if bits < LEAST_TIME_BITS:
        return _most(key, time, np.full(len(key), weight, dtype=np.float32))
    scale = ((1 << bits) - 1) / (span or 1.0)
    packed = key << bits
    packed |= ((time - start) * scale).astype(np.int64)
    packed.sort()
    key = packed >> bits
    last = np.concatenate([key[1:] != key[:-1], [True]]).nonzero()[0]
    newest = start + (packed[last] & ((1 << bits) - 1)) / scale
    return key[last], np.full(len(last), weight, dtype=np.float32), newest


def _decay(age: np.ndarray, half_life: float | None) -> np.ndarray:
    """0.5 ** (age / half-life); what comes from the future counts as of now."""
    if half_life is None:
        return np.ones(len(age))
    left: np.ndarray = np.exp2(-np.maximum(age, 0.0) / (DAY * half_life))
    return left
