"""The event log of a Parquet or CSV file as arrays; InvalidData says what is wrong and where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from reco.evaluation.columns import InvalidData, codes, names, numbers, times

__all__ = ["InvalidData", "Log", "read"]

REQUIRED = ("user", "item", "time")
OPTIONAL = ("basket", "session", "type", "weight")
RETAIL = ("InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "CustomerID")
EXPORTED = {"product_id": "item", "at": "time"}  # the names in logs_svc's `manage.py export_events`
READ = {*REQUIRED, *OPTIONAL, *RETAIL, *EXPORTED}
# The same assumption as the service's own (reco.domain.WEIGHTS); a type that is not here counts as a view.
TYPES = {"view": 1.0, "click": 1.0, "add_to_cart": 3.0, "cart": 3.0, "addtocart": 3.0, "purchase": 5.0}
TYPES |= {"transaction": 5.0, "buy": 5.0, "order": 5.0}
TASTELESS = ("impression", "search", "remove_from_cart", "checkout_started")
TYPES |= dict.fromkeys(TASTELESS, 0.0)
PAUSE = 30 * 60.0  # seconds of inactivity that end a session, if the file has no sessions
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Log:
    """Interactions, one per position; numbers stand for names.

    `user`, `basket` and `session` are -1 where empty.
    """

    user: np.ndarray
    item: np.ndarray
    time: np.ndarray
    weight: np.ndarray
    basket: np.ndarray
    session: np.ndarray
    items: int
    rows_of: tuple[str, ...] = ("basket",)  # beside users: the file's own groups, else a day's baskets
    notes: tuple[str, ...] = ()


def read(path: Path) -> Log:
    """Read the events of a file, oldest first, without exact repetitions."""
    table = _named(_table(path))
    there = set(table.column_names)
    if set(RETAIL) <= there:
        return _log(_retail(table), ("UCI Online Retail: cleaned as docs/recommendations.md describes",))
    missing = [name for name in REQUIRED if name not in there]
    if missing:
        raise InvalidData(
            f"{path.name} has no column {', '.join(missing)}: needed are user, item, time and, if any, "
            f"basket, session, type, weight; it has {', '.join(sorted(there)[:20]) or 'none'}"
        )
    unknown = sorted(there - {*REQUIRED, *OPTIONAL})
    notes = (f"columns not used: {', '.join(unknown)}",) if unknown else ()
    how = {"time": times, "weight": numbers}
    wanted = [name for name in (*REQUIRED, *OPTIONAL) if name in there]
    return _log({name: how.get(name, names)(table, name) for name in wanted}, notes)


def _named(table: Any) -> Any:
    """Rename the columns of the shop's own export."""
    there = set(table.column_names)
    new = {old: name for old, name in EXPORTED.items() if old in there and name not in there}
    return table.rename_columns([new.get(name, name) for name in table.column_names])


def _table(path: Path) -> Any:
    if not path.is_file():
        raise InvalidData(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise InvalidData(f"{path.name} is empty")
    import pyarrow as pa

    try:
        with path.open("rb") as opened:
            parquet = opened.read(4) == b"PAR1"
        table = _parquet(path) if parquet else _csv(path)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidData(f"{path.name} cannot be read as Parquet or CSV: {reason}") from error
    if table.num_rows == 0:
        raise InvalidData(f"{path.name} has no rows")
    if len(set(table.column_names)) < len(table.column_names):
        raise InvalidData(f"{path.name} has two columns of the same name")
    return table


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    there = pq.read_schema(path).names
    return _with_empty(pq.read_table(path, columns=[name for name in there if name in READ]), there)


def _with_empty(table: Any, there: list[str]) -> Any:
    """Append unread columns without their values, for the notes."""
    import pyarrow as pa

    for name in (name for name in there if name not in READ):
        table = table.append_column(name, pa.nulls(table.num_rows))
    return table


def _csv(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    # As text: a product "007" is not 7.
    with csv.open_csv(path) as opened:
        there = opened.schema.names
    options = csv.ConvertOptions(
        column_types=dict.fromkeys(there, pa.string()),
        include_columns=[name for name in there if name in READ],
        strings_can_be_null=True,
        null_values=["", "null", "NULL", "NaN", "nan", "NaT"],
    )
    found = csv.read_csv(path, convert_options=options)
    return _with_empty(found, there) if options.include_columns else pa.table({name: [""] for name in there})


def _retail(table: Any) -> dict[str, np.ndarray]:
    """Keep rows with a customer, no cancellation, a positive quantity and a five-digit StockCode."""
    stock, invoices = (names(table, name).astype(str) for name in ("StockCode", "InvoiceNo"))
    customer = numbers(table, "CustomerID")
    kept = ~np.isnan(customer) & (numbers(table, "Quantity") > 0) & ~np.char.startswith(invoices, "C")
    kept &= np.array([one[:5].isascii() and one[:5].isdigit() and len(one) >= 5 for one in stock.tolist()])
    return {
        "user": customer[kept],
        "item": stock[kept],
        "basket": invoices[kept],
        "time": times(table, "InvoiceDate")[kept],
    }


def _log(columns: dict[str, np.ndarray], notes: tuple[str, ...]) -> Log:
    time, item = columns["time"].astype(np.float64), codes(columns["item"])
    user = codes(columns["user"])
    basket, session = (codes(columns[name]) if name in columns else None for name in ("basket", "session"))
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
        raise InvalidData("no row has an item, a time, somebody, and a weight above 0")
    basket = _together(user, basket, np.floor(np.nan_to_num(time) / DAY).astype(np.int64))
    session = _pauses(user, time) if session is None else session
    log = (user, item, time, weight, basket, session)
    order = _once(kept, *log)
    item, number = np.unique(item[order], return_inverse=True)
    return Log(
        user=user[order],
        item=number.astype(np.int32),
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
    """Return the rows to keep, by time and then as in the file, without exact repetitions."""
    rows = np.flatnonzero(kept)
    rows = rows[np.lexsort([column[rows] for column in columns])]
    new = np.ones(len(rows), dtype=bool)
    if len(rows) > 1:
        new[1:] = np.any([column[rows[1:]] != column[rows[:-1]] for column in columns], axis=0)
    rows = np.sort(rows[new])
    return rows[np.argsort(columns[2][rows], kind="stable")]


def _weights(columns: dict[str, np.ndarray]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the weight column, else the weights of the types, else 1."""
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
    """Assign numbers to the baskets of customers; without baskets, a customer's day (UTC) is one."""
    key = np.stack([user.astype(np.int64), day if basket is None else basket.astype(np.int64)])
    number = np.unique(key, axis=1, return_inverse=True)[1].ravel()
    nobody = user < 0 if basket is None else basket < 0
    return np.where(nobody, -1, number).astype(np.int32)


def _pauses(user: np.ndarray, time: np.ndarray) -> np.ndarray:
    order = np.lexsort((time, user))
    new = np.ones(len(user), dtype=bool)
    new[1:] = (np.diff(user[order]) != 0) | (np.diff(time[order]) > PAUSE)
    number = np.empty(len(user), dtype=np.int32)
    number[order] = np.cumsum(new) - 1
    return np.where(user < 0, -1, number).astype(np.int32)
