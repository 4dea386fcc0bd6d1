"""A table that begins anew has one version, and no file of its past."""

from __future__ import annotations

import json
from pathlib import Path

import erasable
import pytest
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.core.errors import Refused
from facesieve.erasure.rebase import Rebase, Rows
from facesieve.lake import iceberg
from facesieve.lake.versions import Stamp


def test_a_table_begins_anew_with_its_tag_and_without_a_past(spark: SparkSession) -> None:
    lake = small_lake(spark)
    for key in ("a", "b"):
        erasable.put(spark, lake, tables.CLEANED, erasable.ROWS[tables.CLEANED], key)
    here = iceberg.existing(spark, lake.name_of(tables.CLEANED))
    here.create_branch("staged", here.commits()[0].id)
    folder = Path(str(here.java.location()).removeprefix("file:"))
    (folder / "data" / "orphan.parquet").write_bytes(b"PAR1")
    rebase = Rebase(spark, lake.name_of(tables.CLEANED), "e1")
    assert rebase.rewritten() is None
    stamp = Stamp("made", "new key", {"decisions": 7})
    rows = rebase.read().where(f"image_id > {erasable.FROM + 3}")
    new = rebase.rewrite(Rows(rows), stamp.summary())
    assert rebase.rewritten() == new
    rebase.purge()
    rebase.purge()
    at = lake.snapshot(tables.CLEANED)
    assert [each.id for each in lake.versions(tables.CLEANED)] == [at.id] == [new.id]
    assert (at.key, at.run, at.inputs, at.rows, at.exact) == ("new key", "made", {"decisions": 7}, 2, True)
    assert sorted(erasable.small(row.image_id) for row in lake.read(tables.CLEANED, at).collect()) == [4, 5]
    assert set(iceberg.existing(spark, lake.name_of(tables.CLEANED)).heads()) == {"main"}
    names = [file.name for file in folder.rglob("*") if file.is_file() and not file.name.endswith(".crc")]
    data = [name for name in names if name.endswith(".parquet")]
    assert len(data) == len({row.file_path for row in spark.table(f"{rebase.name}.files").collect()})
    assert len([name for name in names if name.endswith(".avro")]) == 2, "a list of manifests, and a manifest"
    metadata = [json.loads(file.read_text()) for file in folder.rglob("*.metadata.json")]
    assert [len(each["snapshots"]) for each in metadata] == [1] * len(metadata), "not even metadata tells of the past"
    properties = dict(iceberg.existing(spark, rebase.name).java.properties())
    assert properties["write.metadata.previous-versions-max"] == "50"


def test_a_table_that_moves_meanwhile_is_refused(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = small_lake(spark)
    erasable.put(spark, lake, tables.IDENTITY_LINKS, erasable.ROWS[tables.IDENTITY_LINKS])
    rebase = Rebase(spark, lake.name_of(tables.IDENTITY_LINKS), "e1")
    rows = rebase.read()
    seal = Rebase._seal

    def moved(self: Rebase, branch: str, summary: dict[str, str]) -> None:
        seal(self, branch, summary)
        erasable.put(spark, lake, tables.IDENTITY_LINKS, [], "another run")

    monkeypatch.setattr(Rebase, "_seal", moved)
    with pytest.raises(Refused, match="was moved by another run"):
        rebase.rewrite(rows, {})
    assert lake.snapshot(tables.IDENTITY_LINKS).key == "another run"
