"""An epoch: how long it lasts, how it is stored, and what happens when its files are gone."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from pyspark.errors import PySparkException
from pyspark.sql import Row

from facesieve.lake.run import Stage
from facesieve.link import epoch as module
from facesieve.link.epoch import Epoch, digest, if_readable
from facesieve.link.routing import ONE_CELL, Routing


def test_an_epoch_lasts_until_the_collection_has_doubled_or_halved() -> None:
    epoch = Epoch("run-1", "", 70, {}, ONE_CELL)
    assert [epoch.lasts(faces) for faces in (35, 36, 139, 140)] == [False, True, True, False]


def test_the_digest_depends_on_what_the_edges_depend_on_and_on_no_order() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1, "b": 2}) != digest({"a": 1, "b": 3})


def test_settings_are_read_as_they_were_written() -> None:
    pivots = np.arange(6, dtype=np.float32).reshape(2, 3)
    rows = []
    stage = cast(
        Stage,
        SimpleNamespace(run=SimpleNamespace(spark=SimpleNamespace(createDataFrame=lambda row, _: rows.extend(row)))),
    )
    facts = {"recall": 0.99, "lsh_recall": None}
    epochs = [
        Epoch("run-1", "made of", 70, {"global": 0.6}, Routing(pivots, 4, 0.3), facts),
        Epoch("run-2", "made of", 7, {"identity": 0.5}, ONE_CELL),
    ]
    for epoch in epochs:
        module.settings_row(epoch, stage)
    first, second = (
        module._epoch(Row(epoch=row[0], settings=json.dumps(json.loads(row[2])), pivots=row[3])) for row in rows
    )
    assert np.array_equal(np.asarray(first.routing.pivots), pivots)
    assert (first.name, first.cosines, first.facts) == ("run-1", {"global": 0.6}, facts)
    assert (first.routing.probes, first.routing.margin) == (4, 0.3)
    assert second == epochs[1]


def test_a_record_begins_with_what_the_epoch_measured() -> None:
    record = Epoch("run-1", "", 70, {"global": 0.6}, ONE_CELL, {"recall": 0.99, "lsh_recall": None}).record(80, 9)
    assert (record.epoch, record.cosines, record.probes) == ("run-1", {"global": 0.6}, 1)
    assert (record.rows_in, record.rows_out, record.edges) == (80, 9, 9)
    assert (record.recall, record.lsh_recall, record.new, record.false_matches) == (0.99, None, None, None)


def test_files_that_are_gone_are_warned_of_and_anything_else_is_an_error() -> None:
    warnings: list[str] = []
    stage = cast(Stage, SimpleNamespace(run=SimpleNamespace(warn=warnings.append)))

    def fail(problem: str) -> str:
        raise PySparkException(problem)

    assert if_readable(stage, lambda: "edges") == "edges"
    assert warnings == []
    for problem in ("java.io.FileNotFoundException: x", "NotFoundException: y", "x is not a Parquet file (too short)"):
        assert if_readable(stage, partial(fail, problem)) is None
    assert warnings == ["link: a file of the tables epochs or edges cannot be read: all faces are joined anew"] * 3
    with pytest.raises(PySparkException, match="out of memory"):
        if_readable(stage, lambda: fail("out of memory"))
