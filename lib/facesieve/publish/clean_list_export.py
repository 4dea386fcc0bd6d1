"""The export `clean_list`: identity and file, a line for each image, for those who keep the images where they are."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.core.errors import InvariantError
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.publish.exports import Lines, cleared, complete, write_list
from facesieve.publish.splits import SPLITS

_LINE = ("identity", "uri")


def export_clean_list(cleaned: Cleaned, target: Storage, edition: str = "", split: Column | None = None) -> int:
    """Write clean_list/clean_list.txt below `target` (the run's folder); return the rows of the table.

    A line is the identity, a tab and the uri; two faces of one person on an image are one line. What would end a cell
    or a line is percent-encoded. With splits there are train.txt, validation.txt and test.txt instead. With them comes
    _SUCCESS. Raises OSError, and InvariantError if a line is lost.
    """
    folder = cleared(target, "clean_list")
    divided = cleaned.withColumn("split", F.lit("clean_list") if split is None else split)
    lines = divided.select("split", *_LINE).distinct().persist()
    names = ("clean_list",) if split is None else SPLITS
    written = sum(
        write_list(Lines(lines.where(F.col("split") == name)), folder, f"{name}.txt", _LINE) for name in names
    )
    expected = lines.count()
    lines.unpersist()
    if written != expected:
        raise InvariantError(f"the export clean_list holds {written} lines, there are {expected}")
    complete(folder, edition)
    return cleaned.count()
