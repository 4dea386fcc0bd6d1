from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from facesieve.faces.hashing import id_hash, partition_of, xxhash64

LONGS = st.integers(-(2**63), 2**63 - 1)
WORD = 2**64


def by_hand(words: list[int]) -> int:
    """XXH64 of eight bytes per word in plain integers, chained as Spark does."""
    p1, p2, p3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
    p4, p5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5

    def rotate(value: int, bits: int) -> int:
        return (value << bits | value >> (64 - bits)) % WORD

    seed = 42
    for word in words:
        value = (seed + p5 + 8) % WORD ^ rotate(word % WORD * p2 % WORD, 31) * p1 % WORD
        value = (rotate(value, 27) * p1 + p4) % WORD
        value = (value ^ value >> 33) * p2 % WORD
        value = (value ^ value >> 29) * p3 % WORD
        seed = value ^ value >> 32
    return seed - WORD if seed >= WORD // 2 else seed


@given(st.lists(LONGS, min_size=1, max_size=4))
def test_equals_plain_integers(words: list[int]) -> None:
    assert xxhash64(*words).tolist() == [by_hand(words)]


def test_equals_spark(spark: SparkSession) -> None:
    values = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 50)
    values = np.append(values, [0, -1, 2**63 - 1, -(2**63)])
    frame = spark.createDataFrame([(value,) for value in values.tolist()], "id long")
    seed, step = F.lit(-3).cast("bigint"), F.lit(7).cast("bigint")
    spoken = {row[0]: row[1] for row in frame.select("id", F.xxhash64(seed, step, "id")).collect()}
    assert [spoken[value] for value in values.tolist()] == xxhash64(-3, 7, values).tolist()


@given(LONGS, st.integers(0, 2**31))
def test_id_hash_is_splitmix64(number: int, seed: int) -> None:
    mixed = (number + (seed + 1) * 0x9E3779B97F4A7C15) % WORD
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % WORD
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % WORD
    assert id_hash(np.array([number]), seed).tolist() == [mixed ^ mixed >> 31]


def test_id_hash_spreads_and_depends_on_the_seed() -> None:
    ids = np.arange(-50_000, 50_000)
    assert len(np.unique(id_hash(ids, 0))) == len(ids)
    assert abs(float((id_hash(ids, 5) / 2.0**64).mean()) - 0.5) < 0.005
    assert (id_hash(ids, 0) != id_hash(ids, 1)).all()


def test_partitions_are_those_of_spark(spark: SparkSession) -> None:
    numbers = [0, 1, -1, 5, 2**40 + 7, -(2**63), 2**63 - 1]
    rows = spark.createDataFrame([(number,) for number in numbers], "id bigint").selectExpr("pmod(hash(id), 7) part")
    assert partition_of(np.array(numbers), 7).tolist() == [row.part for row in rows.collect()]
