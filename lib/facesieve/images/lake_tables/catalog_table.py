"""A table of a catalog of Spark: a row per image, with its bytes, or with a uri below `images.files`.

A table that keeps snapshots is read at one of them, and the ledger names it. So what other programs commit meanwhile
changes nothing. A table without snapshots must not change during a run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core.errors import ConfigError, Fault, first_line
from facesieve.core.places import absolute
from facesieve.core.sections import Columns, Images
from facesieve.images.lake_tables.files_below import FilesBelow
from facesieve.images.protocol import Fetch, Ignored, SourceImages
from facesieve.images.storage import why_unreadable

_ROOT, _COLUMNS = "images.root", "images.columns"
_NAME = "Give the name of a table as Spark has it, such as catalog.namespace.table."
_FIX = "Name the columns of your table with [images.columns]: uri, bytes, identity."
_NO_URI = "images.columns.uri is empty, and rows of a table have no numbers"
_VERSIONED = frozenset(("iceberg", "delta"))
_TEXT = (T.StringType, T.IntegralType, T.DecimalType, T.DateType)
"""What casts to text that names something."""


@dataclass
class CatalogTable:
    """The table `name`, at `snapshot` or (empty) as it stands. files: where uris lead to; empty where rows have bytes.

    What the catalog says is asked for once, and kept.
    """

    name: str
    columns: Columns = field(default_factory=Columns)
    files: str = ""
    snapshot: str = ""
    _table: DataFrame | None = field(default=None, init=False, repr=False)

    @classmethod
    def of(cls, images: Images) -> CatalogTable:
        """Return the table that the section `images` names."""
        return cls(images.root, images.columns, images.files, images.snapshot)

    @property
    def carries_content(self) -> bool:
        """Whether rows have the bytes of their images."""
        return not self.files

    def check(self) -> None:
        """Raise ConfigError if there is no such table, no row in it, or a column that is missing or does not fit."""
        table = self._read(SparkSession.active())
        faults = [Fault(_COLUMNS, f"{self.name}: {text}. {_shown(table)}", _FIX) for text in self._misfits(table)]
        if self.files and (problem := why_unreadable(self.files)):
            faults.append(Fault("images.files", problem, "Give the folder below which the uris of the table lie."))
        if not faults and table.isEmpty():
            faults.append(Fault(_ROOT, f"{self.name}: there is no row", _NAME))
        if faults:
            raise ConfigError(faults)

    def images(self, spark: SparkSession, *, content: bool = True) -> SourceImages:
        """Return one row per row of the table. Without `content` no bytes are read; absent ones have size 0."""
        table = self._read(spark)
        nothing, no_size = F.lit(None).cast("binary"), F.lit(None).cast("bigint")
        value = _at(table, self.columns.bytes) if content and not self.files else None
        identity = _at(table, self.columns.identity)
        rows = table.select(
            _needed(_at(table, self.columns.uri)).cast("string").alias("uri"),
            (no_size if value is None else F.coalesce(F.octet_length(value).cast("bigint"), F.lit(0))).alias("size"),
            F.lit(None).cast("timestamp").alias("modified"),
            (F.lit(None) if identity is None else identity).cast("string").alias("identity"),
            (nothing if value is None else value).alias("content"),
        )
        return SourceImages(rows)

    def rows(self) -> int | None:
        """Nothing but a count tells."""
        return None

    def count(self, spark: SparkSession) -> int:
        """Return how many rows there are."""
        return self._read(spark).count()

    def state(self, spark: SparkSession) -> str | None:
        """Digest the snapshot; None without one, and where the images are files that may have changed."""
        version = None if self.files else self.version(spark)
        made_of = [self.name, version, vars(self.columns)]
        return hashlib.sha256(json.dumps(made_of).encode()).hexdigest() if version else None

    def ignored(self, spark: SparkSession) -> Ignored:
        """Return nothing: every row is an image."""
        return Ignored()

    def fetch(self) -> Fetch:
        """Return a function from uri to the content of the file below `images.files`; without that there is none."""
        return FilesBelow(absolute(self.files) if self.files else "")

    def version(self, spark: SparkSession) -> str:
        """Return the snapshot at which the table is read, found once; empty where it keeps none."""
        self._read(spark)
        return self.snapshot

    def _read(self, spark: SparkSession) -> DataFrame:
        if self._table is None:
            try:
                self._table = spark.table(self.name)
                self.snapshot = self.snapshot or _current(spark, self.name)
                if self.snapshot:
                    self._table = spark.sql(f"SELECT * FROM {self.name} VERSION AS OF {self.snapshot}")
            except (PySparkException, Py4JJavaError) as problem:
                at = f" at snapshot {self.snapshot}" if self.snapshot else ""
                text = f"the table {self.name} cannot be read{at} ({first_line(problem)})"
                raise ConfigError([Fault(_ROOT, text, _NAME)]) from None
        return self._table

    def _misfits(self, table: DataFrame) -> Iterator[str]:
        for role in ("uri", "identity") if self.files else ("uri", "bytes", "identity"):
            name = getattr(self.columns, role)
            kind = _kind(table, name) if name else None
            if kind is None and (role != "identity" or name != Columns().identity):
                yield (
                    f"column {name} is missing"
                    if name
                    else "images.columns.uri is empty, and rows of a table have no numbers"
                )
            elif kind is not None and not isinstance(kind, T.BinaryType if role == "bytes" else _TEXT):
                yield f"column {name} is {kind.simpleString()}, which is not {'bytes' if role == 'bytes' else 'text'}"


def _current(spark: SparkSession, name: str) -> str:
    """Return the snapshot at which a table stands; empty where it keeps none, or has none yet."""
    described = spark.sql(f"DESCRIBE TABLE EXTENDED {name}").where("col_name = 'Provider'").collect()
    provider = described[0]["data_type"].lower() if described else ""
    if provider not in _VERSIONED:
        return ""
    if provider == "delta":
        return str(spark.sql(f"DESCRIBE HISTORY {name} LIMIT 1").collect()[0]["version"])
    heads = spark.table(f"{name}.refs").where("name = 'main'").collect()
    return str(heads[0]["snapshot_id"]) if heads else ""


def _at(table: DataFrame, name: str) -> Column | None:
    """Return a column, or the field of a struct; None if there is none."""
    for path in _paths(name):
        if _kind_at(table.schema, path) is not None:
            return F.col(".".join(f"`{part}`" for part in path))
    return None


def _kind(table: DataFrame, name: str) -> T.DataType | None:
    kinds = (_kind_at(table.schema, path) for path in _paths(name))
    return next((kind for kind in kinds if kind is not None), None)


def _paths(name: str) -> list[list[str]]:
    return [[name], name.split(".")] if "." in name else [[name]] if name else []


def _kind_at(kind: T.DataType, path: list[str]) -> T.DataType | None:
    for part in path:
        fields = {each.name.lower(): each.dataType for each in kind} if isinstance(kind, T.StructType) else {}
        inner = fields.get(part.lower())
        if inner is None:
            return None
        kind = inner
    return kind


def _needed(column: Column | None) -> Column:
    return cast(Column, column)


def _shown(table: DataFrame) -> str:
    return "Its columns: " + ", ".join(f"{name} {kind}" for name, kind in table.dtypes)
