"""subject as a command: all that is held of ann, in files for their owner alone, and nothing of anybody else."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import erasable
import lapsed
import pytest
from pyspark.sql import SparkSession

from facesieve.cli import commands
from facesieve.erasure.access.words import MOVED
from facesieve.lake.catalog import Lake

FROM = erasable.FROM
ROOT = Path(__file__).resolve().parents[3]
OTHERS = (3, 4, 5, 7, 9)
_SECRETS = {str(FROM + number) for number in OTHERS} | {str(FROM + 100 + number) for number in OTHERS}
SECRETS = _SECRETS | {lapsed.image(number)["uri"] for number in OTHERS} | {"bob", "cid", "dan"}
SECRETS |= {lapsed.DIGESTS[number] for number in OTHERS}
"""All by which anybody else is known; the ids of clusters are among them."""


def ask(lake: Lake, folder: Path, *extra: str, **sets: Any) -> int:
    warehouse = lake._spark.conf.get("spark.sql.catalog.lake.warehouse")
    values = {"lake.root": warehouse, "lake.namespace": lake._settings.namespace, "lake.scratch": folder / "scratch"}
    values |= {"publish.export_root": folder / "export"}
    values |= {name.replace("__", "."): value for name, value in sets.items()}
    pairs = [part for name, value in values.items() for part in ("--set", f"{name}={value}")]
    place = str(folder / "out")
    return commands.run("subject", ["--config", str(ROOT / "conf/pipeline.toml"), *pairs, "--out", place, *extra])


@pytest.fixture(scope="module")
def folder(lapsed_lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("access")
    export = folder / "export" / "last" / "clean_list"
    export.mkdir(parents=True)
    (export.parent / ".facesieve").touch()
    (export / "_SUCCESS").touch()
    (export / "clean_list.txt").write_text("0\tann/2.jpg\n1\tbob/3.jpg\n")
    assert ask(lapsed_lake, folder, "--identity", "ann") == 0
    return folder


@pytest.fixture(scope="module")
def record(folder: Path) -> Mapping[str, Any]:
    return dict(json.loads((folder / "out" / "subject.json").read_text(encoding="utf-8")))


def test_nothing_of_anybody_else_is_told(folder: Path) -> None:
    for name in ("subject.json", "index.html"):
        text = (folder / "out" / name).read_text(encoding="utf-8")
        assert {secret for secret in SECRETS if secret in text} == set()
        assert str(FROM + 2) in text
    assert "0.4321" not in (folder / "out" / "subject.json").read_text(), "a cosine to the face of another"


def test_the_files_are_for_their_owner_alone(folder: Path) -> None:
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (folder / "out").iterdir()}
    assert modes == {"subject.json": 0o600, "index.html": 0o600}
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o700


def test_every_image_is_told_with_its_copies(record: Mapping[str, Any]) -> None:
    images = {erasable.small(image["image_id"]): image for image in record["images"]}
    assert {number: image["uri"] for number, image in images.items()} == {
        **{1: "ann/1.jpg", 2: "ann/2.jpg", 6: "copies/6.jpg", 8: "ann/1.jpg"}
    }
    assert [images[number]["listed"] for number in (1, 2, 6, 8)] == [False, True, True, True]
    second = images[2]
    assert second["names"] == ["ann", "another name"]
    assert (second["faces"][0]["vector"], second["faces"][0]["withheld"]) == (None, MOVED)
    assert images[8]["faces"][0]["vector"] == pytest.approx(lapsed.vector_of(8).tolist())
    group = {"scope": "global", "faces": 4, "own_faces": 2, "other_faces": 2}
    assert images[8]["faces"][0]["clusters"][0].items() >= group.items()
    assert images[6]["faces"][0]["nearest_own"] == {"image_id": FROM + 1, "cosine": 1.0}
    decision = second["decisions"][0]
    assert (decision["verdict"], decision["moved_to"], decision["kept_in_its_place"]) == (
        *("move", "another name"),
        "another image",
    )
    assert decision["reasons"] == [{"reason": "flip", "words": "The face is more like the faces under another name."}]


def test_versions_exports_and_runs_are_told(record: Mapping[str, Any]) -> None:
    rows = {name: [each["rows"] for each in facts["versions"]] for name, facts in record["tables"].items()}
    assert rows == {"listing": [3, 3], "embeddings": [4], "clusters": [3, 3], "decisions": [1], "edges": [2]}
    assert record["edges"] == {"own": 1, "with_other_images": 1}
    assert record["exports"] == [{"run": "last", "form": "clean_list", "rows": 1, "unfinished": False}]
    runs = [(run["run"], run["sure"], run["acts"][0]["operator"], run["acts"][0]["purpose"]) for run in record["runs"]]
    assert runs == [("old", False, "desk 4", "<b>train</b>"), ("last", True, "desk 4", "<b>train</b>")]
    assert record["asked_for"] == {"identity": ["ann"]}


def test_one_image_by_its_path_and_refusals(
    spark: SparkSession, lapsed_lake: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(lapsed_lake, tmp_path, "--uri", "ann/2.jpg", "--json") == 0
    assert json.loads(capsys.readouterr().out)["images"] == 1
    image = json.loads((tmp_path / "out" / "subject.json").read_text())["images"][0]
    assert (image["uri"], image["names"]) == ("ann/2.jpg", ["another name"]), "image 8 bears the name too"
    elsewhere = tmp_path / "elsewhere"
    assert ask(lapsed_lake, tmp_path, "--identity", "ANN ", "--out", str(elsewhere)) == 0
    printed = capsys.readouterr()
    assert "The lake holds no image that the selectors choose." in printed.out
    assert "a name of the lake differs from one that was asked for in Unicode form" in printed.err
    assert not elsewhere.exists(), "nothing is written"
    (tmp_path / "file").touch()
    assert ask(lapsed_lake, tmp_path, "--uri", "ann/2.jpg", "--out", str(tmp_path / "file" / "below")) == 2
    assert "cannot be made (NotADirectoryError)" in capsys.readouterr().err
    assert ask(lapsed_lake, tmp_path) == 2
    assert "--identity: nothing says who is meant" in capsys.readouterr().err
    assert ask(lapsed_lake, tmp_path, "--identity", "ann", erase__max_images=3) == 3
    assert "4 images are chosen, more than erase.max_images (3)" in capsys.readouterr().err
    assert ask(lapsed_lake, tmp_path, "--uri", "ann/2.jpg", "--out", "s3://bucket/ann") == 2
    assert "--out: s3://bucket/ann is no folder of this machine" in capsys.readouterr().err
