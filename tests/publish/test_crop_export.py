"""Crops: a file for each face, named for its image."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from exported import PLACES
from exporting import twice

from facesieve.core.profiles import Profile
from facesieve.core.sections import Embed
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.crop_export import export_crops
from facesieve.publish.face_crops import FaceCutter
from facesieve.publish.pictures import Pictures, Reader


def numbered_cutter() -> FaceCutter:
    """Return what writes which face it would cut; made here since workers know no module of the tests."""

    class NumberedCut(FaceCutter):
        def __call__(self, content: bytes, row: dict[str, Any]) -> bytes:
            return content + str(row["face_id"]).encode()

    return NumberedCut(Profile("", "0" * 64, "tflite", (8, 8), "none", 2, name="any"), Embed(), "png")


def test_each_face_is_a_file_in_the_folder_of_its_person(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    cutter = numbered_cutter()
    whole = twice(cleaned)
    crops = Pictures(Reader(source.read, cutter))
    assert export_crops(whole, crops, "png", Storage(str(tmp_path)), "7") == len(PLACES) + 2
    folder = tmp_path / "crops"
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {(folder / row["path"]).read_bytes() for row in rows} == {
        f"{row['uri']}{row['face_id']}".encode() for row in rows
    }
    paths = {int(row["face_id"]): Path(row["path"]) for row in rows}
    assert {path.suffix for path in paths.values()} == {".png"}
    assert len(set(paths.values())) == len(rows)
    assert paths[110].name == "h1.png"
    assert [paths[face].name for face in (103, 900, 901)] == [f"y~{103:016x}.png", f"y~{900:016x}.png", "y.png"]
    assert (folder / "README.md").exists()
