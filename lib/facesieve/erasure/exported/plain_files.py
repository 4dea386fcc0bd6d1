"""Files of the exports `parquet` and `clean_list` without a subject: rows of part files, lines of lists."""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from facesieve.erasure.exported.own_files import as_its_form
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage
from facesieve.publish.exports import plain

_PEOPLE = pa.schema([("label", pa.int64()), ("image_id", pa.int64()), ("identity", pa.string())])
_NUMBERS = ("label", "image_id")


def take_rows(target: Storage, file: str, subject: Subject, *, apply: bool) -> tuple[int, list[dict[str, Any]]]:
    """Take the rows of the subject out of a part file, if told to; one without rows goes.

    Returns how many they are, and label, image_id and identity of all others. Raises one of NOT_WHOLE for a file that
    is no part file, OSError for a store.
    """
    content = target.read(file)
    with as_its_form():
        rows = pq.read_table(io.BytesIO(content))
    people = rows.select(_PEOPLE.names).cast(_PEOPLE)
    if any(people[name].null_count for name in _NUMBERS):
        raise ValueError("a row of the part file tells no image")
    stays = pc.invert(pc.is_in(people["image_id"], pa.array(subject.images, pa.int64())))
    staying = rows.filter(stays)
    if apply and len(staying) < len(rows):
        sink = io.BytesIO()
        pq.write_table(staying, sink, compression="zstd")
        put(target, file, sink.getvalue() if len(staying) else b"")
    return len(rows) - len(staying), people.filter(stays).to_pylist()


def take_lines(target: Storage, file: str, subject: Subject, *, apply: bool) -> int:
    """Take the lines of the subject out of a list, if told to; return how many. Raises as `take_rows`.

    An editor may have put a carriage return at the end of each line.
    """
    uris = {plain(uri) for uri in subject.uris}
    lines = target.read(file).decode("utf-8").split("\n")
    if any(line.strip() and "\t" not in line for line in lines):
        raise ValueError("a line of the list has no uri")
    staying = [line for line in lines if line.rstrip("\r").partition("\t")[2] not in uris]
    if apply and len(staying) < len(lines):
        put(target, file, "\n".join(staying).encode())
    return len(lines) - len(staying)


def put(target: Storage, file: str, content: bytes) -> None:
    """Write a file anew; one without content goes. Raises OSError."""
    if content:
        target.write(file, content)
    else:
        target.delete_tree(file)
