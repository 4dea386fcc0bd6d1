"""The tables, declared once: columns, key, partitioning. Other programs read them, so this is a contract.

Types are built without a JVM. `conform` is the only maker of a typed table: it selects the declared columns in the
declared order and refuses, in one message, whatever differs in name or type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from facesieve.core.errors import ContractError
from facesieve.core.frames import columns

FORMER_SCOPES = {"heap": "global"}
"""What a scope was called before 0.5.0 -> its name: rows of older versions still say so."""

Listing = NewType("Listing", DataFrame)
Embeddings = NewType("Embeddings", DataFrame)
Rejects = NewType("Rejects", DataFrame)
Edges = NewType("Edges", DataFrame)
Epochs = NewType("Epochs", DataFrame)
Votes = NewType("Votes", DataFrame)
Clusters = NewType("Clusters", DataFrame)
Decisions = NewType("Decisions", DataFrame)
Cleaned = NewType("Cleaned", DataFrame)
IdentityLinks = NewType("IdentityLinks", DataFrame)
ClusterIds = NewType("ClusterIds", DataFrame)
Erased = NewType("Erased", DataFrame)
Idle = NewType("Idle", DataFrame)


@dataclass(frozen=True)
class Table:
    """One table: its name, its columns in order, the columns that identify a row, and how Iceberg partitions it.

    `row_deletes`: single rows are deleted, so that a delete lists them and rewrites no file.
    """

    name: str
    columns: T.StructType
    key: tuple[str, ...]
    partition: tuple[str, ...] = ()
    row_deletes: bool = False


_FLOATS = T.ArrayType(T.FloatType())
_STRINGS = T.ArrayType(T.StringType())
_SNAPSHOTS = T.MapType(T.StringType(), T.LongType())
_BOX = T.StructType([T.StructField(name, T.FloatType()) for name in ("x", "y", "width", "height")])


def _columns(**types: T.DataType) -> T.StructType:
    return T.StructType([T.StructField(name, kind) for name, kind in types.items()])


_EVIDENCE = _columns(nearest_face=T.LongType(), cosine=T.FloatType(), share=T.FloatType(), margin=T.FloatType())


LISTING = Table(
    "listing",
    _columns(
        image_id=T.LongType(),
        uri=T.StringType(),
        identity=T.StringType(),
        size=T.LongType(),
        modified=T.TimestampType(),
        sha256=T.StringType(),
    ),
    key=("image_id",),
)
EMBEDDINGS = Table(
    "embeddings",
    _columns(
        face_id=T.LongType(),
        image_id=T.LongType(),
        uri=T.StringType(),
        sha256=T.StringType(),
        face_rank=T.IntegerType(),
        box=_BOX,
        landmarks=_FLOATS,
        confidence=T.FloatType(),
        sharpness=T.FloatType(),
        reasons=_STRINGS,
        vector=_FLOATS,
        model=T.StringType(),
        image_width=T.IntegerType(),
        image_height=T.IntegerType(),
        phash=T.BinaryType(),
        passed_over=T.IntegerType(),
        face_phash=T.BinaryType(),
        left_out=T.IntegerType(),
        turned_phash=T.BinaryType(),
    ),
    key=("face_id",),
    partition=("model",),
)
REJECTS = Table(
    "rejects",
    columns("image_id bigint, uri string, sha256 string, reason string, detail string, model string"),
    key=("image_id", "model"),
    partition=("model",),
)
EDGES = Table(
    "edges",
    columns("scope string, src bigint, dst bigint, cosine float, same_identity boolean"),
    key=("scope", "src", "dst"),
    partition=("scope",),
    row_deletes=True,
)
EPOCHS = Table(
    # What the edges were computed with, so that a later run can go on from there. An epoch has one row of kind
    # `settings` (settings JSON, pivots float32 [m, D]) and rows of kind `faces` that each pack many: their number n,
    # ids int64 [n], codes int64 [n] (hash of the identity), probes int32 [n, r] (home first), vectors float16 [n, D].
    "epochs",
    _columns(
        epoch=T.StringType(),
        kind=T.StringType(),
        settings=T.StringType(),
        pivots=T.BinaryType(),
        faces=T.IntegerType(),
        ids=T.BinaryType(),
        codes=T.BinaryType(),
        probes=T.BinaryType(),
        vectors=T.BinaryType(),
    ),
    key=("epoch", "kind", "ids"),
)
VOTES = Table(
    "votes",
    columns("scope string, src bigint, dst bigint, score float, votes boolean"),
    key=("scope", "src", "dst"),
    partition=("scope",),
)
CLUSTERS = Table(
    "clusters",
    _columns(
        scope=T.StringType(),
        face_id=T.LongType(),
        cluster_id=T.LongType(),
        cluster_size=T.LongType(),
        cohesion=T.FloatType(),
        medoid=T.BooleanType(),
        settled=T.BooleanType(),
        attached=T.BooleanType(),
        stability=T.FloatType(),
    ),
    key=("scope", "face_id"),
    partition=("scope",),
)
DECISIONS = Table(
    "decisions",
    _columns(
        image_id=T.LongType(),
        uri=T.StringType(),
        identity=T.StringType(),
        verdict=T.StringType(),
        reasons=_STRINGS,
        face_id=T.LongType(),
        cluster_scope=T.StringType(),
        cluster_id=T.LongType(),
        moved_to=T.StringType(),
        kept_image_id=T.LongType(),
        confidence=T.FloatType(),
        evidence=_EVIDENCE,
        # What the rules alone would make of the image: another verdict than a person's contradicts that.
        proposal=T.StringType(),
    ),
    key=("image_id",),
)
CLEANED = Table(
    "cleaned",
    _columns(
        identity=T.StringType(),
        image_id=T.LongType(),
        face_id=T.LongType(),
        uri=T.StringType(),
        sha256=T.StringType(),
        vector=_FLOATS,
        bytes=T.BinaryType(),
        label=T.IntegerType(),
    ),
    key=("image_id", "face_id"),
    partition=("bucket(identity)",),
)
IDENTITY_LINKS = Table(
    "identity_links",
    columns("identity_a string, identity_b string, cosine float, share float, confidence float, merged boolean"),
    key=("identity_a", "identity_b"),
)
RUNS = Table(
    "runs",
    _columns(
        run=T.StringType(),
        status=T.StringType(),
        started=T.TimestampType(),
        ended=T.TimestampType(),
        before=_SNAPSHOTS,
        after=_SNAPSHOTS,
        record=T.StringType(),
    ),
    key=("run",),
    # A run's row is replaced when it ends; a partition of its own makes that a matter of metadata.
    partition=("run",),
)

CLUSTER_IDS = Table(
    # Of versions of `clusters` that may be expired. No run moves this table, and no undo takes an id out of it.
    "cluster_ids",
    columns("scope string, cluster_id bigint"),
    key=("scope", "cluster_id"),
)

ERASED = Table(
    # What an erasure leaves: keyed hashes (the key is outside the lake), so that an image is not embedded again.
    "erased",
    columns("kind string, hash string, at timestamp, by string, basis string, run string, bands array<string>"),
    key=("kind", "hash"),
)
IDLE = Table(
    # For retention, since versions that tell it may be expired. No run moves this table.
    "idle",
    columns("kind string, image_id bigint, since timestamp"),
    key=("kind", "image_id"),
)

ALL = (LISTING, EMBEDDINGS, REJECTS, EDGES, EPOCHS, VOTES, CLUSTERS, DECISIONS, CLEANED, IDENTITY_LINKS, RUNS)
IN_LAKE = (*ALL, CLUSTER_IDS, ERASED, IDLE)
"""All tables of the namespace; ALL are those that runs move."""


def differences(table: Table, schema: T.StructType) -> list[str]:
    """Say how a schema differs from the declared columns; extra columns are allowed (columns may be added)."""
    actual = {column.name: column.dataType.simpleString() for column in schema}
    messages = []
    for column in table.columns:
        name, expected = f"{table.name}.{column.name}", column.dataType.simpleString()
        if column.name not in actual:
            messages.append(f"{name} is missing (expected {expected})")
        elif actual[column.name] != expected:
            messages.append(f"{name} is {actual[column.name]}, expected {expected}")
    return messages


def conform(frame: DataFrame, table: Table) -> DataFrame:
    """Return `frame` with exactly the declared columns in order.

    Raises ContractError naming every difference in name or type. Wrap the result in the table's NewType.
    """
    messages = differences(table, frame.schema)
    if messages:
        raise ContractError("; ".join(messages))
    return frame.select(*table.columns.names)
