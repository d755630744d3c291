"""A file of what people did, Parquet or CSV, as arrays. BadData says what is wrong with it and where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

REQUIRED = ("user", "item", "time")
OPTIONAL = ("basket", "session", "type", "weight")
RETAIL = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "CustomerID")
# The same assumption as the service's own (reco.domain.WEIGHTS); a type that is not here counts as a view.
TYPES = {"view": 1.0, "click": 1.0, "add_to_cart": 3.0, "cart": 3.0, "addtocart": 3.0, "purchase": 5.0}
TYPES |= {"transaction": 5.0, "buy": 5.0, "order": 5.0}
PAUSE = 30 * 60.0  # seconds without anything done end a session where the file has none
DAY = 86400.0


class BadData(Exception):
    """The file, or what it holds, cannot be evaluated; the text is for the person who asked."""


@dataclass(frozen=True, slots=True)
class Log:
    """One thing done per place. Numbers stand for names; user, basket and session are -1 where empty."""

    user: np.ndarray
    item: np.ndarray
    time: np.ndarray
    weight: np.ndarray
    basket: np.ndarray
    session: np.ndarray
    items: int
    rows_of: tuple[str, ...] = ("basket",)  # beside users: what the file has itself, baskets of a day else
    notes: tuple[str, ...] = ()


def read(path: Path) -> Log:
    """The events of the file, oldest first, exact repetitions once."""
    table = _table(path)
    names = set(table.column_names)
    if set(RETAIL) <= names:
        return _log(_retail(table), ("UCI Online Retail: cleaned as design/reco.md says",))
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise BadData(
            f"{path.name} has no column {', '.join(missing)}: needed are user, item, time and, if any, "
            f"basket, session, type, weight; it has {', '.join(sorted(names)[:20]) or 'none'}"
        )
    unknown = sorted(names - {*REQUIRED, *OPTIONAL})
    notes = (f"columns not used: {', '.join(unknown)}",) if unknown else ()
    return _log({name: _plain(table, name) for name in (*REQUIRED, *OPTIONAL) if name in names}, notes)


def _table(path: Path) -> Any:
    if not path.is_file():
        raise BadData(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise BadData(f"{path.name} is empty")
    import pyarrow as pa

    try:
        with path.open("rb") as opened:
            parquet = opened.read(4) == b"PAR1"
        table = _parquet(path) if parquet else _csv(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadData(f"{path.name} cannot be read as Parquet or CSV: {reason}") from error
    if table.num_rows == 0:
        raise BadData(f"{path.name} has no rows")
    if len(set(table.column_names)) < len(table.column_names):
        raise BadData(f"{path.name} has two columns of the same name")
    return table


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    wanted = {*REQUIRED, *OPTIONAL, *RETAIL}
    names = pq.read_schema(path).names
    # A column that nobody reads is kept as a name only, for the notes.
    table = pq.read_table(path, columns=[name for name in names if name in wanted])
    rest = [name for name in names if name not in wanted]
    return table if set(RETAIL) <= set(names) or not rest else _with_empty(table, rest)


def _with_empty(table: Any, names: list[str]) -> Any:
    import pyarrow as pa

    for name in names:
        table = table.append_column(name, pa.nulls(table.num_rows))
    return table


def _csv(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    # As text: a product "007" is not 7.
    with csv.open_csv(path) as opened:
        names = opened.schema.names
    types = dict.fromkeys(names, pa.string())
    options = csv.ConvertOptions(
        column_types=types, strings_can_be_null=True, null_values=["", "null", "NULL", "NaN"]
    )
    return csv.read_csv(path, convert_options=options)


def _plain(table: Any, name: str) -> np.ndarray:
    """A column as objects or numbers; empty places are None (or nan)."""
    column = table[name].combine_chunks()
    if str(column.type).startswith("dictionary"):
        column = column.dictionary_decode()
    if name == "time":
        return _times(column)
    if name == "weight":
        return _numbers(column, name)
    return np.asarray(column.to_numpy(zero_copy_only=False))


def _times(column: Any) -> np.ndarray:
    """Seconds since 1970: of timestamps, ISO 8601 text (without a zone: UTC), or epoch numbers."""
    import pyarrow as pa

    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        moments = column.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
        seconds = moments.astype("datetime64[us]").astype(np.float64) / 1e6
        return np.where(np.isnat(moments), np.nan, seconds)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        texts = column.to_numpy(zero_copy_only=False)
        try:
            return _scaled(np.array([np.nan if text is None else float(text) for text in texts]))
        except ValueError:
            return np.fromiter(map(_iso, texts), dtype=np.float64, count=len(texts))
    return _scaled(_numbers(column, "time"))


def _iso(text: str | None) -> float:
    if text is None:
        return float("nan")
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise BadData(f"time {text!r} is neither ISO 8601 nor a number of seconds since 1970") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _scaled(numbers: np.ndarray) -> np.ndarray:
    """Seconds, whether they were seconds, milli-, micro- or nanoseconds: the year tells."""
    largest = np.nanmax(np.abs(numbers), initial=0.0)
    for limit, divisor in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)):
        if largest >= limit:
            return numbers / divisor
    return numbers


def _numbers(column: Any, name: str) -> np.ndarray:
    try:
        values = np.array([np.nan if v is None else float(v) for v in column.to_pylist()], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadData(f"column {name} holds something that is not a number: {error}") from None
    if np.isinf(values).any():
        raise BadData(f"column {name} holds a number that is not finite")
    return values


def _retail(table: Any) -> dict[str, np.ndarray]:
    """A customer, no cancellation, quantity above 0, a StockCode that begins with five digits."""
    columns = {name: table[name].to_numpy() for name in RETAIL}
    codes, invoices = (columns[name].astype(str) for name in ("StockCode", "InvoiceNo"))
    kept = ~np.isnan(columns["CustomerID"].astype(np.float64)) & (columns["Quantity"] > 0)
    kept &= ~np.char.startswith(invoices, "C")
    kept &= np.array(
        [code[:5].isascii() and code[:5].isdigit() and len(code) >= 5 for code in codes.tolist()]
    )
    return {
        "user": columns["CustomerID"][kept],
        "item": codes[kept],
        "basket": invoices[kept],
        "time": columns["InvoiceDate"][kept].astype("datetime64[us]").astype(np.float64) / 1e6,
    }


def _log(columns: dict[str, np.ndarray], notes: tuple[str, ...]) -> Log:
    time, item = columns["time"].astype(np.float64), _codes(columns["item"])
    user = _codes(columns["user"])
    basket, session = (_codes(columns[name]) if name in columns else None for name in ("basket", "session"))
    weight, more = _weights(columns)
    nobody = np.full(len(item), -1) if session is None else session
    kept = (
        (item >= 0)
        & np.isfinite(time)
        & (weight > 0)
        & ((user >= 0) | (nobody >= 0) | (_or(basket, item) >= 0))
    )
    if not kept.all():
        notes = (
            *notes,
            f"{int((~kept).sum())} rows left out: without item, time, anybody, or a weight above 0",
        )
    if not kept.any():
        raise BadData("no row has an item, a time and somebody")
    basket = _together(user, basket, np.floor(time / DAY).astype(np.int64))
    session = _pauses(user, time) if session is None else session
    log = (user, item, time, weight, basket, session)
    order = _once(kept, *log)
    item, names = np.unique(item[order], return_inverse=True)
    return Log(
        user=user[order],
        item=names.astype(np.int32),
        time=time[order],
        weight=weight[order],
        basket=basket[order],
        session=session[order],
        items=len(item),
        rows_of=tuple(name for name in ("basket", "session") if name in columns) or ("basket",),
        notes=(*notes, *more),
    )


def _or(values: np.ndarray | None, like: np.ndarray) -> np.ndarray:
    return np.full(len(like), -1) if values is None else values


def _once(kept: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """Places of the rows that are kept, by time and then as in the file, exact repetitions once."""
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort([column[rows] for column in columns])]
    new = np.ones(len(rows), dtype=bool)
    if len(rows) > 1:
        new[1:] = np.any([column[rows[1:]] != column[rows[:-1]] for column in columns], axis=0)
    rows = np.sort(rows[new])
    return rows[np.argsort(columns[2][rows], kind="stable")]


def _codes(values: np.ndarray) -> np.ndarray:
    """Numbers in the order of the names, -1 for an empty place."""
    if values.dtype == object:
        empty = np.array([value is None or value != value for value in values.tolist()], dtype=bool)  # noqa: PLR0124 -- nan
        values = np.where(empty, "", values).astype(str)
        empty |= values == ""
    else:
        empty = np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)
    numbers = np.unique(values, return_inverse=True)[1]
    return np.where(empty, -1, numbers).astype(np.int32)


def _weights(columns: dict[str, np.ndarray]) -> tuple[np.ndarray, tuple[str, ...]]:
    """The weight column, else what the type says, else 1."""
    count = len(columns["item"])
    if "weight" in columns:
        return np.nan_to_num(columns["weight"].astype(np.float64), nan=1.0), ()
    if "type" not in columns:
        return np.ones(count), ()
    types = [str(value).strip().lower() for value in columns["type"].tolist()]
    unknown = sorted(set(types) - set(TYPES))
    notes = (f"types that count as a view: {', '.join(unknown[:10])}",) if unknown else ()
    return np.array([TYPES.get(type, 1.0) for type in types]), notes


def _together(user: np.ndarray, basket: np.ndarray | None, day: np.ndarray) -> np.ndarray:
    """A basket is one customer's; where the file has none, what a customer did on one day (UTC) is one."""
    key = np.stack([user.astype(np.int64), day if basket is None else basket.astype(np.int64)])
    numbers = np.unique(key, axis=1, return_inverse=True)[1].ravel()
    nobody = user < 0 if basket is None else basket < 0
    return np.where(nobody, -1, numbers).astype(np.int32)


def _pauses(user: np.ndarray, time: np.ndarray) -> np.ndarray:
    order = np.lexsort((time, user))
    new = np.ones(len(user), dtype=bool)
    new[1:] = (np.diff(user[order]) != 0) | (np.diff(time[order]) > PAUSE)
    numbers = np.empty(len(user), dtype=np.int32)
    numbers[order] = np.cumsum(new) - 1
    return np.where(user < 0, -1, numbers).astype(np.int32)
