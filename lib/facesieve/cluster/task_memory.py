"""How much one Python task may hold, as far as Spark's settings and this machine tell."""

from __future__ import annotations

import os

from pyspark.sql import SparkSession

_SHARE = 4
"""On one machine a task may take a fourth of its memory."""
_EDGE_BYTES, _EDGES = 256, 1_000_000
_FACE_BYTES, _FACES = 16_384, 150_000
"""A face's vector is held several times, of a large cluster in float64. With more faces many tasks are as fast as one:
leftovers are compared with all large clusters."""
_LEAST_OVERHEAD = 384 << 20
_UNITS = {"b": 0, "k": 10, "m": 20, "g": 30, "t": 40}


def edges_in_memory(spark: SparkSession) -> int:
    """Return how many voting edges one task can hold with what a vote needs; a million where memory is not told."""
    return max(_EDGES, task_memory(spark) // _EDGE_BYTES)


def fits_one_task(spark: SparkSession, edges: int, faces: int, scopes: int) -> bool:
    """Whether a task may hold a whole scope, and another each other scope: edges with what score and vote need, faces.

    edges: of all scopes. faces: of one, with their vectors. So many bytes as a million edges take are always there.
    """
    needed = edges * _EDGE_BYTES + faces * _FACE_BYTES * scopes
    return faces <= _FACES and needed <= max(_EDGES * _EDGE_BYTES, task_memory(spark))


def task_memory(spark: SparkSession) -> int:
    """Return the bytes that the Python process of one task may hold.

    On a cluster that is what an executor has beside its heap (`spark.executor.memoryOverhead`, or
    `spark.executor.pyspark.memory`), as one such task runs at a time. On one machine it is a share of its memory.
    """
    settings = spark.sparkContext.getConf()
    if (spark.sparkContext.master or "").startswith("local["):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _SHARE
    own = settings.get("spark.executor.pyspark.memory", "0")
    heap = size(settings.get("spark.executor.memory", "1g") or "1g", "m")
    factor = float(settings.get("spark.executor.memoryOverheadFactor", "0.1") or 0.1)
    overhead = settings.get("spark.executor.memoryOverhead") or f"{max(_LEAST_OVERHEAD, int(factor * heap))}b"
    return size(own or "0", "m") or size(overhead, "m")


def size(text: str, unit: str) -> int:
    """Read a size as Spark writes it, in bytes; a bare number is in `unit`.

    >>> size("2g", "m"), size("384", "m"), size("1kb", "b")
    (2147483648, 402653184, 1024)
    """
    letters = text.strip().lower().removesuffix("b")
    if letters.isdigit():
        return int(letters) << (_UNITS[unit] if text.strip().isdigit() else 0)
    return int(letters[:-1]) << _UNITS[letters[-1]]
