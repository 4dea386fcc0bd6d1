"""What the metadata of a table tells of its rows: no beginning of a name, of a digest or of a vector."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from avro_blocks import unpacked
from pyspark.sql import SparkSession
from small_lake import small_lake

from facesieve.core import tables
from facesieve.core.tables import Table
from facesieve.lake.catalog import Lake, Snapshot, Stamp
from facesieve.lake.table_properties import BARE, OF_COLUMN, of
from facesieve.lake.upkeep import Upkeep

NAME = "Zebediah"
DIGEST = hashlib.sha256(NAME.encode()).hexdigest()
VECTOR = np.array([0.6, -0.8, 0.0, 0.0], np.float32)
PHASH = bytes(range(100, 132))
SECRETS = {"name": NAME.encode(), "digest": DIGEST[:8].encode(), "hash": PHASH[:8], "half": b""}
SECRETS["half"] = VECTOR.astype(np.float16).tobytes()[:4]


def filled(spark: SparkSession, lake: Lake, table: Table, **values: Any) -> Snapshot:
    """Add a row (columns that are not given are null), as a run does."""
    row = [tuple(values.get(name) for name in table.columns.names)]
    frame = spark.createDataFrame(row, table.columns).coalesce(1)
    return lake.append(table, frame, Stamp("r", values.get("model") or "k", {}), lake.open(table))


def embedded(spark: SparkSession, lake: Lake, model: str = "m") -> Snapshot:
    values = {"uri": f"{NAME}/1.jpg", "sha256": DIGEST, "vector": VECTOR.tolist(), "phash": PHASH, "face_phash": PHASH}
    return filled(spark, lake, tables.EMBEDDINGS, face_id=1, image_id=2, model=model, **values)


def metadata(spark: SparkSession, lake: Lake, table: Table) -> Path:
    warehouse = Path(str(spark.conf.get("spark.sql.catalog.lake.warehouse")))
    return warehouse.joinpath(*lake.name_of(table).split(".")[1:], "metadata")


def telling(spark: SparkSession, lake: Lake, table: Table, manifests: set[Path] | None = None) -> set[str]:
    """Return what of the secrets stands in the unpacked manifests, or in any other file of the metadata."""
    files = [file for file in metadata(spark, lake, table).iterdir() if file.suffix != ".crc"]
    chosen = files if manifests is None else [file for file in files if file in manifests]
    texts = [unpacked(file) if file.suffix == ".avro" else file.read_bytes() for file in chosen]
    assert any(file.suffix == ".avro" for file in chosen)
    return {what for what, secret in SECRETS.items() if any(secret in text for text in texts)}


def current_manifests(spark: SparkSession, lake: Lake, table: Table) -> set[Path]:
    """The manifests of the version that the table stands at; older versions have theirs until they are expired."""
    rows = spark.table(f"{lake.name_of(table)}.manifests").select("path").collect()
    return {metadata(spark, lake, table) / Path(row.path).name for row in rows}


def test_the_metadata_of_a_new_table_tells_nothing_of_its_rows(spark: SparkSession) -> None:
    lake = small_lake(spark)
    embedded(spark, lake)
    half = VECTOR.astype(np.float16).tobytes()
    filled(spark, lake, tables.EPOCHS, epoch="e", kind="faces", faces=1, ids=PHASH, codes=PHASH, vectors=half)
    filled(spark, lake, tables.REJECTS, image_id=1, uri=f"{NAME}/2.jpg", sha256=DIGEST, reason="empty", model="m")
    filled(spark, lake, tables.DECISIONS, image_id=1, uri=f"{NAME}/2.jpg", identity=NAME, moved_to=NAME)
    filled(spark, lake, tables.CLEANED, image_id=1, face_id=2, uri=NAME, identity=NAME, sha256=DIGEST, bytes=PHASH)
    filled(spark, lake, tables.IDENTITY_LINKS, identity_a=NAME, identity_b=NAME)
    filled(spark, lake, tables.LISTING, image_id=1, uri=NAME, identity=NAME, sha256=DIGEST)
    for table in (*tables.ALL[:3], tables.EPOCHS, tables.DECISIONS, tables.CLEANED, tables.IDENTITY_LINKS):
        assert telling(spark, lake, table) == set(), table.name


@pytest.fixture
def older(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Lake:
    """A lake of before there were modes for columns, with a row in `embeddings`."""
    lake = small_lake(spark)
    with monkeypatch.context() as before:
        before.setattr("facesieve.lake.table_properties._SPARED", frozenset())
        lake.open(tables.EMBEDDINGS)
        name = lake.name_of(tables.EMBEDDINGS)
        spark.sql(f"ALTER TABLE {name} UNSET TBLPROPERTIES ('{BARE}')")
        embedded(spark, lake)
    return lake


def test_an_older_table_is_rewritten_once_and_stays_the_version_that_it_was(spark: SparkSession, older: Lake) -> None:
    table, name = tables.EMBEDDINGS, older.name_of(tables.EMBEDDINGS)
    assert telling(spark, older, table) == {"name", "digest", "hash"}, "Iceberg keeps sixteen characters by itself"
    before = older.snapshot(table)
    older.open(table)
    embedded(spark, older, "m2")
    assert telling(spark, older, table, current_manifests(spark, older, table)) == {"name", "digest", "hash"}
    upkeep, last = Upkeep(spark, name), older.snapshot(table)
    assert upkeep.small().files == 2
    upkeep.compact()
    now = older.snapshot(table)
    assert telling(spark, older, table, current_manifests(spark, older, table)) == set()
    assert (now.version, now.key, now.inputs) == (last.id, last.key, last.inputs)
    rows = [row.uri for row in older.read(table, before).collect()]
    assert rows == [f"{NAME}/1.jpg"], "earlier versions are there, with their manifests"
    assert upkeep.small().files == 0
    upkeep.expire([commit.id for commit in upkeep.history().commits if commit.id != now.id])
    assert telling(spark, older, table) == set(), "with the versions of before go their manifests"


def test_a_mode_waits_for_its_column(spark: SparkSession) -> None:
    """Iceberg refuses the mode of a column that is not there, and maintenance adds no column."""
    lake = small_lake(spark)
    lake.open(tables.LISTING)
    name = lake.name_of(tables.REJECTS)
    spark.sql(f"CREATE TABLE {name} (image_id bigint, model string, uri string) USING iceberg")
    lake.tidy(tables.REJECTS)
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    assert properties[f"{OF_COLUMN}uri"] == "counts"
    assert f"{OF_COLUMN}detail" not in properties
    lake.open(tables.REJECTS)
    properties = {row.key: row.value for row in spark.sql(f"SHOW TBLPROPERTIES {name}").collect()}
    assert set(of(tables.REJECTS)) - {"format-version"} <= set(properties)
