"""What is broken in archives, shards, packs and tables costs itself alone: the run of embed reads everything else.

A local session gives a task one attempt, so that a run that ends well has lost none.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pack_writers
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tiny_model
from packed import tar
from PIL import Image
from publishing import Shop
from pyspark.sql import SparkSession

from facesieve.core import tables
from facesieve.core.profiles import Crop
from facesieve.embed.step import embed
from facesieve.images.packs import members, samples

SIDE = tiny_model.SIDE
BOMB = members.LIMITS.free + 1
"""Bytes of nothing, which a zip archive holds in 65 kB."""

STRUCT = pa.struct({"bytes": pa.binary(), "path": pa.string()})

Rejects = dict[str, tuple[str, str]]
"""uri -> reason, and how its words begin."""


def picture(number: int) -> bytes:
    pixels = np.random.default_rng(number).integers(0, 256, (SIDE, SIDE, 3), np.uint8)
    whole = io.BytesIO()
    Image.fromarray(pixels).save(whole, "PNG")
    return whole.getvalue()


PICTURES = [picture(number) for number in range(6)]


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


def archives(root: Path) -> tuple[set[str], Rejects]:
    """Write a flipped byte and a bomb into a zip, a name twice into a tar, and cut another tar."""
    with zipfile.ZipFile(root / "a.zip", "w") as archive:
        archive.writestr("Ann/1.png", PICTURES[0])
        archive.writestr("Ann/2.png", PICTURES[1])
        archive.writestr("Ann/bomb.png", bytes(BOMB), zipfile.ZIP_DEFLATED)
    content = (root / "a.zip").read_bytes()
    (root / "a.zip").write_bytes(flipped(content, content.index(PICTURES[1]) + 100))
    (root / "b.tar").write_bytes(tar([("Bob/1.png", PICTURES[2]), ("Bob/1.png", PICTURES[3])]))
    (root / "c.tar").write_bytes(tar({"Bob/2.png": PICTURES[4], "Bob/3.png": PICTURES[5]})[:2560])
    return {"a.zip!/Ann/1.png", "b.tar!/Bob/1.png", "c.tar!/Bob/2.png"}, {
        "a.zip!/Ann/2.png": ("undecodable", members.CHECKSUM),
        "a.zip!/Ann/bomb.png": ("undecodable", members.BOMB.format(members.LIMITS.ratio)),
        "b.tar!/Bob/1.png#2": ("undecodable", members.TWICE),
        "c.tar!/Bob/3.png": ("undecodable", members.CUT),
        "c.tar": ("undecodable", ""),
    }


def shards(root: Path) -> tuple[set[str], Rejects]:
    """Write two samples of one key, a label that is no text, a cut shard, and a packed shard with a flipped byte."""
    alike = [("1.png", PICTURES[0]), ("1.cls", b"Ann"), ("1.png", PICTURES[1])]
    (root / "0.tar").write_bytes(tar([*alike, ("2.png", PICTURES[2]), ("2.cls", b"\xff\xfe")]))
    (root / "1.tar").write_bytes(tar({"3.png": PICTURES[3], "4.png": PICTURES[4]})[:2560])
    packed = gzip.compress(tar({"5.png": PICTURES[5]}), 0, mtime=0)
    (root / "2.tar.gz").write_bytes(flipped(packed, packed.index(PICTURES[5]) + 100))
    return {"0.tar!/2.png", "1.tar!/3.png"}, {
        "0.tar!/1.*#2": ("undecodable", samples.PICTURES.format(2)),
        "1.tar!/4.png": ("undecodable", members.CUT),
        "1.tar": ("undecodable", ""),
        "2.tar.gz": ("undecodable", ""),
    }


def pack(root: Path) -> tuple[set[str], Rejects]:
    """Write a record whose head is flipped, a label that is no number of a person, and an index past the end."""
    payloads = [pack_writers.labelled(label, PICTURES[number]) for number, label in enumerate((1, 1, 0.5, 2))]
    at = pack_writers.recordio(root, payloads)
    (root / "train.rec").write_bytes(flipped((root / "train.rec").read_bytes(), at[1]))
    with (root / "train.idx").open("a") as index:
        index.write("4\t99999\n")
    return {f"train.rec@{at[0]}#0.png", f"train.rec@{at[3]}#3.png"}, {
        f"train.rec@{at[1]}#1": ("undecodable", f"no record begins at byte {at[1]}"),
        f"train.rec@{at[2]}#2": ("undecodable", "its label 0.5"),
        "train.rec@99999#4": ("undecodable", "the record at byte 99999 is not there"),
    }


def structs(root: Path) -> tuple[set[str], Rejects]:
    """Write a struct of bytes and path whose bytes are null in one row."""
    content = [PICTURES[0], None, PICTURES[1]]
    images = [{"bytes": each, "path": f"/gone/{number}.png"} for number, each in enumerate(content)]
    pq.write_table(pa.table({"image": images, "label": ["Ann", "Ann", "Bob"]}), root / "train.parquet")
    return {"train.parquet#0", "train.parquet#2"}, {"train.parquet#1": ("empty", "")}


FORMS: dict[str, Callable[[Path], tuple[set[str], Rejects]]] = {
    "files": archives,
    "webdataset": shards,
    "recordio": pack,
    "parquet": structs,
}


SOON = ("files", "recordio")
"""Forms of most faults, which are tried in each run of the tests."""


@pytest.mark.parametrize("form", [pytest.param(f, marks=() if f in SOON else pytest.mark.long) for f in FORMS])
def test_each_fault_is_a_reject_and_everything_else_is_read(spark: SparkSession, tmp_path: Path, form: str) -> None:
    shop = Shop(spark, tmp_path)
    model = tiny_model.profile_file(tiny_model.written(tmp_path, Crop(SIDE, SIDE / 2, SIDE / 2)), tmp_path)
    sound, broken = FORMS[form](shop.images)
    sets = (f"images.format={form}", "embed.detector=aligned", f"embed.model={model}")
    assert shop.run("r", embed, sets=sets) == 0
    read = {table: shop.lake.read(table, shop.lake.snapshot(table)) for table in (tables.EMBEDDINGS, tables.REJECTS)}
    assert {row.uri for row in read[tables.EMBEDDINGS].collect()} == sound
    refused = {row.uri: (row.reason, row.detail) for row in read[tables.REJECTS].collect()}
    begins = {uri: (reason, broken.get(uri, ("", ""))[1]) for uri, (reason, _) in refused.items()}
    assert begins == broken
    assert all(refused[uri][1].startswith(words) for uri, (_, words) in broken.items())
    kinds = shop.record("r")["stages"]["listing"]["left_out"].get("no image", {})
    assert kinds == ({"label without a name": 1} if form == "webdataset" else {})


def test_paths_without_bytes_end_the_run_with_a_sentence(
    spark: SparkSession, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(spark, tmp_path)
    images = [{"bytes": None, "path": "/gone/1.png"}]
    pq.write_table(pa.table({"image": pa.array(images, STRUCT), "label": ["Ann"]}), shop.images / "train.parquet")
    model = tiny_model.profile_file(tiny_model.written(tmp_path, Crop(SIDE, SIDE / 2, SIDE / 2)), tmp_path)
    assert shop.run("r", embed, sets=("images.format=parquet", f"embed.model={model}")) == 2
    assert "Embed the pictures" in capfd.readouterr().err
