"""A file as what it is: the parts that a proof looks into, beside the bytes as they are stored.

| form | parts |
| --- | --- |
| Parquet | row groups, decoded; what follows their pages: indexes and footer |
| Avro (manifests) | blocks, inflated: with the bounds of columns |
| Puffin (statistics) | blobs that are compressed with zstd; all else is plain bytes |
| gzip | what it holds |
| tar, zip (also npz) | members |
| RecordIO | the pictures of the records |
| text | the text |
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from facesieve.erasure.exported.record_packs import picture_of, records
from facesieve.publish.shards.records import MAGIC

UNREADABLE = (
    *(ValueError, LookupError, OSError, EOFError, TypeError, RuntimeError, NotImplementedError),
    *(zlib.error, tarfile.TarError, zipfile.BadZipFile, pa.ArrowException),
)
"""What a file that is not whole may raise, or one with a part that nothing here can read."""

COMPRESSED = ("parquet", "avro", "gzip", "zip")
"""Forms whose bytes as they are stored hold pieces of words; their parts hold all words."""
PACKED = (*COMPRESSED, "tar")
"""Forms that hold what no search of their bytes finds, or files of their own."""
UNKNOWN = ("bytes", "image")
"""Forms of which nothing tells where a word begins."""

_TEXT = 4096
_STARTS = {
    b"PAR1": "parquet",
    b"Obj\x01": "avro",
    b"PFA1": "puffin",
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip",
    MAGIC: "recordio",
}


class Part(NamedTuple):
    """A part of a file: a table, bytes of its form, a text, or what may be a file itself."""

    table: pa.Table | None = None
    content: bytes | None = None
    text: str | None = None
    file: bytes | None = None


def form_of(content: bytes) -> str:
    """Name the form of a file by its content."""
    for start, form in _STARTS.items():
        if content.startswith(start):
            return form
    if content[257:262] == b"ustar":
        return "tar"
    pictures = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"BM")
    return "image" if content.startswith(pictures) else "text" if _is_text(content) else "bytes"


def parts(content: bytes, form: str) -> Iterator[Part]:
    """Yield the parts of a file. Raises one of UNREADABLE for a file that is not whole."""
    if form in _PARTS:
        yield from _PARTS[form](content)


def _of_parquet(content: bytes) -> Iterator[Part]:
    file = pq.ParquetFile(io.BytesIO(content))
    yield from (Part(table=file.read_row_group(group)) for group in range(file.num_row_groups))
    yield from (Part(text=_text(each)) for pair in (file.schema_arrow.metadata or {}).items() for each in pair)
    yield Part(content=content[_end_of_pages(file.metadata) :])


def _of_avro(content: bytes) -> Iterator[Part]:
    yield from (Part(content=block) for block in _avro_blocks(content))


def _of_puffin(content: bytes) -> Iterator[Part]:
    yield from (Part(content=blob) for blob in _puffin_blobs(content))


def _of_gzip(content: bytes) -> Iterator[Part]:
    yield Part(file=gzip.decompress(content))


def _of_tar(content: bytes) -> Iterator[Part]:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            file_of = archive.extractfile(member) if member.isfile() else None
            yield Part(text=member.name)
            if file_of:
                yield Part(file=file_of.read())


def _of_zip(content: bytes) -> Iterator[Part]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            yield Part(text=member.filename)
            yield Part(file=archive.read(member))


def _of_recordio(content: bytes) -> Iterator[Part]:
    yield from (Part(file=picture_of(record)) for record in records(io.BytesIO(content)))


def _of_text(content: bytes) -> Iterator[Part]:
    yield Part(text=content.decode("utf-8"))


_PARTS: Mapping[str, Callable[[bytes], Iterator[Part]]] = {
    "parquet": _of_parquet,
    "avro": _of_avro,
    "puffin": _of_puffin,
    "gzip": _of_gzip,
    "tar": _of_tar,
    "zip": _of_zip,
    "recordio": _of_recordio,
    "text": _of_text,
}


def _text(content: bytes) -> str:
    return content.decode("utf-8", errors="replace")


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in content[:_TEXT]


def _end_of_pages(metadata: pq.FileMetaData) -> int:
    groups = (metadata.row_group(each) for each in range(metadata.num_row_groups))
    chunks = (group.column(each) for group in groups for each in range(group.num_columns))
    ends = ((each.dictionary_page_offset or each.data_page_offset) + each.total_compressed_size for each in chunks)
    return max(ends, default=0)


def _avro_blocks(content: bytes) -> Iterator[bytes]:
    """Yield the blocks of an Avro container, inflated (Avro 1.11, section Object Container Files)."""
    file = io.BytesIO(content[4:])
    metadata = dict(_avro_map(file))
    codec = metadata.get("avro.codec", b"null")
    yield b"\n".join(metadata.values())
    file.read(16)
    while file.tell() < len(content) - 4:
        _long(file)
        block = file.read(_long(file))
        file.read(16)
        yield _inflated(block, codec.decode("ascii"))


def _inflated(block: bytes, codec: str) -> bytes:
    if codec == "null":
        return block
    if codec == "deflate":
        return zlib.decompress(block, -zlib.MAX_WBITS)
    if codec == "zstandard":
        return _zstd(block)
    raise ValueError(f"Avro with the codec {codec}")


def _zstd(content: bytes) -> bytes:
    return bytes(pa.input_stream(io.BytesIO(content), compression="zstd").read())


def _avro_map(file: io.BytesIO) -> Iterator[tuple[str, bytes]]:
    while count := _long(file):
        if count < 0:
            _long(file)
        for _ in range(abs(count)):
            name = file.read(_long(file)).decode("utf-8")
            yield name, file.read(_long(file))


def _long(file: io.BytesIO) -> int:
    """Read a long: seven bits a byte, the lowest first, in zigzag."""
    number = shift = 0
    while byte := file.read(1):
        number |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            return (number >> 1) ^ -(number & 1)
    raise ValueError("the file ends in a number")


def _puffin_blobs(content: bytes) -> Iterator[bytes]:
    """Yield the compressed blobs of a Puffin file (Iceberg's Puffin spec: footer size before flags and magic)."""
    size = int.from_bytes(content[-12:-8], "little")
    footer = content[-12 - size : -12]
    if content[-8] & 1:
        raise ValueError("Puffin with a compressed footer")
    yield footer
    for blob in json.loads(footer)["blobs"]:
        stored = content[blob["offset"] : blob["offset"] + blob["length"]]
        if blob.get("compression-codec") == "zstd":
            yield _zstd(stored)
        elif blob.get("compression-codec"):
            raise ValueError("Puffin with a codec other than zstd")
