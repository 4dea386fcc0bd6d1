from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from facesieve.core.errors import ConfigError
from facesieve.core.sections import Columns, Images
from facesieve.images.lake_tables.catalog_table import CatalogTable
from facesieve.images.protocol import SOURCE_IMAGES
from facesieve.images.sources import source

KIND = "uri string, bytes binary, identity string"
ROWS = [("a.jpg", b"one", "Ann"), ("b.jpg", None, None), ("c.jpg", b"", "Bob")]


@pytest.fixture
def name(spark: SparkSession) -> str:
    """A table of Iceberg with two snapshots, of which the first has ROWS."""
    table = f"lake.raw_{uuid.uuid4().hex[:8]}.photos"
    spark.createDataFrame(ROWS, KIND).writeTo(table).create()
    return table


def _rows(spark: SparkSession, origin: CatalogTable) -> list[tuple[object, ...]]:
    return sorted(map(tuple, origin.images(spark).collect()))


def test_a_table_is_read_at_the_snapshot_of_its_first_look(spark: SparkSession, name: str) -> None:
    origin = CatalogTable(name)
    origin.check()
    version = origin.version(spark)
    spark.createDataFrame([("d.jpg", b"two", "Ann")], KIND).writeTo(name).append()
    listed = [("a.jpg", 3, None, "Ann", b"one"), ("b.jpg", 0, None, None, None), ("c.jpg", 0, None, "Bob", b"")]
    assert _rows(spark, origin) == listed
    assert _rows(spark, CatalogTable(name, snapshot=version)) == listed
    later = CatalogTable(name)
    assert (later.count(spark), origin.count(spark)) == (4, 3)
    assert later.version(spark) != version
    assert later.state(spark) != origin.state(spark) == CatalogTable(name, snapshot=version).state(spark)
    frame = origin.images(spark, content=False)
    assert frame.dtypes == [(column.name, column.dataType.simpleString()) for column in SOURCE_IMAGES]
    assert frame.where("content IS NULL AND size IS NULL").count() == 3
    assert (origin.rows(), origin.ignored(spark).files, origin.carries_content) == (None, 0, True)
    with pytest.raises(ConfigError, match="cannot be read at snapshot 17"):
        CatalogTable(name, snapshot="17").check()


def test_columns_are_named_and_may_be_fields(spark: SparkSession, name: str) -> None:
    struct = "SELECT 7 AS Key, named_struct('bytes', bytes, 'path', uri) AS image, 12 AS who FROM "
    spark.sql(f"{struct}{name} WHERE uri = 'a.jpg'").writeTo(f"{name}2").create()
    named = CatalogTable(f"{name}2", Columns("key", "image.bytes", "WHO"))
    named.check()
    assert _rows(spark, named) == [("7", 3, None, "12", b"one")]
    for columns, text in (
        (Columns(), "column uri is missing"),
        (Columns("key", "image.path"), r"image\.path is string, which is not bytes"),
        (Columns("image", "image.bytes"), r"column image is struct<.*which is not text"),
        (Columns("", "image.bytes"), r"images\.columns\.uri is empty"),
        (Columns("key", "image.bytes", "absent"), "column absent is missing"),
    ):
        with pytest.raises(ConfigError, match=text):
            CatalogTable(f"{name}2", columns).check()


def test_uris_lead_to_files_below_one_folder(spark: SparkSession, name: str, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"one")
    settings = Images(root=name, format="table", files=str(tmp_path))
    origin = source(settings)
    origin.check()
    assert [row.content for row in origin.images(spark).collect()] == [None] * 3
    assert (origin.carries_content, settings.carried, origin.state(spark)) == (False, False, None)
    assert origin.fetch()("a.jpg") == b"one"
    with pytest.raises(ConfigError, match=r"images\.files: .*nowhere does not exist"):
        source(Images(root=name, format="table", files=str(tmp_path / "nowhere"))).check()


def test_a_view_keeps_no_snapshot(spark: SparkSession, name: str) -> None:
    spark.createDataFrame(ROWS, KIND).createOrReplaceTempView("photos")
    view = CatalogTable("photos")
    view.check()
    assert (view.version(spark), view.state(spark), view.count(spark)) == ("", None, 3)
    for wrong in ("nowhere.at.all", "not a name", "lake.absent.table"):
        with pytest.raises(ConfigError, match=r"images\.root: the table .* cannot be read"):
            CatalogTable(wrong).check()
    spark.sql(f"DELETE FROM {name}")
    with pytest.raises(ConfigError, match="there is no row"):
        CatalogTable(name).check()
