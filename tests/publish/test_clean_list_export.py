"""Clean lists: a line for each image of a person."""

from __future__ import annotations

from pathlib import Path

import pytest
from exported import PLACES
from exporting import twice
from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish import clean_list_export
from facesieve.publish.clean_list_export import export_clean_list
from facesieve.publish.exports import Lines, write_list


def lines(file: Path) -> list[list[str]]:
    return [line.split("\t") for line in file.read_text(encoding="utf-8").splitlines()]


def test_a_line_is_an_identity_and_a_file(cleaned: Cleaned, tmp_path: Path) -> None:
    assert export_clean_list(twice(cleaned), Storage(str(tmp_path)), "7") == len(PLACES) + 2
    encoded = {uri.replace("\n", "%0A"): name.replace("\t", "%09") for uri, name in PLACES.items()}
    pairs = [*((name, uri) for uri, name in encoded.items()), ("cluster-7", "b/y.jpg")]
    pairs.sort(key=lambda pair: (pair[0].encode(), pair[1].encode()))
    assert [tuple(line) for line in lines(tmp_path / "clean_list/clean_list.txt")] == pairs
    assert (tmp_path / "clean_list/_SUCCESS").read_text() == "7"


def test_splits_are_lists_of_their_own(cleaned: Cleaned, tmp_path: Path) -> None:
    split = F.when(F.col("image_id") == 0, "test").otherwise("train")
    export_clean_list(cleaned, Storage(str(tmp_path)), split=split)
    folder = tmp_path / "clean_list"
    counts = {name: len(lines(folder / f"{name}.txt")) for name in ("train", "validation", "test")}
    assert counts == {"train": len(PLACES) - 1, "validation": 0, "test": 1}
    assert not (folder / "clean_list.txt").exists()


def test_a_lost_line_is_seen(cleaned: Cleaned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = write_list
    monkeypatch.setattr(clean_list_export, "write_list", lambda rows, *rest: whole(Lines(rows.limit(5)), *rest))
    with pytest.raises(InvariantError, match="holds 5 lines, there are 14"):
        export_clean_list(cleaned, Storage(str(tmp_path)))
