from __future__ import annotations

import json
import uuid
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facesieve.core.sections import Columns
from facesieve.images.parquet_columns import Place, Unfit, as_bytes, as_text, is_number, places, values

HF = Columns("image.path", "image.bytes", "label")
IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


@pytest.mark.parametrize("index", [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64()])
@pytest.mark.parametrize("word", [pa.string(), pa.large_string(), pa.string_view()])
def test_a_dictionary_of_any_index_type_is_text(index: pa.DataType, word: pa.DataType) -> None:
    words = pa.array(["0001", None, "Ann"], word)
    column = pa.DictionaryArray.from_arrays(pa.array([0, 2, None, 1], index), words)
    assert as_text(column).to_pylist() == ["0001", "Ann", None, None]


@pytest.mark.parametrize(
    ("column", "text"),
    [
        (pa.array(["0001", None]), ["0001", None]),
        (pa.array([b"Ann", None], pa.binary()), ["Ann", None]),
        (pa.array([b"ab"], pa.binary(2)), ["ab"]),
        (pa.array([b"Ann"], pa.binary_view()), ["Ann"]),
        (pa.array([7, None], pa.uint8()), ["7", None]),
        (pa.array([1001.0, float("nan"), None, 1.5, 123456789012.0]), ["1001", None, None, "1.5", "123456789012"]),
        (pa.array([-2.0], pa.float32()), ["-2"]),
        (pa.array([Decimal("7")]), ["7"]),
        (pa.array([True]), ["true"]),
        (pa.nulls(2), [None, None]),
        (pa.array([b"\x12" * 16], pa.uuid()), [str(uuid.UUID(bytes=b"\x12" * 16))]),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_what_casts_is_text(column: pa.Array, text: list[str | None]) -> None:
    assert as_text(column).to_pylist() == text
    assert as_text(column).type == pa.string()


@given(st.lists(st.one_of(st.none(), st.integers(-(2**53) + 1, 2**53 - 1))))
def test_whole_numbers_read_alike_as_integers_and_as_floats(numbers: list[int | None]) -> None:
    assert as_text(pa.array(numbers, pa.int64())).equals(as_text(pa.array(numbers, pa.float64())))


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3), pa.dictionary(pa.int16(), pa.binary())]
)
def test_any_binary_is_bytes(kind: pa.DataType) -> None:
    assert as_bytes(pa.array([b"\xff\xd8\x00", None], kind)).to_pylist() == [b"\xff\xd8\x00", None]


def test_text_that_is_not_utf8_is_refused() -> None:
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"], pa.binary()).buffers())
    for column in (broken, pa.array([b"\xff"], pa.binary())):
        with pytest.raises(pa.ArrowInvalid):
            as_text(column)


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        (_schema(path=pa.string()), "column uri is missing; column bytes is missing"),
        (_schema(uri=pa.list_(pa.string()), bytes=pa.binary()), "column uri is list<.*which is not text"),
        (_schema(uri=pa.string(), bytes=pa.string()), "column bytes is string, which is not bytes"),
        (_schema(uri=pa.string(), bytes=pa.list_(pa.uint8())), "column bytes is list<.*which is not bytes"),
        (_schema(uri=pa.string(), bytes=pa.binary(), identity=IMAGE), "column identity is struct<.*which is not text"),
        (_schema(URI=pa.string(), Uri=pa.string(), bytes=pa.binary()), "column uri is there 2 times"),
    ],
)
def test_what_does_not_fit_is_named(schema: pa.Schema, problem: str) -> None:
    with pytest.raises(Unfit, match=problem):
        places(schema, {}, Columns())


def test_a_name_in_its_own_case_wins_over_one_in_another() -> None:
    schema = _schema(URI=pa.int8(), uri=pa.string(), Bytes=pa.binary(), half=pa.float16())
    assert places(schema, {}, Columns()).names() == ["uri", "Bytes"]
    assert places(schema, {}, Columns()).names(content=False) == ["uri"]


def test_a_folder_gives_the_identity_unless_a_column_does() -> None:
    plain = _schema(uri=pa.string(), bytes=pa.binary())
    folder = places(plain, {"Identity": "0001"}, Columns()).identity
    rows = pa.record_batch({"uri": ["a", "b"]})
    assert (folder.constant, values(rows, folder).to_pylist()) == ("0001", ["0001", "0001"])
    both = places(plain.append(pa.field("identity", pa.string())), {"identity": "0001"}, Columns()).identity
    assert both.path == ("identity",)
    assert places(plain, {}, Columns()).identity.absent
    with pytest.raises(Unfit, match="column who is missing"):
        places(plain, {}, Columns(identity="who"))


def test_fields_of_a_struct_are_null_where_the_struct_is() -> None:
    rows = pa.record_batch({"image": pa.array([{"bytes": b"1", "path": None}, None], IMAGE)})
    at = places(rows.schema, {}, Columns("image.path", "image.bytes"))
    assert at.names() == ["image.path", "image.bytes"]
    assert [values(rows, place).to_pylist() for place in (at.uri, at.bytes)] == [[None, None], [b"1", None]]
    dotted = _schema(**{"image.path": pa.string()}, image=IMAGE)
    assert places(dotted, {}, Columns("image.path", "image.bytes")).uri.path == ("image.path",)


def test_labels_of_hugging_face_are_names() -> None:
    features = {"info": {"features": {"label": {"_type": "ClassLabel", "names": ["Ann", "Bob"]}}}}
    schema = _schema(image=IMAGE, label=pa.int64()).with_metadata({"huggingface": json.dumps(features)})
    place = places(schema, {}, HF).identity
    rows = pa.record_batch({"label": pa.array([1, 0, -1, 2, None], pa.int64())})
    with pytest.raises(Unfit, match="label 2 has no name"):
        values(rows, place)
    assert values(rows.slice(0, 3), place).to_pylist() == ["Bob", "Ann", None]
    assert not is_number(place)
    for broken in ("{", "[]", '{"info": null}', json.dumps({"info": {"features": {"label": 3}}})):
        plain = places(schema.with_metadata({"huggingface": broken}), {}, HF).identity
        assert values(rows, plain).to_pylist() == [1, 0, -1, 2, None]
        assert is_number(plain)


def test_numbers_are_told_from_names() -> None:
    for kind in (pa.int8(), pa.float64(), pa.decimal128(3), pa.dictionary(pa.int8(), pa.int64())):
        assert is_number(Place(("x",), kind))
    for kind in (pa.string(), pa.binary_view(), pa.dictionary(pa.int8(), pa.string())):
        assert not is_number(Place(("x",), kind))
