"""Records against a reader of its own, and against bytes that are written out by hand."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trainers import payloads

from facesieve.core.errors import ContractError
from facesieve.images.storage import Storage
from facesieve.publish.shards import records
from facesieve.publish.shards.records import MAGIC, RecordForm, framed, index_of, payload

WORDS = st.lists(st.sampled_from([MAGIC, b"\0\0\0\0", b"\x0a", b"\x0a\x23\xd7", b"picture"]), max_size=12)


@given(WORDS.map(b"".join), WORDS.map(b"".join))
def test_whatever_a_payload_holds_comes_back(first: bytes, second: bytes) -> None:
    data = framed(first) + framed(second)
    assert len(framed(first)) % 4 == 0
    assert list(payloads(data)) == [first, second]


def test_a_magic_at_a_border_of_four_bytes_is_left_out_and_no_other() -> None:
    size = struct.Struct("<I")
    begin, end = size.pack(1 << 29 | 4), size.pack(3 << 29 | 2)
    assert framed(b"abcd" + MAGIC + b"ef") == MAGIC + begin + b"abcd" + MAGIC + end + b"ef\0\0"
    assert framed(b"abc" + MAGIC + b"e") == MAGIC + size.pack(8) + b"abc" + MAGIC + b"e"
    # a magic that overlaps one that is no border hides none that is
    assert framed(b"ab" + MAGIC + b"cd" + MAGIC).count(MAGIC) == 3


def test_what_has_no_room_for_its_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "LARGEST", 10)
    with pytest.raises(ContractError, match="11 bytes is too large for RecordIO"):
        framed(b"x" * 11)


def test_a_part_and_its_index(tmp_path: Path) -> None:
    file = io.BytesIO()
    with RecordForm(Storage(str(tmp_path)))(file, "train-000000.rec") as part:
        for number, content in ((7, b"one"), (8, b"two!")):
            part.add({"number": number, "label": 2 * number}, content)
    data = file.getvalue()
    index = [line.split("\t") for line in (tmp_path / index_of("train-000000.rec")).read_text().splitlines()]
    assert [number for number, _ in index] == ["7", "8"]
    contents = [next(payloads(data, int(offset))) for _, offset in index]
    assert contents == [payload(7, 14, b"one"), payload(8, 16, b"two!")]
    assert contents[1][:24] == struct.pack("<IfQQ", 0, 16.0, 8, 0)
