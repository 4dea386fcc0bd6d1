"""Where a face's file is in an export of folders: a folder for each identity, names that cannot meet on a disk."""

from __future__ import annotations

from typing import NewType

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from facesieve.core.frames import columns
from facesieve.core.tables import Cleaned
from facesieve.publish import file_names

Placed = NewType("Placed", DataFrame)
PLACED = columns(
    "people string, split string, path string, uri string, identity string, label int, image_id bigint, "
    "face_id bigint, sha256 string"
)
"""Faces with the path of their file. people: what is left of the identity where case does not count.

path begins with the split, where there is one; else split is null.
"""


def placed(cleaned: Cleaned, name: Column, owner: str, split: Column | None) -> Placed:
    """Give every face the path of its file.

    name: of the file, before it is made fit for any disk. owner: the column that tells files of one name apart,
    image_id or face_id. All that is asked of the identities whose folders could meet is asked after a single shuffle.
    """
    fold, folder, file = (F.udf(make, "string") for make in (file_names.fold, file_names.folder, file_names.file))
    part = F.lit(None).cast("string") if split is None else split
    faces = cleaned.withColumns({"file": name, "split": part, "people": fold("identity")})
    named = faces.withColumn("base", fold("file"))
    crowded_folder = _several("identity", Window.partitionBy("people"))
    crowded_file = _several(owner, Window.partitionBy("people", "identity", "base"))
    path = F.concat_ws("/", "split", folder("identity", crowded_folder), file("file", owner, crowded_file))
    return Placed(named.withColumn("path", path).select(*PLACED.names))


def _several(name: str, same_name: WindowSpec) -> Column:
    """Say whether rows of the same name have different values in a column."""
    return F.min(name).over(same_name) != F.max(name).over(same_name)
