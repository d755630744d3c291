"""Interactions as arrays, and the owner-product matrix that hyperparameters make of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy import sparse

DAY = 86400.0
# More products than any shopper has, as of a bot or a reseller's script: such owners are ignored.
MAX_HISTORY = {"session": 200, "basket": 1000, "user": 2000}
# Pairs of X^T X in a fit: the cost is quadratic in the histories, so the longest are capped.
MAX_WORK = 150_000_000
MIN_CAP = 20
MIN_TIME_BITS = 24


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """The hyperparameters, chosen on a validation split. Half-lives are in days; None: no ageing."""

    kinds: tuple[tuple[str, float], ...] = (("user", 1.0),)  # kinds of owners, and their weights
    shrink: float = 20.0
    asymmetry: float = 0.5
    keep: int = 100
    strength: float = 0.5  # power of the weights (purchase or view); 0: all equal
    half_life: float | None = None  # of interactions, in the counts
    damping: float = 0.25  # rows are divided by (products in the row) ** damping
    prior: float = 0.0  # power of the recent demand for a product
    prior_half_life: float = 14.0
    history_half_life: float | None = None  # of a history, when it is queried
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
class InteractionArrays:
    """Interactions, one per position of the arrays.

    `owners[kind]` has a number per owner, -1 for nobody.
    """

    product: np.ndarray
    time: np.ndarray
    weight: np.ndarray
    owners: dict[str, np.ndarray]
    products: int
    dense: bool = True
    """Whether there is room for matrices of products x products (engine.ease)."""
    _pairs: dict[str, Pairs] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.product)

    @property
    def end(self) -> float:
        return float(self.time.max()) if len(self) else 0.0

    @property
    def span(self) -> float:
        """The days between the first and the last interaction."""
        return float(self.time.max() - self.time.min()) / DAY if len(self) else 0.0

    def only(self, chosen: np.ndarray) -> InteractionArrays:
        owners = {kind: numbers[chosen] for kind, numbers in self.owners.items()}
        product, time, weight = self.product[chosen], self.time[chosen], self.weight[chosen]
        return InteractionArrays(product, time, weight, owners, self.products, self.dense)

    def newest(self, kind: str, most: int) -> InteractionArrays:
        """Return about `most` interactions: all those of the owners who were active last."""
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


def matrix(arrays: InteractionArrays, params: Hyperparameters, work: int = MAX_WORK) -> sparse.csr_matrix:
    """Build the matrix of owners (rows, all kinds) and products (columns).

    Its mean square is 1, so that shrink is counted in people.
    """
    usable = [(kind, share) for kind, share in params.kinds if kind in arrays.owners and share > 0]
    share_of_work = work // max(1, len(usable))
    parts = [_rows(arrays, kind, share, params, share_of_work) for kind, share in usable]
    x = sparse.vstack(parts, format="csr") if parts else sparse.csr_matrix((0, arrays.products))
    if x.nnz:
        x.data /= np.sqrt(np.mean(parts[0].data ** 2)) if parts[0].nnz else 1.0
    return x


def demand(arrays: InteractionArrays, kind: str, half_life: float | None) -> np.ndarray:
    """Count the owners who interacted with each product, decayed by age."""
    pairs = arrays.pairs(kind)
    return np.bincount(pairs.product, _decay(arrays.end - pairs.time, half_life), arrays.products)


def histories(
    pairs: Pairs, owners: np.ndarray, products: int, half_life: float | None, strength: float = 0.5
) -> sparse.csr_matrix:
    """Build a matrix of these owners' histories; the newest interaction weighs 1, older ones less."""
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


