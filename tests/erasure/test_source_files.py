"""Files of the source go only if they are what was listed."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from facesieve.core.config import Config
from facesieve.core.sections import Images
from facesieve.erasure.source_files import delete_source
from facesieve.erasure.subject import Subject
from facesieve.lake.side_job import SideJob


def job(config: Config) -> SideJob:
    warnings: list[str] = []
    return cast(SideJob, SimpleNamespace(config=config, warnings=warnings, warn=warnings.append))


def test_only_the_bytes_that_were_listed_are_deleted(tmp_path: Path) -> None:
    for name in ("1.jpg", "2.jpg", "3.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    digests = tuple(hashlib.sha256(name).hexdigest() for name in (b"1.jpg", b"other"))
    subject = Subject(uris=("1.jpg", "2.jpg", "gone.jpg"), digests=digests)
    asked = job(Config(images=Images(root=str(tmp_path))))
    assert delete_source(asked, subject) == 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["2.jpg", "3.jpg"]
    assert asked.warnings == ["erase: a file of the source has changed since it was listed, and stays"]


def test_folders_that_are_emptied_go_since_they_bear_names(tmp_path: Path) -> None:
    for name in ("ann/2020/1.jpg", "ann/bob.txt", "cy/day/2.jpg", "dee/3.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    uris = ("ann/2020/1.jpg", "cy/day/2.jpg", "gone/4.jpg")
    digests = tuple(hashlib.sha256(uri.encode()).hexdigest() for uri in uris)
    assert delete_source(job(Config(images=Images(root=str(tmp_path)))), Subject(uris=uris, digests=digests)) == 2
    assert sorted(str(each.relative_to(tmp_path)) for each in tmp_path.rglob("*")) == [
        "ann",
        "ann/bob.txt",
        "dee",
        "dee/3.jpg",
    ]


def test_rows_of_a_data_set_are_left_to_people() -> None:
    settings: dict[str, Any] = {"root": "data", "format": "parquet"}
    asked = job(Config(images=Images(**settings)))
    assert delete_source(asked, Subject(uris=("1.jpg",))) == 0
    assert "are no files of their own" in asked.warnings[0]
