"""Shards: whole files in the order of numbers, and no shard with a sample that is not what was listed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest
from exported import PLACES, content
from pyspark.sql import functions as F

from facesieve.core.errors import ContractError, InvariantError
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.pictures import Beside, Pictures, Reader
from facesieve.publish.shards.writing import Form, Samples, write_shards


def lines() -> Form:
    """Return a form with a line for each sample, made here since workers know no module of the tests."""

    class Lines:
        def __init__(self, file: IO[bytes]) -> None:
            self.file = file

        def add(self, sample: dict[str, Any], content: bytes) -> None:
            self.file.write(f"{sample['number']} {content.hex()}\n".encode())

    @contextmanager
    def begin(file: IO[bytes], path: str) -> Iterator[Lines]:
        file.write(f"{path}\n".encode())
        yield Lines(file)
        file.write(b"end\n")

    return begin


def samples(cleaned: Cleaned) -> Samples:
    numbers = cleaned.withColumn("number", F.col("image_id"))
    return Samples(numbers.withColumn("path", F.concat(F.expr("number div 5").cast("string"), F.lit("/shard"))))


def test_each_shard_has_its_samples_by_number(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    assert write_shards(samples(cleaned), Pictures(Reader(source.read)), lines(), Storage(str(tmp_path))) == len(PLACES)
    uris = list(PLACES)
    for shard in range(3):
        expected = [f"{at} {content(uris[at]).hex()}" for at in range(14) if at // 5 == shard]
        assert (tmp_path / f"{shard}/shard").read_text().splitlines() == [f"{shard}/shard", *expected, "end"]


def test_a_spoilt_sample_is_named_and_a_lost_one_counted(cleaned: Cleaned, source: Storage, tmp_path: Path) -> None:
    def gone(uri: str) -> bytes:
        if uri == "b/y.jpg":
            raise FileNotFoundError(uri)
        return uri.encode()

    with pytest.raises(ContractError, match=r"1 of 14 image files .* \(one of them b/y\.jpg cannot be read\)"):
        write_shards(samples(cleaned), Pictures(Reader(gone)), lines(), Storage(str(tmp_path)))
    some = Beside(cleaned.where("face_id > 101").select("face_id", F.lit(1).alias("x")))
    with pytest.raises(InvariantError, match="hold 12 samples, there are 14"):
        write_shards(samples(cleaned), Pictures(Reader(source.read), some), lines(), Storage(str(tmp_path)))
