"""Files are taken for what they are, and what is packed in them comes out."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from facesieve.erasure.forms import UNREADABLE, form_of, parts
from facesieve.publish.shards.records import framed, payload

WORD = b"the word that is sought " * 4


def avro(codec: str, block: bytes) -> bytes:
    """One block, as the specification has it: lengths below 64 are one byte, twice the number."""
    metadata = b"\x02" + bytes([2 * 10]) + b"avro.codec" + bytes([2 * len(codec)]) + codec.encode() + b"\x00"
    sync = bytes(range(16))
    size = 2 * len(block)
    varint = bytes([size & 0x7F | 0x80, size >> 7]) if size > 0x7F else bytes([size])
    return b"Obj\x01" + metadata + sync + b"\x02" + varint + block + sync


def deflated(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as packer:
        packer.write(content)
    return bytes(sink.getvalue())


def puffin(blob: bytes, codec: str | None) -> bytes:
    entry = {"type": "x", "offset": 4, "length": len(blob)} | ({"compression-codec": codec} if codec else {})
    footer = json.dumps({"blobs": [entry]}).encode()
    return b"PFA1" + blob + b"PFA1" + footer + len(footer).to_bytes(4, "little") + bytes(4) + b"PFA1"


def tar(content: bytes) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        member = tarfile.TarInfo("7.jpg")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("avro", avro("null", WORD)),
        ("avro", avro("deflate", deflated(WORD))),
        ("avro", avro("zstandard", zstd(WORD))),
        ("puffin", puffin(zstd(WORD), "zstd")),
        ("gzip", gzip.compress(WORD)),
        ("tar", tar(WORD)),
        ("recordio", framed(payload(7, 3, WORD))),
    ],
    ids=["plain avro", "deflated avro", "zstandard avro", "puffin", "gzip", "tar", "recordio"],
)
def test_what_is_packed_comes_out(form: str, content: bytes) -> None:
    assert form_of(content) == form
    assert any(WORD in (part.content or part.file or b"") for part in parts(content, form))


@pytest.mark.parametrize(
    ("form", "content"),
    [
        ("avro", avro("snappy", WORD)),
        ("avro", avro("null", WORD)[:40]),
        ("puffin", puffin(WORD, "lz4")),
        ("parquet", b"PAR1" + WORD),
        ("gzip", gzip.compress(WORD)[:20]),
        ("recordio", framed(payload(7, 3, WORD))[:20]),
    ],
    ids=["snappy avro", "cut avro", "lz4 puffin", "no parquet", "cut gzip", "cut recordio"],
)
def test_what_cannot_be_read_says_so(form: str, content: bytes) -> None:
    with pytest.raises(UNREADABLE):
        list(parts(content, form))


def test_a_manifest_of_iceberg_is_read(tmp_path: Path) -> None:
    assert [form_of(each) for each in (b"\xff\xd8\xff\xe0", b"text\n", b"\xff\x00\x01", b"")] == [
        "image",
        "text",
        "bytes",
        "text",
    ]
    pq.write_table(pa.table({"name": ["ann"]}), tmp_path / "a.parquet")
    tables = [part.table for part in parts((tmp_path / "a.parquet").read_bytes(), "parquet") if part.table is not None]
    assert [table.to_pylist() for table in tables] == [[{"name": "ann"}]]
