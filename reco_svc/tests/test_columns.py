"""Interaction files, however their columns are stored."""

from __future__ import annotations

import pytest

from reco.evaluation.interaction_log import InvalidData, read

pa = pytest.importorskip("pyarrow", reason="pyarrow comes with requirements/science.txt")
parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def file(tmp_path):
    def written(text):
        path = tmp_path / "events.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


NS = 1_767_225_600_123_456_789


@pytest.mark.parametrize(
    "column",
    [
        pa.array([NS, NS + 1], pa.timestamp("ns")),
        pa.array([NS, NS + 1], pa.timestamp("ns", tz="UTC")),
        pa.array([NS, NS + 1]),
        pa.array([float(NS), float(NS)]),
        pa.array(["2026-01-01T00:00:00.123456"] * 2, pa.string_view()),
        pa.array(["2026-01-01T00:00:00.123456"] * 2).dictionary_encode(),
        pa.array([str(NS)] * 2, pa.large_string()),
    ],
    ids=["ns", "ns UTC", "number", "float", "view", "dictionary", "text"],
)
def test_nanosecond_times_are_read_in_every_format(tmp_path, column):
    table = pa.table({"user": ["a", "a"], "item": ["x", "y"], "time": column})
    parquet.write_table(table, tmp_path / "events.parquet")

    assert read(tmp_path / "events.parquet").time.tolist() == pytest.approx([NS / 1e9] * 2)


@pytest.mark.parametrize("odd", ["1e18", "inf", "-inf", "nan", "NaT", "9" * 300])
def test_an_invalid_time_drops_only_its_row(file, odd):
    log = read(file(f"user,item,time\na,x,1767225600\na,y,{odd}\nb,x,1767225660\nb,z,1767225720\n"))

    assert log.time.tolist() == [1767225600.0, 1767225660.0, 1767225720.0]
    assert log.notes == ("1 rows left out: without item, time, anybody, or a weight above 0",)


def test_large_numeric_names_stay_distinct_beside_nulls(tmp_path):
    large = 2**60
    table = pa.table(
        {
            "user": [large, large + 1, None],
            "item": pa.array([large + 2, large + 3, large + 3]),
            "time": [1, 2, 3],
        }
    )
    parquet.write_table(table, tmp_path / "events.parquet")

    log = read(tmp_path / "events.parquet")

    assert (log.user.tolist(), log.items) == ([0, 1], 2)


def test_events_without_weight_do_not_count(file):
    rows = "a,x,1,view\na,y,2,impression\na,z,3,remove_from_cart\na,,4,search\n"

    log = read(file(f"user,item,time,type\n{rows}"))

    assert (log.time.tolist(), log.items) == ([1.0], 1)


def test_an_export_of_logs_is_read_as_it_is(file):
    line = "view,x,2026-01-01T00:00:00Z,ann,s1\nclick,y,2026-01-01T00:01:00Z,,s1"

    log = read(file(f"type,product_id,at,user,session\n{line}\n"))

    assert (log.items, log.user.tolist(), log.session.tolist()) == (2, [0, -1], [0, 0])


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pa.array([["x"], ["y"]]), "column item holds list<.*>, not one value a row"),
        (pa.array([b"\xff", b"\xfe"]), "column item .*UTF8"),
    ],
    ids=["lists", "bytes"],
)
def test_a_column_of_the_wrong_type_is_reported(tmp_path, column, reason):
    table = pa.table({"user": ["a", "a"], "item": column, "time": [1, 2]})
    parquet.write_table(table, tmp_path / "events.parquet")

    with pytest.raises(InvalidData, match=reason):
        read(tmp_path / "events.parquet")


def test_the_retail_set_is_read_from_its_original_csv(file):
    rows = [
        b"536365,85123A,WHITE HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom",
        b"536366,22633,HAND WARMER \xa33,6,12/1/2010 8:28,1.85,17850,United Kingdom",
        b"C536367,22633,RETURNED,-1,12/1/2010 9:00,1.85,17850,United Kingdom",
        b"536368,POST,POSTAGE,1,12/1/2010 9:01,18,12583,France",
        b"536369,22634,NOBODY,1,12/1/2010 9:02,1,,France",
    ]
    head = b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"

    log = read(file(b"\n".join([head, *rows, b""])))

    assert (log.items, log.basket.tolist()) == (2, [0, 1])
    assert log.time.tolist() == [1291191960.0, 1291192080.0]
