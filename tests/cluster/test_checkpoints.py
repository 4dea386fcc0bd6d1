from __future__ import annotations

import os
from pathlib import Path

from pyspark.sql import SparkSession

from facesieve.cluster.checkpoints import Progress


def test_the_last_whole_superstep_of_any_run_is_found(spark: SparkSession, tmp_path: Path) -> None:
    killed, again = (Progress(spark, str(tmp_path / "vote"), run) for run in ("killed", "again"))
    assert again.last() is None
    frame = spark.createDataFrame([(1, 7), (2, 7)], "id long, label long")
    kept = [killed.keep(step, frame.withColumn("label", frame["label"] + step), [5] * step) for step in range(4)]
    assert [row.label for row in kept[-1].collect()] == [10, 10]
    last = again.last()
    assert last is not None
    assert (last.step, last.history) == (3, [5, 5, 5])
    assert sorted(map(tuple, last.state.collect())) == [(1, 10), (2, 10)]
    (tmp_path / "vote" / "killed" / "000003" / "_SUCCESS").unlink()
    before = again.last()
    assert before is not None
    assert (before.step, before.history) == (2, [5, 5])
    assert sorted(path.name for path in (tmp_path / "vote" / "killed").iterdir()) == ["000002", "000003"]
    again.clear()
    assert again.last() is None
    assert not (tmp_path / "vote").exists()


def test_what_nobody_goes_on_with_is_cleared(spark: SparkSession, tmp_path: Path) -> None:
    for name in ("old", "new", "mine"):
        (tmp_path / name / "global").mkdir(parents=True)
    os.utime(tmp_path / "old", (0, 0))
    Progress(spark, str(tmp_path / "mine"), "run").clear_old()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "new"]
    Progress(spark, str(tmp_path / "nowhere" / "mine"), "run").clear_old()
