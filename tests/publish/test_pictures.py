"""How tasks come by pictures: fetched or in the row, as they are or cut."""

from __future__ import annotations

import hashlib
from typing import Any

from exported import PLACES, content
from pyspark.sql import functions as F

from facesieve.core.profiles import Profile
from facesieve.core.sections import Embed
from facesieve.core.tables import Cleaned
from facesieve.publish.face_crops import FaceCutter
from facesieve.publish.pictures import Faces, Pictures, Reader, stored

ROW: dict[str, Any] = {"uri": "a.jpg", "sha256": hashlib.sha256(b"a").hexdigest()}
CUTTER = FaceCutter(Profile("", "0" * 64, "tflite", (8, 8), "none", 2, name="any"), Embed(), "png")


def test_a_file_is_fetched_or_in_the_row_and_is_what_was_listed() -> None:
    assert Reader(lambda uri: b"a")(ROW) == (b"a", None)
    assert Reader(None)(ROW | {"bytes": b"a"}) == (b"a", None)
    assert Reader(None)(ROW | {"bytes": b"b"}) == (None, "has changed")
    assert Reader(None)(ROW | {"bytes": None}) == (None, "cannot be read")


def test_a_file_that_gives_no_face_any_more_says_why() -> None:
    row = ROW | {"box": {"x": 0.0, "y": 0.0, "width": 8.0, "height": 8.0}, "landmarks": None}
    made, problem = Reader(lambda uri: b"a", CUTTER)(row)
    assert made is None
    assert problem is not None
    assert problem.startswith("gives no face any more (")
    assert Reader(lambda uri: b"b", CUTTER)(row) == (None, "has changed")


def test_stored_files_come_with_the_rows(cleaned: Cleaned) -> None:
    filled = Cleaned(cleaned.withColumn("bytes", F.col("uri").cast("binary")))
    rows = stored(filled).add_to(Faces(cleaned.drop("bytes"))).collect()
    assert {row.uri: bytes(row.bytes) for row in rows} == {uri: content(uri) for uri in PLACES}
    fetched = Pictures(Reader(lambda uri: b"a"))
    assert fetched.add_to(Faces(cleaned)) is cleaned
