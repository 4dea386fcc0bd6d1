"""Hashes of ids: Spark's `xxhash64` on bigint columns, and a faster one for draws that Spark has no part in."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Word = TypeVar("Word", np.uint32, np.uint64)

_SPARK_SEED = 42
_BYTES_OF_A_LONG = 8
_P1, _P2, _P3, _P4, _P5 = (
    np.uint64(prime)
    for prime in (
        0x9E3779B185EBCA87,
        0xC2B2AE3D27D4EB4F,
        0x165667B19E3779F9,
        0x85EBCA77C2B2AE63,
        0x27D4EB2F165667C5,
    )
)


def xxhash64(*columns: int | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Hash each row of the columns exactly as Spark SQL's `xxhash64(col1, col2, ...)` does for bigint columns.

    columns: int64 [n], or a plain integer that stands for all rows. Returns int64 [n] (n = 1 if all are integers).
    The first column is hashed with Spark's seed 42, each next one with the hash so far as seed.
    Source: XXH64 by Yann Collet, for an input of eight bytes.

    >>> xxhash64(0, 1, np.array([7, -8])).tolist()
    [2030726194653197709, -4823398543906925155]
    """
    arrays = np.broadcast_arrays(*(np.atleast_1d(np.asarray(column, dtype=np.int64)) for column in columns))
    hashes = np.full(arrays[0].shape, _SPARK_SEED, dtype=np.uint64)
    for array in arrays:
        hashes = _hash_long(array.view(np.uint64), hashes)
    return hashes.view(np.int64)


def partition_of(numbers: npt.NDArray[np.int64], parts: int) -> npt.NDArray[np.int64]:
    """Return the partition to which Spark's `repartition(parts, column)` sends each bigint: murmur3, modulo.

    Shapes: int64 [n] -> int64 [n]. Source: MurmurHash3 x86 32 by Austin Appleby, of eight bytes with Spark's seed 42.

    >>> partition_of(np.array([0, 1, -1]), 7).tolist()
    [4, 5, 6]
    """
    words = numbers.astype(np.int64).view(np.uint64)
    halves = (words & np.uint64(0xFFFFFFFF)).astype(np.uint32), (words >> np.uint64(32)).astype(np.uint32)
    hashes = np.full(len(words), _SPARK_SEED, np.uint32)
    for half in halves:
        mixed = _rotate(half * np.uint32(0xCC9E2D51), 15) * np.uint32(0x1B873593)
        hashes = _rotate(hashes ^ mixed, 13) * np.uint32(5) + np.uint32(0xE6546B64)
    hashes ^= np.uint32(_BYTES_OF_A_LONG)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        hashes = (hashes ^ (hashes >> np.uint32(shift))) * np.uint32(factor)
    return (hashes ^ (hashes >> np.uint32(16))).view(np.int32).astype(np.int64) % parts


def id_hash(ids: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.uint64]:
    """Mix ids to 64 well-spread bits (splitmix64, Steele et al. 2014): equal ids and seed, equal draw, anywhere.

    Shapes: int64 [N] -> uint64 [N]; a bijection for each seed.

    >>> id_hash(np.array([0, 1]), 0).tolist()
    [16294208416658607535, 10451216379200822465]
    """
    mixed = ids.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


def _hash_long(words: npt.NDArray[np.uint64], seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    hashes = seeds + _P5 + np.uint64(_BYTES_OF_A_LONG)
    hashes ^= _rotate(words * _P2, 31) * _P1
    hashes = _rotate(hashes, 27) * _P1 + _P4
    hashes ^= hashes >> np.uint64(33)
    hashes *= _P2
    hashes ^= hashes >> np.uint64(29)
    hashes *= _P3
    return hashes ^ (hashes >> np.uint64(32))


def _rotate(words: npt.NDArray[Word], bits: int) -> npt.NDArray[Word]:
    word = words.dtype.type
    return np.asarray((words << word(bits)) | (words >> word(8 * words.dtype.itemsize - bits)), dtype=words.dtype)