def _rows(
    arrays: InteractionArrays, kind: str, share: float, params: Hyperparameters, work: int
) -> sparse.csr_matrix:
    pairs = arrays.pairs(kind)
    age = arrays.end - pairs.time
    value = np.sqrt(share * _decay(age, params.half_life)) * pairs.weight**params.strength
    value = value.astype(np.float32)
    count = int(pairs.owner.max(initial=-1)) + 1
    sizes = np.bincount(pairs.owner, minlength=count)
    kept = _newest(pairs, sizes, max_history_length(np.bincount(sizes), MAX_HISTORY.get(kind, 2000), work))
    kept &= sizes[pairs.owner] <= MAX_HISTORY.get(kind, 2000)
    owner, product, value = pairs.owner[kept], pairs.product[kept], value[kept]
    sizes = np.bincount(owner, minlength=count)
    if params.damping and len(owner):
        scale = np.maximum(sizes, 1.0) ** -params.damping
        scale /= np.sqrt((sizes * scale**2).sum() / sizes.sum())
        value *= scale[owner].astype(np.float32)
    indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
    return sparse.csr_matrix((value, product.astype(np.int32), indptr), shape=(count, arrays.products))


def max_history_length(owners: np.ndarray, most: int, work: int) -> int:
    """Return the longest history that bounds the work; `owners[n]` owners have n products."""
    owners = owners[: most + 1].astype(np.int64)
    sizes = np.arange(len(owners))
    low, high = MIN_CAP, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if (owners * np.minimum(sizes, middle) ** 2).sum() <= work else (low, middle - 1)
        )
    return low


def _newest(pairs: Pairs, sizes: np.ndarray, cap: int) -> np.ndarray:
    """Return a mask of the pairs that are among the newest `cap` of their owner."""
    kept = np.ones(len(pairs.owner), dtype=bool)
    long = np.flatnonzero(sizes[pairs.owner] > cap)
    if len(long):
        order = long[np.lexsort((pairs.product[long], -pairs.time[long], pairs.owner[long]))]
        owner = pairs.owner[order]
        first = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
        rank = np.arange(len(owner)) - np.repeat(first, np.diff(np.append(first, len(owner))))
        kept[order[rank >= cap]] = False
    return kept


def _pairs(arrays: InteractionArrays, numbers: np.ndarray) -> Pairs:
    somebody = (numbers >= 0) & (arrays.weight > 0)
    chosen = slice(None) if somebody.all() else somebody.nonzero()[0]  # avoids a copy of ten million
    weight, time = arrays.weight[chosen], arrays.time[chosen]
    key = numbers[chosen].astype(np.int64) * arrays.products + arrays.product[chosen]
    if not len(key):
        return Pairs(*(np.zeros(0, dtype=kind) for kind in (np.int32, np.int32, np.float32, np.float64)))
    alike = weight.min() == weight.max()
    key, strongest, newest = _newest_of_alike(key, time, weight[0]) if alike else _most(key, time, weight)
    owner = key // arrays.products
    product = (key - owner * arrays.products).astype(np.int32)
    return Pairs(owner=owner.astype(np.int32), product=product, weight=strongest, time=newest)


Merged = tuple[np.ndarray, np.ndarray, np.ndarray]  # keys, each once; the strongest weight; the newest time


def _most(key: np.ndarray, time: np.ndarray, weight: np.ndarray) -> Merged:
    order = np.argsort(key)
    key = key[order]
    first = np.concatenate([[True], key[1:] != key[:-1]]).nonzero()[0]
    return key[first], np.maximum.reduceat(weight[order], first), np.maximum.reduceat(time[order], first)


def _newest_of_alike(key: np.ndarray, time: np.ndarray, weight: float) -> Merged:
    """Merge pairs of equal weight: key and time are sorted as one number, three times faster.

    Time is rounded to the bits that are left, for ten million events of a year a second or less.
    """
    bits = min(40, 62 - int(key.max()).bit_length())
    start, span = float(time.min()), float(time.max() - time.min())
    if bits < MIN_TIME_BITS:
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
    """Return 0.5 ** (age / half-life); future interactions count as of now."""
    if half_life is None:
        return np.ones(len(age))
    left: np.ndarray = np.exp2(-np.maximum(age, 0.0) / (DAY * half_life))
    return left
