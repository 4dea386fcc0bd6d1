"""WebDataset: shards read back by their names and by the manifest, equal bytes, and the same bytes every time."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from exported import LABELS, PLACES, content
from exporting import SHARD, export, twice
from trainers import samples

from facesieve.core.errors import ContractError
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.shards.webdataset_export import export_webdataset


def manifest(folder: Path) -> list[dict[str, str]]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_shards_hold_each_image_once_with_the_labels_of_the_table(
    cleaned: Cleaned, source: Storage, tmp_path: Path
) -> None:
    whole = twice(cleaned)
    assert export_webdataset(export(whole, source), Storage(str(tmp_path))) == len(PLACES) + 2
    folder = tmp_path / "webdataset"
    shards = sorted(folder.glob("*.tar"))
    assert [shard.name for shard in shards] == [f"{number:06d}.tar" for number in range(len(shards))]
    read = [(shard.name, sample) for shard in shards for sample in samples(shard)]
    assert [sample["key"] for _, sample in read] == [f"{number:09d}" for number in range(len(PLACES) + 1)]
    assert all(sample["jpg"] == content(sample["json"]["uri"]) for _, sample in read)
    assert all(int(sample["cls"]) == LABELS[sample["json"]["identity"]] for _, sample in read)
    assert max(len(samples(shard)) for shard in shards) == SHARD
    rows = manifest(folder)
    assert len(rows) == len(PLACES) + 2
    assert {(row["path"], int(row["number"]), row["uri"], row["identity"]) for row in rows} == {
        (name, int(sample["key"]), sample["json"]["uri"], sample["json"]["identity"]) for name, sample in read
    }


def test_splits_have_folders_and_the_same_rows_give_the_same_bytes(
    cleaned: Cleaned, source: Storage, tmp_path: Path
) -> None:
    for run, rows in (("one", cleaned), ("two", Cleaned(cleaned.orderBy("sha256").repartition(5)))):
        export_webdataset(export(rows, source, halves=True), Storage(str(tmp_path / run)))
    first, second = (tmp_path / run / "webdataset" for run in ("one", "two"))
    files = sorted(str(file.relative_to(first)) for file in first.rglob("*") if file.is_file())
    assert [name for name in files if name.startswith("test/")] == [f"test/{number:06d}.tar" for number in range(3)]
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in files)
    in_test = {sample["json"]["image_id"] for shard in first.glob("test/*") for sample in samples(shard)}
    assert in_test == {number for number in range(len(PLACES)) if number % 2}
    assert {row["split"] for row in manifest(first) if row["path"].startswith("test/")} == {"test"}


def test_an_image_that_is_not_what_was_listed_fails_the_export(
    cleaned: Cleaned, source: Storage, tmp_path: Path
) -> None:
    source.write("h1.jpg", b"another picture")
    try:
        with pytest.raises(ContractError, match=r"1 of 14 image files are not as .* \(one of them h1\.jpg has changed"):
            export_webdataset(export(cleaned, source), Storage(str(tmp_path)))
    finally:
        source.write("h1.jpg", content("h1.jpg"))
    assert not (tmp_path / "webdataset/_SUCCESS").exists()
