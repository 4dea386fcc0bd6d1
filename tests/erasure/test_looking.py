"""A file is looked through as bytes and as what it is."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from dataclasses import replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facesieve.erasure import forms
from facesieve.erasure.kernels.needles import Needles
from facesieve.erasure.looking import look
from facesieve.publish.shards.records import MAGIC, framed, payload

RNG = np.random.default_rng(5)
VECTORS = RNG.normal(size=(4, 32)).astype(np.float32)
IMAGE = bytes(RNG.integers(0, 256, 2_000, dtype=np.uint8))
NEEDLES = Needles(
    frozenset([-812_345_678_901]),
    frozenset([hashlib.sha256(IMAGE).hexdigest()]),
    frozenset(["ann/1.jpg"]),
    frozenset(["ann"]),
    [tuple(map(float, VECTORS[0]))],
)


def parquet(**columns: pa.Array) -> bytes:
    """Compressed so that no value stands there as bytes: beside many zeros gzip stores nothing as it is."""
    padded = pa.table(columns).append_column("zeros", pa.array([bytes(9_999)] * len(next(iter(columns.values())))))
    sink = io.BytesIO()
    pq.write_table(padded, sink, compression="gzip", write_statistics=False)
    return sink.getvalue()


def vectors(rows: np.ndarray) -> pa.Array:
    return pa.array([list(map(float, row)) for row in rows], pa.list_(pa.float32()))


HIDDEN = {
    "id": pa.array([1, None, -812_345_678_901]),
    "vector": vectors(VECTORS * 0.5),
    "text": pa.array(["bob/1.jpg", None, "see ann/1.jpg"]),
    "name": pa.array(["bob", "ann"]),
    "struct": pa.array([{"face": -812_345_678_901, "cosine": 0.5}]),
    "list": pa.array([["bob"], ["ann"], None]),
    "map": pa.array([[("a", 1), ("b", -812_345_678_901)]], pa.map_(pa.string(), pa.int64())),
    "image": pa.array([b"x", IMAGE]),
    "packed halves": pa.array([(VECTORS * 3).astype(np.float16).tobytes()]),
    "packed floats": pa.array([(VECTORS * 3).tobytes()]),
    "packed ids": pa.array([np.array([4, -812_345_678_901], np.int64).tobytes()]),
    "image of the length of another": pa.array([bytes(2_000), None, IMAGE]),
    "halves beside others": pa.array([(each * 3).astype(np.float16).tobytes() for each in VECTORS[1::-1]]),
    "id beside others": pa.array([b"12345678", (-812_345_678_901).to_bytes(8, "big", signed=True), b"", b"87654321"]),
    "mixed lengths": pa.array([[1.0], list(map(float, VECTORS[0]))], pa.list_(pa.float64())),
}


@pytest.mark.parametrize("column", HIDDEN)
def test_what_a_column_hides_is_found(column: str) -> None:
    content = parquet(**{column: HIDDEN[column]})
    assert NEEDLES.in_bytes(content) == set()
    looked = look("data/part-0.parquet", content, NEEDLES, 0.9995)
    assert (looked.form, looked.problem, bool(looked.hits)) == ("parquet", "", True)


def test_the_columns_of_others_are_not_the_subject() -> None:
    content = parquet(
        id=pa.array([1, 2, 3]),
        name=pa.array(["bob", "annual", None]),
        vector=vectors(VECTORS[1:]),
        packed=pa.array([VECTORS[1].tobytes(), None, b"abc"]),
        at=pa.array([0, 1, 2], pa.timestamp("us")),
    )
    assert look("data/bob.parquet", content, NEEDLES, 0.9995) == ("parquet", set(), "")


def test_what_only_two_cells_together_make_is_nothing() -> None:
    halves = (-812_345_678_901).to_bytes(8, "little", signed=True)
    content = parquet(packed=pa.array([b"1234" + halves[:4], halves[4:] + b"5678"]))
    assert look("a", content, NEEDLES, 0.9995).hits == set()


def test_an_image_is_known_by_its_digest_and_a_file_by_its_name() -> None:
    assert look("a", IMAGE, NEEDLES, 0.9995).hits == {"image"}
    assert look("folders/ann/2.jpg", b"\xff\xd8\xff other", NEEDLES, 0.9995).hits == {"word"}


def test_a_picture_in_a_pack_is_known_by_its_digest_also_where_its_record_is_split() -> None:
    split = IMAGE[:400] + MAGIC + IMAGE[400:]
    needles = replace(NEEDLES, digests=frozenset([hashlib.sha256(split).hexdigest()]))
    pack = framed(payload(1, 0, b"another")) + framed(payload(2, 0, split))
    assert look("train.rec", pack, needles, 0.9995) == ("recordio", {"image"}, "")
    assert look("train.rec", pack, NEEDLES, 0.9995) == ("recordio", set(), "")


def test_a_file_that_is_cut_is_still_searched_as_bytes() -> None:
    looked = look("x", b"PAR1" + np.array([-812_345_678_901], np.int64).tobytes(), NEEDLES, 0.9995)
    assert (looked.hits, looked.problem) == ({"id"}, "ArrowInvalid")


def test_words_of_others_that_hold_a_word_of_the_subject_are_not_the_subject() -> None:
    """Compressed pages hold pieces of words that end anywhere: zstd stores the begin of `faces.npy#120` once."""
    needles = Needles(frozenset(), frozenset(), frozenset(["faces.npy#12"]), frozenset(["person-1"]), [])
    sink = io.BytesIO()
    names = pa.table({"uri": [f"faces.npy#{row}" for row in range(120, 2_000)], "name": ["person-10"] * 1_880})
    pq.write_table(names, sink, compression="zstd", write_page_index=True)
    assert look("data/part-0.parquet", sink.getvalue(), needles, 0.9995) == ("parquet", set(), "")
    plain = json.dumps({"names": ["faces.npy#123", "person-10"]}).encode()
    assert look("a.json", plain, needles, 0.9995) == ("text", set(), "")
    assert look("a.json", plain.replace(b"#123", b"#12"), needles, 0.9995).hits == {"word"}


def test_what_follows_the_pages_of_a_parquet_file_is_looked_through() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table({"name": ["bob"]}), sink)
    whole = sink.getvalue()
    named = pq.ParquetWriter(other := io.BytesIO(), pa.schema([("name", pa.string())]))
    named.add_key_value_metadata({"by": "ann/1.jpg"})
    named.write_table(pa.table({"name": ["bob"]}))
    named.close()
    assert look("a", whole, NEEDLES, 0.9995).hits == set()
    assert look("a", other.getvalue(), NEEDLES, 0.9995).hits == {"word"}


def test_a_column_of_any_type_is_looked_through_or_its_file_counts_as_not_read() -> None:
    names = pa.array(["bob", "ann", "cy"])
    for column in (
        names.dictionary_encode(),
        names.cast(pa.string_view()),
        names.cast(pa.binary()).cast(pa.binary_view()),
    ):
        sink = io.BytesIO()
        pq.write_table(pa.table({"name": column}), sink)
        assert look("a", sink.getvalue(), NEEDLES, 0.9995) == ("parquet", {"word"}, ""), column.type
    odd = pa.array([["ann"]], pa.list_view(pa.string()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forms, "_PARTS", {"parquet": lambda _content: iter([forms.Part(table=pa.table({"name": odd}))])})
        assert look("a", b"PAR1", NEEDLES, 0.9995).problem == "TypeError"


def packed(name: str, content: bytes, mode: Literal["w", "w:gz"] = "w") -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode=mode) as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return sink.getvalue()


def zipped(name: str, content: bytes) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return sink.getvalue()


IN_FILES = {
    "picture in a compressed tar": packed("bob/2.jpg", IMAGE, "w:gz"),
    "table in a tar": packed("part.parquet", parquet(id=HIDDEN["id"])),
    "compressed list in a tar": packed("list.csv.gz", gzip.compress(b"bob/1.jpg\nann/1.jpg\n")),
    "short name in JSON in a tar": packed("1.json", b'{"identity": "ann"}'),
    "name of a member": packed("ann/2.jpg", b"\xff\xd8\xff other"),
    "member of a zip": zipped("a.csv", b"ann/1.jpg"),
    "vectors in an npz": zipped("a.npy", (VECTORS * 3).tobytes()),
    "compressed cell": parquet(
        cell=pa.array([gzip.compress(b"x" * 4_000 + b" ann/1.jpg" + bytes(range(256)) * 4)] * 2)
    ),
}


@pytest.mark.parametrize("where", IN_FILES)
def test_a_file_in_a_file_is_looked_through(where: str) -> None:
    looked = look("shard-0", IN_FILES[where], NEEDLES, 0.9995)
    assert (bool(looked.hits), looked.problem) == (True, "")
