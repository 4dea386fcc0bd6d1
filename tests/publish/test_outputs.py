"""Exports of a run: which are written, from where, and that each holds what the table holds."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
from PIL import Image
from publishing import Decided, Shop
from pyspark.sql import SparkSession
from trainers import records, samples

from facesieve.core.config import Config
from facesieve.core.sections import OUTPUTS, Lake
from facesieve.core.tables import Cleaned
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


class Seen(NamedTuple):
    """What a reader of an export sees of an image; None where the export does not tell."""

    split: str
    identity: str | None
    label: int | None
    content: bytes | None


def from_webdataset(folder: Path) -> dict[str, Seen]:
    read = {tar: samples(tar) for tar in folder.glob("*/*.tar")}
    return {
        each["json"]["uri"]: Seen(tar.parent.name, each["json"]["identity"], int(each["cls"]), each["jpg"])
        for tar, every in read.items()
        for each in every
    }


def from_huggingface(folder: Path) -> dict[str, Seen]:
    tables = {file.name.partition("-")[0]: pq.read_table(file) for file in folder.glob("data/*")}
    names = {
        split: json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]["label"]["names"]
        for split, table in tables.items()
    }
    return {
        row["uri"]: Seen(split, names[split][row["label"]], row["label"], row["image"]["bytes"])
        for split, table in tables.items()
        for row in table.to_pylist()
    }


def from_recordio(folder: Path) -> dict[str, Seen]:
    seen = {}
    for split in ("train", "validation", "test"):
        if (folder / f"{split}.rec").exists():
            lines = [line.split("\t") for line in (folder / f"{split}.lst").read_text().splitlines()]
            for (_, label, uri), record in zip(lines, records(folder, split), strict=True):
                assert float(label) == record.label
                seen[uri] = Seen(split, None, int(record.label), record.content)
    return seen


def from_clean_list(folder: Path) -> dict[str, Seen]:
    pairs = {file.stem: file.read_text().splitlines() for file in folder.glob("*.txt")}
    return {
        line.split("\t")[1]: Seen(split, line.split("\t")[0], None, None)
        for split, lines in pairs.items()
        for line in lines
    }


def from_folders(folder: Path) -> dict[str, Seen]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert all(row["path"].startswith(f"{row['split']}/") for row in rows)
    return {
        row["uri"]: Seen(row["split"], row["identity"], int(row["label"]), (folder / row["path"]).read_bytes())
        for row in rows
    }


def from_parquet(folder: Path) -> dict[str, Seen]:
    rows = pq.read_table(folder).to_pylist()
    return {row["uri"]: Seen(row["split"], row["identity"], row["label"], None) for row in rows}


READERS: dict[str, Callable[[Path], dict[str, Seen]]] = {
    "parquet": from_parquet,
    "folders": from_folders,
    "crops": from_folders,
    "webdataset": from_webdataset,
    "huggingface": from_huggingface,
    "recordio": from_recordio,
    "clean_list": from_clean_list,
}


def picture(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (shade, 0, 0)).save(file, "PNG")
    return file.getvalue()


PEOPLE = ("Ann", "val_kilmer", "Zoe", None)
PICTURES = {
    f"{number}.png": Decided("keep", PEOPLE[number % 4], cluster=9, content=picture(number)) for number in range(24)
}
ALL = f"publish.outputs={json.dumps(OUTPUTS)}"


@pytest.fixture
def gallery(spark: SparkSession, tmp_path: Path) -> Shop:
    """A shop of pictures, of which each is as large as the box of its face."""
    shop = Shop(spark, tmp_path)
    for uri, decided in PICTURES.items():
        (shop.images / uri).write_bytes(decided.content)
    return shop


def test_all_exports_of_a_run_tell_the_same(gallery: Shop) -> None:
    assert gallery.apply("r1", PICTURES, ALL, "publish.split=image", "publish.test=0.3") == 0
    seen = {output: read(gallery.export / "r1" / output) for output, read in READERS.items()}
    labels = {"Ann": 0, "Zoe": 1, "val_kilmer": 2, "cluster-9": 3}
    for output, images in seen.items():
        assert set(images) == set(PICTURES), output
        for uri, image in images.items():
            identity = PICTURES[uri].identity or "cluster-9"
            assert image.split == seen["parquet"][uri].split, output
            assert image.identity in (identity, None), output
            assert image.label in (labels[identity], None), output
            if output != "crops":
                assert image.content in (PICTURES[uri].content, None), output
    sizes = {Image.open(io.BytesIO(image.content or b"")).size for image in seen["crops"].values()}
    assert sizes == {(160, 160)}
    warnings = [text for text in gallery.record("r1")["warnings"] if "imagefolder" in text]
    assert len(warnings) == 1
    assert "for a part of the data set: 1, such as val_kilmer." in warnings[0]
    assert "README.md in folders and crops" in warnings[0]


def test_an_export_is_written_anew_where_its_settings_change_and_crops_fill_it_if_asked(gallery: Shop) -> None:
    asked = 'publish.outputs=["webdataset","clean_list"]'
    assert gallery.apply("r1", PICTURES, asked) == 0
    assert gallery.apply("r2", PICTURES, asked, "publish.crop=true", "publish.order=label") == 0
    record = gallery.record("r2")["stages"]["publish"]
    assert (record["exported"], gallery.current()) == (1, "r1")
    read = samples(gallery.export / "r1" / "webdataset" / "000000.tar")
    assert {Image.open(io.BytesIO(sample["png"])).size for sample in read} == {(160, 160)}
    ordered = [int(sample["cls"]) for sample in read]
    assert ordered == sorted(ordered)


def test_an_export_that_fails_leaves_nothing(gallery: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    assert gallery.apply("r1", PICTURES, 'publish.outputs=["clean_list"]') == 0
    (gallery.images / "7.png").write_bytes(picture(99))
    assert gallery.apply("r2", PICTURES, 'publish.outputs=["clean_list","recordio"]') == 2
    assert "1 of 24 image files are not as they were listed (one of them 7.png has changed)" in capsys.readouterr().err
    assert not (gallery.export / "r1" / "recordio").exists()
    assert (gallery.export / "r1" / "clean_list" / "_SUCCESS").exists()


@pytest.mark.parametrize("stored", [True, False])
def test_a_warning_names_somebody_only_where_names_are_stored(spark: SparkSession, stored: bool) -> None:
    warnings = list[str]()
    run: Any = SimpleNamespace(config=Config(lake=Lake(store_names=stored)), warn=warnings.append)
    cleaned = Cleaned(spark.createDataFrame([("val_kilmer",)], "identity string"))
    outputs._warn_of_split_words(run, cleaned, ["folders"])
    assert ("val_kilmer" in warnings[0]) is stored
    assert "a part of the data set: 1" in warnings[0]
