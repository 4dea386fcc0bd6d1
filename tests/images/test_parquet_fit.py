from __future__ import annotations

import pyarrow as pa

from facesieve.core.sections import Columns
from facesieve.images.parquet_files import ParquetFile
from facesieve.images.parquet_fit import misfits

PLAIN = pa.schema([("uri", pa.string()), ("bytes", pa.binary()), ("identity", pa.string())])


def _file(name: str, null: str = "", **types: pa.DataType | None) -> ParquetFile:
    """A file with the columns of PLAIN, of other types or (None) without some."""
    kinds = {field.name: field.type for field in PLAIN} | types
    schema = pa.schema([(column, kind) for column, kind in kinds.items() if kind is not None])
    return ParquetFile(name, (1,), schema, frozenset({null}))


def _told_of(*files: ParquetFile, columns: Columns | None = None) -> str:
    return "\n".join(map(str, misfits("/set", files, columns or Columns())))


def test_files_of_other_types_and_other_case_are_united() -> None:
    others = (
        _file("a.parquet"),
        _file("b.parquet", uri=pa.large_string(), bytes=pa.binary_view(), extra=pa.float16()),
        _file("c.parquet", uri=None, bytes=None, URI=pa.int64(), Bytes=pa.binary(9)),
        _file("d.parquet", identity=pa.dictionary(pa.int8(), pa.string())),
        _file("identity=Ann/e.parquet", identity=None),
    )
    assert misfits("/set", others, Columns()) == []


def test_a_column_that_only_some_files_have_names_two() -> None:
    text = _told_of(_file("a.parquet"), _file("b.parquet", bytes=None), _file("c.parquet", bytes=None))
    assert text.startswith("images.columns: /set: column bytes is missing in b.parquet, but not in a.parquet (2 of 3")
    text = _told_of(_file("a.parquet"), _file("b.parquet", identity=None))
    assert "column identity is missing in b.parquet and text in a.parquet" in text


def test_names_in_one_file_and_numbers_in_another_are_refused() -> None:
    text = _told_of(_file("a.parquet"), _file("b.parquet", identity=pa.float64()))
    assert "column identity is a number in b.parquet and text in a.parquet" in text
    assert not misfits("/set", [_file("a", identity=pa.float64()), _file("b", identity=pa.int8())], Columns())


def test_where_no_file_fits_the_columns_are_listed() -> None:
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    text = _told_of(_file("a.parquet", uri=None, bytes=None, identity=None, image=image, mask=image))
    assert "column uri is missing; column bytes is missing. Its columns: image struct<" in text
    assert 'Perhaps bytes = "image.bytes", uri = "image.path"' in text
    assert " but not in " not in text
    columns = Columns("image.path", "image.bytes")
    assert not _told_of(_file("a", uri=None, bytes=None, identity=None, image=image, mask=image), columns=columns)
    assert not _told_of(_file("a", uri=None, bytes=None, identity=None, image=image))


def test_paths_alone_are_refused_where_the_footers_say_so() -> None:
    assert "no row has bytes. Embed the pictures" in _told_of(_file("a", "bytes"), _file("b", "bytes"))
    assert not _told_of(_file("a", "bytes"), _file("b", "uri"))
