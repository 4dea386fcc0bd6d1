"""Folders are read back with the tools that their readers would use."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from exported import LABELS, PLACES, content
from pyspark.errors import PythonException
from pyspark.sql import functions as F

from facesieve.core.errors import ContractError
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.exports import write_labels
from facesieve.publish.folder_export import export_folders
from facesieve.publish.image_files import with_bytes
from facesieve.publish.parquet_export import export_parquet


@pytest.fixture(scope="module")
def folders(cleaned: Cleaned, source: Storage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("exports")
    left_over = root / "run" / "folders" / "left over" / "x.jpg"
    left_over.parent.mkdir(parents=True)
    left_over.write_bytes(b"of a run that was killed")
    (root / "run" / ".facesieve").write_bytes(b"")
    assert export_folders(cleaned, source.read, Storage(str(root / "run"))) == len(PLACES)
    return root / "run" / "folders"


def manifest(folders: Path) -> list[dict[str, str]]:
    with (folders / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_folders_hold_every_image_once_and_nothing_else(folders: Path) -> None:
    rows = manifest(folders)
    assert {row["uri"]: row["identity"] for row in rows} == PLACES
    assert all((folders / row["path"]).read_bytes() == content(row["uri"]) for row in rows)
    files = {str(file.relative_to(folders)) for file in folders.rglob("*") if file.is_file()}
    assert files == {row["path"] for row in rows} | {"manifest.csv", "README.md", "_SUCCESS"}
    assert {file.name for file in folders.parent.parent.iterdir()} == {"run"}


def test_folders_keep_plain_names_and_mark_those_that_would_meet(folders: Path) -> None:
    paths = {row["uri"]: row["path"] for row in manifest(folders)}
    assert paths["h1.jpg"] == "cluster-7/h1.jpg"
    ann, other = Path(paths["b/y.jpg"]), Path(paths["ann/x.jpg"])
    assert (ann.name, other.name) == ("y.jpg", "x.jpg")
    assert ann.parent.name.startswith("Ann~")
    assert other.parent.name.startswith("ann~")
    assert {Path(paths[uri]).name for uri in ("a/x.jpg", "b/x.jpg", "b/X.JPG")} == {
        f"{stem}~{i:016x}.{suffix}" for i, (stem, suffix) in enumerate([("x", "jpg"), ("x", "jpg"), ("X", "JPG")])
    }


def test_every_path_is_one_folder_deep(folders: Path) -> None:
    rows = manifest(folders)
    assert [row["path"] for row in rows] == sorted((row["path"] for row in rows), key=str.encode)
    assert all(len(Path(row["path"]).parts) == 2 for row in rows)
    assert len({Path(row["path"]).parts[0] for row in rows}) == len(set(PLACES.values()))


def test_manifest_bears_the_labels_of_the_table(folders: Path) -> None:
    assert {row["identity"]: int(row["label"]) for row in manifest(folders)} == LABELS


@pytest.fixture
def spoilt(source: Storage) -> Iterator[Storage]:
    source.write("h1.jpg", b"another picture")
    yield source
    source.write("h1.jpg", content("h1.jpg"))


def test_an_image_of_several_people_is_in_the_folder_of_each_and_once_in_each(
    cleaned: Cleaned, source: Storage, tmp_path: Path
) -> None:
    """b/y.jpg shows Ann twice, and somebody of cluster 7; the other rows are as they were."""
    row = cleaned.where("uri = 'b/y.jpg'")
    more = [("Ann", 900), ("cluster-7", 901)]
    faces = [
        row.withColumns({"identity": F.lit(name), "face_id": F.lit(face).cast("bigint"), "label": F.lit(LABELS[name])})
        for name, face in more
    ]
    whole = Cleaned(cleaned.unionByName(faces[0]).unionByName(faces[1]))
    assert export_folders(whole, source.read, Storage(str(tmp_path))) == len(PLACES) + 2
    rows = [row for row in manifest(tmp_path / "folders") if row["uri"] == "b/y.jpg"]
    ann = next(row["path"] for row in rows if row["identity"] == "Ann")
    paths = {int(row["face_id"]): row["path"] for row in rows}
    assert paths == {103: ann, 900: ann, 901: "cluster-7/y.jpg"}
    assert Path(ann).name == "y.jpg", "a second face makes no name crowded"
    assert all((tmp_path / "folders" / path).read_bytes() == content("b/y.jpg") for path in paths.values())
    files = {str(file.relative_to(tmp_path / "folders")) for file in (tmp_path / "folders").glob("*/*")}
    assert files == {row["path"] for row in manifest(tmp_path / "folders")}
    assert len(files) == len(PLACES) + 1

    assert export_parquet(whole, Storage(str(tmp_path)), 2) == len(PLACES) + 2
    write_labels(whole, Storage(str(tmp_path)))
    with (tmp_path / "labels.csv").open(newline="", encoding="utf-8") as file:
        images = {row["identity"]: int(row["images"]) for row in csv.DictReader(file)}
    assert (images["Ann"], images["cluster-7"]) == (4, 2), "images are counted, not faces"


def test_a_source_that_changed_is_an_error_and_leaves_no_success(
    cleaned: Cleaned, spoilt: Storage, folders: Path, tmp_path: Path
) -> None:
    shutil.copytree(folders.parent, tmp_path, dirs_exist_ok=True)
    with pytest.raises(ContractError, match=r"1 of 14 .* has changed"):
        export_folders(cleaned, spoilt.read, Storage(str(tmp_path)))
    assert not (tmp_path / "folders" / "_SUCCESS").exists()
    with pytest.raises(PythonException, match=r"image 10 has changed"):
        with_bytes(cleaned, spoilt.read).collect()


def test_a_source_that_vanished_is_an_error(cleaned: Cleaned, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"14 of 14 .* cannot be read"):
        export_folders(cleaned, Storage(str(tmp_path / "nowhere")).read, Storage(str(tmp_path)))


def test_nothing_kept_is_an_empty_export(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    nothing, target = Cleaned(cleaned.where("false")), Storage(str(tmp_path))
    assert export_folders(nothing, source.read, target) == 0
    assert export_parquet(nothing, target, 2) == 0
    write_labels(nothing, target)
    assert (tmp_path / "labels.csv").read_text() == "label,identity,images\n"
    assert manifest(tmp_path / "folders") == []
    assert (tmp_path / "folders" / "_SUCCESS").exists()
    assert (tmp_path / "parquet" / "_SUCCESS").exists()
