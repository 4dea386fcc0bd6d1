from __future__ import annotations

import os
from pathlib import Path

from pyspark.sql import SparkSession

from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.frames import VOTE_STATE, VoteState


def test_the_last_whole_superstep_of_any_run_is_found(spark: SparkSession, tmp_path: Path) -> None:
    killed, again = (Checkpoints(spark, str(tmp_path / "vote"), run) for run in ("killed", "again"))
    assert again.last() is None
    frame = spark.createDataFrame([(1, 7, 7, True, True), (2, 7, 7, False, True)], VOTE_STATE)
    states = [VoteState(frame.withColumn("label", frame["label"] + step)) for step in range(4)]
    written = [killed.write(step, state, [5] * step) for step, state in enumerate(states)]
    assert [row.label for row in written[-1].collect()] == [10, 10]
    last = again.last()
    assert last is not None
    assert (last.step, last.history) == (3, [5, 5, 5])
    assert last.state.dtypes == frame.dtypes
    assert sorted((row.id, row.label) for row in last.state.collect()) == [(1, 10), (2, 10)]
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
    Checkpoints(spark, str(tmp_path / "mine"), "run").clear_old()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "new"]
    Checkpoints(spark, str(tmp_path / "nowhere" / "mine"), "run").clear_old()
