"""The lists of `trainer`, computed by Spark: for histories that one machine cannot hold.

Hyperparameters, caps, weights and ties are the same as on one machine (interactions, similarity, model_fit,
trainer), written as DataFrames; only the resulting tables are collected. The second model is left out, as it
is dense. Hyperparameters are selected on one machine, on a share of the people (`HyperparameterSet.of` a
training's parameters).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it

from reco.domain import HISTORY, NEIGHBOURS, WEIGHTS, Lists
from reco.engine.interactions import DAY, MAX_HISTORY, MAX_WORK, Hyperparameters, max_history_length
from reco.engine.model_fit import REACH, UNSEEN
from reco.engine.trainer import TREND, HyperparameterSet

NEEDED = "type string, product_id string, at string, user string, session string"


def session(master: str | None = None, **options: str) -> SparkSession:
    """Start a Spark session in UTC; `master` is "local[2]", a cluster's URL, or spark-submit's."""
    builder = SparkSession.builder.appName("hivemart-reco").config("spark.sql.session.timeZone", "UTC")
    for name, value in options.items():
        builder = builder.config(name.replace("__", "."), value)
    return (builder.master(master) if master else builder).getOrCreate()


def read(spark: SparkSession, path: str) -> DataFrame:
    """Read events of logs_svc's `manage.py export_events`: JSON lines, or Parquet by the suffix."""
    if path.endswith(".parquet"):
        return spark.read.parquet(path)
    return spark.read.schema(NEEDED).json(path)


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of a model.

    `near[kind]`: key, product, score, place (1 is best). `trending`: product, score. `histories`: key,
    product, taste (null where the domain's rule decides), place. `owned`: key, product, place.
    """

    near: dict[str, DataFrame]
    trending: DataFrame
    histories: DataFrame
    owned: DataFrame

    def save(self, folder: str) -> None:
        """Write each table as a folder of Parquet files."""
        tables = {**self.near, "trending": self.trending, "histories": self.histories, "owned": self.owned}
        for name, table in tables.items():
            table.write.mode("overwrite").parquet(f"{folder}/{name}")

    def collected(self) -> Lists:
        """Collect the tables into the lists of one machine; the driver needs memory for them."""
        near = {name: _grouped(table, ("product", "score")) for name, table in self.near.items()}
        histories = _grouped(self.histories, ("product", "taste"))
        tastes = {
            key: [taste for _, taste in rows]
            for key, rows in histories.items()
            if any(taste is not None for _, taste in rows)
        }
        wanted = self.trending.orderBy(F.desc("score"), "product").toLocalIterator()
        return Lists(
            **near,
            trending=[(row["product"], row["score"]) for row in wanted],
            histories={key: [product for product, _ in rows] for key, rows in histories.items()},
            tastes=tastes,
            owned={key: [one for (one,) in rows] for key, rows in _grouped(self.owned, ("product",)).items()},
        )


def tables(
    events: DataFrame, hyperparameters: HyperparameterSet, now: datetime, *, work: int = MAX_WORK
) -> Tables:
    """Compute the tables of events with the columns of `read`.

    `at` is a text (RFC 3339) or a timestamp. `work` limits the pairs of a fit, above which the longest
    histories are cut; a cluster may take more.
    """
    interactions = _interactions(events, now).cache()
    bought = interactions.where(F.col("weight") >= WEIGHTS["purchase"]).withColumn("weight", F.lit(1.0))
    products = interactions.select("product").distinct().count()
    asked = {
        "similar": (interactions, hyperparameters.similar),
        "together": (bought, hyperparameters.together),
        "personal": (interactions, hyperparameters.personal),
    }
    near = {name: _near(done, params, products, work) for name, (done, params) in asked.items()}
    seen = _seen(interactions)
    return Tables(
        near,
        _trending(interactions, now),
        _with_tastes(seen, interactions, hyperparameters.personal),
        _owned(interactions),
    )


def _interactions(events: DataFrame, now: datetime) -> DataFrame:
    """Return type, product, time (seconds), weight, seq (order of arrival), visit, person.

    Events without weight are left out, and future ones count as of now.
    """
    weight = F.create_map(*(F.lit(one) for pair in WEIGHTS.items() for one in pair))[F.col("type")]
    at = F.least(F.to_timestamp("at"), F.lit(now))
    has_user, has_session = _said("user"), _said("session")
    visit = F.when(has_session, F.concat(F.lit("session:"), "session")).when(
        has_user, F.concat(F.lit("user:"), "user", F.lit(":"), F.date_format(at, "yyyy-MM-dd"))
    )
    found = events.select(
        "type",
        F.col("product_id").alias("product"),
        (F.unix_micros(at) / 1e6).alias("time"),
        weight.alias("weight"),
        F.monotonically_increasing_id().alias("seq"),
        visit.alias("visit"),
        F.when(has_user, F.concat(F.lit("user:"), "user")).otherwise(visit).alias("person"),
    )
    return found.where((F.col("weight") > 0) & F.col("visit").isNotNull() & _said("product"))


def _said(name: str) -> Column:
    return F.col(name).isNotNull() & (F.col(name) != "")


def _pairs(interactions: DataFrame, kind: str) -> DataFrame:
    """Return each owner and product once: the strongest weight, the newest time."""
    owner = F.col({"session": "visit", "user": "person"}[kind]).alias("owner")
    most = (F.max("weight").alias("weight"), F.max("time").alias("time"))
    return interactions.select(owner, "product", "weight", "time").groupBy("owner", "product").agg(*most)


def _near(interactions: DataFrame, params: Hyperparameters, products: int, work: int) -> DataFrame:
    """Compute the neighbours of each product, like `trainer.neighbours`."""
    if params.second:
        raise ValueError("the second model is dense: Spark computes lists without it")
    end = float(interactions.agg(F.max("time")).first()[0] or 0.0)
    x = _matrix(interactions, params, end, work).cache()
    best = _ranked(_similarities(x, params), "product", params.keep, F.col("popular"), "other")
    prior = _prior(interactions, params, end, products)
    weighed = best.join(prior, "product").withColumn("score", F.col("score") * F.col("prior"))
    forward = _ranked(weighed, "other", REACH, F.col("product"))
    rounded = forward.withColumn("score", F.round("score", 6)).where("score > 0")
    shown = _ranked(rounded, "other", NEIGHBOURS, F.col("product"), keep_place=True)
    return shown.select(F.col("other").alias("key"), "product", "score", "place")


def _matrix(interactions: DataFrame, params: Hyperparameters, end: float, work: int) -> DataFrame:
    """Return owner, product, value: rows of every kind, with a mean square of 1 for the first."""
    kinds = [(kind, share) for kind, share in params.kinds if share > 0]
    parts = [_rows(interactions, kind, share, params, end, work // len(kinds)) for kind, share in kinds]
    square = parts[0].agg(F.avg(F.col("value") ** 2)).first()[0]
    found = parts[0]
    for part in parts[1:]:
        found = found.unionByName(part)
    return found.withColumn("value", F.col("value") / F.lit(square**0.5 if square else 1.0))


def _rows(
    interactions: DataFrame, kind: str, share: float, params: Hyperparameters, end: float, work: int
) -> DataFrame:
    most = MAX_HISTORY.get(kind, 2000)
    sized = _pairs(interactions, kind).withColumn("size", F.count("*").over(Window.partitionBy("owner")))
    sized = sized.where(F.col("size") <= most).cache()
    cap = max_history_length(_by_size(sized), most, work)
    newest = Window.partitionBy("owner").orderBy(F.desc("time"), "product")
    kept = sized.withColumn("rank", F.row_number().over(newest)).where(F.col("rank") <= cap)
    value = F.sqrt(share * _decay(end - F.col("time"), params.half_life)) * F.col("weight") ** params.strength
    scale = F.least("size", F.lit(cap)) ** -params.damping
    kept = kept.withColumn("scale", scale)
    square = kept.agg(F.avg(F.col("scale") ** 2)).first()[0]
    owner = F.concat(F.lit(f"{kind} "), "owner").alias("owner")
    return kept.select(
        owner, "product", (value * F.col("scale") / (square**0.5 if square else 1.0)).alias("value")
    )


def _by_size(sized: DataFrame) -> np.ndarray:
    """Count the owners by their number of products."""
    rows = sized.groupBy("size").agg(F.countDistinct("owner").alias("owners")).collect()
    found = np.zeros(max((row["size"] for row in rows), default=0) + 1, dtype=np.int64)
    for row in rows:
        found[row["size"]] = row["owners"]
    return found


def _similarities(x: DataFrame, params: Hyperparameters) -> DataFrame:
    """Return product (recommended), other (of a history), score, and the popularity rank of `other`."""
    by_count = Window.orderBy(F.desc("count"), "product")
    known = x.groupBy("product").agg(F.sum(F.col("value") ** 2).alias("norm"), F.count("*").alias("count"))
    known = known.withColumn("popular", F.row_number().over(by_count))
    other = x.select("owner", F.col("product").alias("other"), F.col("value").alias("beside"))
    met = x.join(other, "owner").where(F.col("product") != F.col("other")).groupBy("product", "other")
    counts = met.agg(F.sum(F.col("value") * F.col("beside")).alias("count"))
    left = known.select("product", (F.col("norm") ** params.asymmetry).alias("left"))
    right = known.select(
        F.col("product").alias("other"), (F.col("norm") ** (1 - params.asymmetry)).alias("right"), "popular"
    )
    score = F.col("count") / (F.col("left") * F.col("right") + params.shrink)
    found = counts.join(left, "product").join(right, "other").withColumn("score", score)
    return found.where("score > 0").select("product", "other", "score", "popular")


def _prior(interactions: DataFrame, params: Hyperparameters, end: float, products: int) -> DataFrame:
    """Return product, prior: recent demand as a factor."""
    kind = params.kinds[0][0]
    aged = _pairs(interactions, kind).withColumn(
        "lately", _decay(end - F.col("time"), params.prior_half_life)
    )
    lately = aged.groupBy("product").agg(F.sum("lately").alias("lately"))
    mean = float(lately.agg(F.sum("lately")).first()[0] or 0.0) / max(1, products) + UNSEEN
    everything = interactions.select("product").distinct().join(lately, "product", "left")
    wanted = (F.coalesce("lately", F.lit(0.0)) + UNSEEN) / mean
    return everything.select("product", (wanted**params.prior).alias("prior"))


def _ranked(
    found: DataFrame, group: str, keep: int, *ties: Column | str, keep_place: bool = False
) -> DataFrame:
    """Keep the best `keep` of every group."""
    order = Window.partitionBy(group).orderBy(F.desc("score"), *ties)
    ranked = found.withColumn("place", F.row_number().over(order)).where(F.col("place") <= keep)
    return ranked if keep_place else ranked.drop("place")


def _trending(interactions: DataFrame, now: datetime) -> DataFrame:
    age = F.lit(now.timestamp()) - F.col("time")
    interest = F.sum(F.col("weight") * _decay(age, TREND / DAY))
    return _pairs(interactions, "user").groupBy("product").agg(F.round(interest, 6).alias("score"))


def _seen(interactions: DataFrame) -> DataFrame:
    """Return key (a person or a visit), product, place: the newest first, each product once."""
    who = F.explode(F.array_distinct(F.array("person", "visit"))).alias("key")
    newest = F.max(F.struct("time", (-F.col("seq")).alias("early"))).alias("newest")
    found = interactions.select(who, "product", "time", "seq").groupBy("key", "product").agg(newest)
    order = Window.partitionBy("key").orderBy(F.desc("newest"))
    return (
        found.withColumn("place", F.row_number().over(order)).where(F.col("place") <= HISTORY).drop("newest")
    )


def _with_tastes(seen: DataFrame, interactions: DataFrame, params: Hyperparameters) -> DataFrame:
    """Add the weight of each product of a person's history; visits alone have none."""
    pairs = _pairs(interactions, "user").withColumn("newest", F.max("time").over(Window.partitionBy("owner")))
    taste = F.col("weight") ** params.strength * _decay(
        F.col("newest") - F.col("time"), params.history_half_life
    )
    says = pairs.select(F.col("owner").alias("key"), "product", F.round(taste, 4).alias("says"))
    persons = interactions.select(F.col("person").alias("key")).distinct().withColumn("known", F.lit(0.0))
    joined = seen.join(persons, "key", "left").join(says, ["key", "product"], "left")
    return joined.select("key", "product", F.coalesce("says", "known").alias("taste"), "place")


def _owned(interactions: DataFrame) -> DataFrame:
    who = F.explode(F.array_distinct(F.array("person", "visit"))).alias("key")
    bought = interactions.where(F.col("type") == "purchase").select(who, "product", "time", "seq")
    order = Window.partitionBy("key").orderBy(F.desc("time"), "seq")
    return bought.select("key", "product", F.row_number().over(order).alias("place"))


def _decay(age: Column, half_life: float | None) -> Column:
    if half_life is None:
        return F.lit(1.0)
    return F.pow(F.lit(2.0), -F.greatest(age, F.lit(0.0)) / (DAY * half_life))


def _grouped(table: DataFrame, names: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
    found: dict[str, list[tuple[Any, ...]]] = {}
    for row in table.orderBy("key", "place").toLocalIterator():
        found.setdefault(row["key"], []).append(tuple(row[name] for name in names))
    return found
