from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from facesieve.cluster.checkpoints import Checkpoints
from facesieve.cluster.frames import VOTE_STATE, VoteState


def plus(step: int, label: Column) -> Column:
    return label + step


def test_the_last_whole_superstep_of_any_run_is_found(spark: SparkSession, tmp_path: Path) -> None:
    killed, again = (Checkpoints(spark, str(tmp_path / "vote"), run) for run in ("killed", "again"))
    assert again.last() is None
    rows = [(face, [7, 8], [7, 8], [True, False], [True, True]) for face in (1, 2)]
    frame = spark.createDataFrame(rows, VOTE_STATE)
    states = [VoteState(frame.withColumn("labels", F.transform("labels", partial(plus, step)))) for step in range(4)]
    written = [killed.write(step, state, [[5] * step, [6, 0]]) for step, state in enumerate(states)]
    assert [row.labels for row in written[-1].collect()] == [[10, 11]] * 2
    last = again.last()
    assert last is not None
    assert (last.step, last.histories) == (3, [[5, 5, 5], [6, 0]])
    assert last.state.dtypes == frame.dtypes
    assert sorted((row.id, row.labels) for row in last.state.collect()) == [(1, [10, 11]), (2, [10, 11])]
    (tmp_path / "vote" / "killed" / "000003" / "_SUCCESS").unlink()
    before = again.last()
    assert before is not None
    assert (before.step, before.histories) == (2, [[5, 5], [6, 0]])
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
