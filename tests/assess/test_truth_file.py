"""Truth tables: which rows say something, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from facesieve.assess.truth_file import as_listed, read_truth
from facesieve.core.errors import ConfigError


def test_rows_without_uri_or_identity_say_nothing(tmp_path: Path) -> None:
    file = tmp_path / "truth"
    file.write_text('uri, identity\na b ,"Ann ""A"" "\n,Bob\nc,\n\na b ,"Ann ""A"""\n')
    assert read_truth(str(file)) == {"a b ": 'Ann "A"'}


def test_spellings_of_a_uri_mean_the_listed_one(spark: SparkSession) -> None:
    listing = spark.createDataFrame([("a/1.jpg",), ("a/2.jpg",)], "uri string")
    rows = as_listed({"./a/1.jpg": "Ann", "a/2.jpg": "Bob", "/x/3.jpg": "Cy"}, listing, "")
    assert rows == {"a/1.jpg": "Ann", "a/2.jpg": "Bob", "/x/3.jpg": "Cy"}
    with pytest.raises(ConfigError, match=r"--truth: .* and another spelling of it have two identities"):
        as_listed({"./a/1.jpg": "Ann", "a/1.jpg": "Bob"}, listing, "")


def test_numbers_are_read_as_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"uri": ["a", "b"], "identity": [7, None], "more": [[1], [2]]}), tmp_path / "t")
    assert read_truth(str(tmp_path / "t")) == {"a": "7"}


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--truth: .* cannot be read"):
        read_truth(str(tmp_path / "none.csv"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("uri,person\na,x\n", "has no column identity"),
        ("a\nx\n", "has no column uri"),
        ("uri,identity\n", "holds no row"),
        ("of no table at all", "holds no row"),
        ("uri,identity\na,\n", "names no identity of any image"),
        ("uri,identity\na,x\nb,x\na,y\n", "line 2 and line 4 give a two identities"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_truth(str(tmp_path / "t.csv"))
    assert f"--truth: {tmp_path}/t.csv {problem}. " in str(caught.value)


def test_nested_values_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"uri": [["a"]], "identity": ["x"]}), tmp_path / "t")
    with pytest.raises(ConfigError, match="row 1: uri is no plain value"):
        read_truth(str(tmp_path / "t"))
