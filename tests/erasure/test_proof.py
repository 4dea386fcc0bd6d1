"""The proof looks through every file below its places, and says what it cannot cover."""

from __future__ import annotations

import json
import os
from pathlib import Path

import erasable
from pyspark.sql import SparkSession

from facesieve.erasure.proof import NOT_COVERED, prove


def test_every_file_is_looked_through_and_the_record_names_nobody(spark: SparkSession, tmp_path: Path) -> None:
    files = {"a/list.txt": b"bob\n", "b/ann.txt": b"see ann/2.jpg", "b/.hidden": b"PAR1 cut", "own.json": b'"ann"'}
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / os.fsdecode(b"b/Jos\xe9.txt")).write_bytes(b"ann/2.jpg")  # a name that is no UTF-8
    (tmp_path / "c" / "cy").mkdir(parents=True)
    (tmp_path / "c" / "ann").mkdir()
    proof = prove(spark, [str(tmp_path)], erasable.SUBJECT, 0.9995, (f"{tmp_path}/own.json",))
    places = ("b/Jos\\xe9.txt", "b/ann.txt", "c/ann/")
    assert proof.hits == [(f"{tmp_path}/{place}", ("word",)) for place in places]
    assert proof.unread == [(f"{tmp_path}/b/.hidden", "ArrowInvalid")]
    assert (proof.forms, proof.size) == ({"parquet": 1, "text": 3}, 4 + 13 + 8 + 9)
    record = proof.record(erasable.SUBJECT)
    assert record["looked_for"] == {"images": 3, "faces": 3, "uris": 3, "digests": 2, "names": 2, "vectors": 3}
    assert record["not_covered"] == list(NOT_COVERED)
    assert "ann/1.jpg" not in json.dumps(record)
