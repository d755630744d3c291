"""What views answer."""

from __future__ import annotations

from chassis.couch import Repository, Row
from chassis.testing.fruits import Fruit, orchard


class ViewsContract:
    def test_a_view_answers_rows_groups_and_sums(self, repository: Repository[Fruit]) -> None:
        orchard(repository)

        assert repository.rows("stock") == [Row("", None, 21)]
        assert repository.rows("stock", group_level=1) == [Row("", ["green"], 11), Row("", ["red"], 10)]
        assert repository.rows("stock", group=True, limit=1) == [Row("", ["green", "fruit-g1"], 5)]
        assert repository.rows("stock", key=["red", "fruit-r2"], reduce=False) == [
            Row("fruit:r2", ["red", "fruit-r2"], 2)
        ]
        assert repository.rows("stock", start=["red"], end=["red", {}]) == [Row("", None, 10)]
        keys = [["red", "fruit-r3"], ["green", "fruit-g2"]]
        assert repository.rows("stock", keys=keys, group=True) == [Row("", keys[0], 3), Row("", keys[1], 6)]
        stats = {"sum": 300, "count": 2, "min": 100, "max": 200, "sumsqr": 50000}
        assert repository.rows("prices", key="green") == [Row("", None, stats)]
        last = repository.rows("tags", descending=True, limit=2)
        assert last == [Row("fruit:r4", "tag-r4", None), Row("fruit:r3", "tag-r3", None)]

    def test_an_empty_view_answers_nothing(self, repository: Repository[Fruit]) -> None:
        assert repository.rows("tags") == []
        assert [row.value for row in repository.rows("stock")] in ([], [0])
