"""Exports of a run: which are written, from where, and that each holds what the table holds."""

from __future__ import annotations

from pathlib import Path

import pytest
from publishing import Decided, Shop
from pyspark.sql import SparkSession

from facesieve.publish import outputs
from facesieve.publish.parquet_export import export_parquet

IMAGES = {f"{number}.jpg": Decided() for number in range(10)}


@pytest.fixture
def shop(spark: SparkSession, tmp_path: Path) -> Shop:
    """A shop whose images hold their own names."""
    shop = Shop(spark, tmp_path)
    for uri in IMAGES:
        (shop.images / uri).write_text(uri)
    return shop


def test_what_is_missing_is_written_and_nothing_twice(shop: Shop) -> None:
    assert shop.apply("r1", IMAGES, 'publish.outputs=["parquet"]') == 0
    file = next((shop.export / "r1" / "parquet").rglob("*.parquet"))
    at = file.stat().st_mtime_ns
    assert shop.apply("r2", IMAGES, 'publish.outputs=["parquet","folders"]') == 0
    assert shop.record("r2")["stages"]["publish"]["exported"] == 1
    assert {path.name for path in (shop.export / "r1" / "folders" / "Ann").iterdir()} == set(IMAGES)
    assert (shop.current(), file.stat().st_mtime_ns) == ("r1", at)
    assert shop.apply("r3", IMAGES, 'publish.outputs=["parquet","folders"]') == 0
    assert shop.record("r3")["stages"]["publish"]["reused"]


def test_bytes_of_the_table_need_no_source(shop: Shop) -> None:
    assert shop.apply("r1", IMAGES, "publish.bytes=true") == 0
    for uri in IMAGES:
        (shop.images / uri).unlink()
    assert shop.apply("r2", IMAGES, "publish.bytes=true", 'publish.outputs=["folders"]') == 0
    assert all((shop.export / "r1" / "folders" / "Ann" / uri).read_text() == uri for uri in IMAGES)


def test_an_export_that_lacks_an_image_is_not_complete(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = export_parquet
    with monkeypatch.context() as patched:
        patched.setattr(outputs, "export_parquet", lambda rows, *rest: whole(rows.where("uri <> '7.jpg'"), *rest))
        assert shop.apply("r1", IMAGES, 'publish.outputs=["parquet"]') == 1
    assert "the export parquet holds 9 images, the table cleaned 10" in capsys.readouterr().err
    assert not list(shop.export.rglob("_SUCCESS"))
    assert shop.current() is None
