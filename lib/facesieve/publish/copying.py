"""What tasks that copy pictures count, and what is said if pictures are not what they were when they were listed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NewType

import pyarrow as pa
from pyspark.sql import DataFrame

from facesieve.core.errors import ContractError

Tallies = NewType("Tallies", DataFrame)
"""Rows of TALLY, one for each task or shard."""

TALLY = "files bigint, spoilt bigint, example string"
_TALLY = pa.schema([("files", pa.int64()), ("spoilt", pa.int64()), ("example", pa.string())])


def tally(problems: Sequence[str | None]) -> pa.RecordBatch:
    """Return the row of TALLY of a task: how many files there were, how many are spoilt, and one of those.

    problems: for each file what is wrong with it, or None.

    >>> tally([None, "a.jpg has changed"]).to_pylist()
    [{'files': 2, 'spoilt': 1, 'example': 'a.jpg has changed'}]
    """
    spoilt = [problem for problem in problems if problem is not None]
    row = {"files": len(problems), "spoilt": len(spoilt), "example": min(spoilt, default=None)}
    return pa.RecordBatch.from_pylist([row], _TALLY)


def copied(tallies: Tallies) -> int:
    """Run the tasks and return how many files they have written. Raises ContractError if any is spoilt."""
    rows = tallies.collect()
    spoilt, files = (sum(int(row[name]) for row in rows) for name in ("spoilt", "files"))
    if spoilt:
        example = min(row.example for row in rows if row.spoilt)
        raise ContractError(
            f"{spoilt} of {files} image files are not as they were listed "
            f"(one of them {example}); run the job again, so that the images are read anew"
        )
    return files
