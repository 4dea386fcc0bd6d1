"""Paths of folders: what stands in them, what tells files of one name apart."""

from __future__ import annotations

import pytest
from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core.tables import Cleaned
from facesieve.publish.folder_paths import PLACED, placed


@pytest.mark.parametrize(("split", "first"), [(None, ""), ("test", "test/")])
def test_files_of_one_name_bear_the_mark_of_their_owner(cleaned: Cleaned, split: str | None, first: str) -> None:
    ann = Cleaned(cleaned.where("identity = 'Ann'"))
    part: Column | None = F.lit(split) if split else None
    rows = placed(ann, F.lit("face.png"), "face_id", part)
    assert [(each.name, each.dataType) for each in rows.schema] == [(each.name, each.dataType) for each in PLACED]
    paths = {row.face_id: row.path for row in rows.collect()}
    assert paths == {face: f"{first}Ann/face~{face:016x}.png" for face in (100, 101, 102, 103)}
