"""An epoch of linking: what edges are found with, stored beside them, so that a later run only adds and takes away.

Thresholds, pivots and probes depend on the collection. Within an epoch they stand still. So the edges after any number
of additions and removals are those of a full join with the same settings. A new epoch begins when the collection has
doubled or shrunk by half, when the configuration or the model changed, and with `--full`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import Row
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.errors import ContractError
from facesieve.core.tables import EPOCHS, Epochs, conform
from facesieve.lake.records import LinkRecord
from facesieve.lake.run import Stage
from facesieve.lake.source_digest import code_digest
from facesieve.link.routing import ROUTED_BLOCKS, RoutedBlocks, Routing

Result = TypeVar("Result")

_SETTINGS, _FACES = "settings", "faces"

GROWN = 2.0
"""An epoch ends when the collection has this many times the faces it began with, or a part in this many of them."""

_UNREADABLE = ("FileNotFound", "NotFoundException", "is not a Parquet file")


@dataclass(frozen=True)
class Epoch:
    """What the edges of an epoch are found with.

    name: the run that began it. made_of: digest of the configuration. faces: their number when it began. cosines: link
    cosine by scope. routing: the cells of scope `global`. facts: what the ledger names as long as the epoch lasts: the
    forecast of false matches, the recall of its full join.
    """

    name: str
    made_of: str
    faces: int
    cosines: Mapping[str, float]
    routing: Routing
    facts: Mapping[str, Any] = field(default_factory=dict)

    def lasts(self, faces: int) -> bool:
        """Say whether the epoch still holds for so many faces."""
        return self.faces / GROWN < faces < self.faces * GROWN

    def record(self, faces: int, edges: int) -> LinkRecord:
        """Begin the ledger's record of a run that has linked so many faces in this epoch."""
        begun = LinkRecord.from_json({**self.facts, "epoch": self.name, "cosines": dict(self.cosines)})
        return replace(begun, probes=self.routing.probes, rows_in=faces, rows_out=edges, edges=edges)


def digest(made_of: Mapping[str, Any]) -> str:
    """Name everything that the edges depend on but the faces."""
    text = json.dumps({"code": code_digest("link"), **made_of}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def if_readable(stage: Stage, work: Callable[[], Result]) -> Result | None:
    """Do what reads the tables epochs and edges; None, with a warning, if a file of theirs is gone or no file."""
    try:
        return work()
    except (Py4JJavaError, PySparkException) as problem:
        if not any(sign in str(problem) for sign in _UNREADABLE):
            raise
        stage.run.warn("link: a file of the tables epochs or edges cannot be read: all faces are joined anew")
        return None


def current(stage: Stage, made_of: str) -> Epoch | None:
    """Return the epoch that the lake's edges belong to, if this run may go on in it."""
    edges, epochs = (stage.since[table.name] for table in (tables.EDGES, EPOCHS))
    if stage.run.full or not epochs.key or edges.inputs.get(EPOCHS.name) != epochs.version:
        return None
    rows = stage.former(EPOCHS).where(F.col("kind") == _SETTINGS).collect()
    epoch = _epoch(rows[0]) if len(rows) == 1 else None
    return epoch if epoch is not None and epoch.made_of == made_of else None


def linked(stage: Stage) -> Epoch:
    """Return the epoch of the edges that a later stage reads.

    Raises ContractError if the table has none.
    """
    rows = stage.read(EPOCHS).where(F.col("kind") == _SETTINGS).collect()
    if len(rows) != 1:
        raise ContractError(f"the table epochs has {len(rows)} rows of settings, not one. Run once more with --full.")
    return _epoch(rows[0])


def _epoch(row: Row) -> Epoch:
    settings = json.loads(row.settings)
    pivots = np.frombuffer(row.pivots, np.float32).reshape(-1, settings["dimension"]) if row.pivots else None
    routing = Routing(pivots, settings["probes"], settings["margin"])
    return Epoch(row.epoch, settings["made_of"], settings["faces"], settings["cosines"], routing, settings["told"])


def settings_row(epoch: Epoch, stage: Stage) -> Epochs:
    """Return the row that says what the epoch's edges are found with."""
    pivots, routing = epoch.routing.pivots, epoch.routing
    settings = {
        "made_of": epoch.made_of,
        "faces": epoch.faces,
        "cosines": dict(epoch.cosines),
        "probes": routing.probes,
        "margin": routing.margin,
        "told": dict(epoch.facts),
        "dimension": 0 if pivots is None else pivots.shape[1],
    }
    content = None if pivots is None else bytearray(np.ascontiguousarray(pivots).tobytes())
    row = (epoch.name, _SETTINGS, json.dumps(settings, sort_keys=True), content, None, None, None, None, None)
    return Epochs(stage.run.spark.createDataFrame([row], EPOCHS.columns))


def stored_faces(epochs: Epochs) -> RoutedBlocks:
    """Return the faces that the table holds."""
    return RoutedBlocks(epochs.where(F.col("kind") == _FACES).select(*ROUTED_BLOCKS.names))


def faces_rows(epoch: Epoch, routed: RoutedBlocks) -> Epochs:
    """Return the rows that hold the epoch's faces."""
    named = routed.withColumns(
        {
            "epoch": F.lit(epoch.name),
            "kind": F.lit(_FACES),
            "settings": F.lit(None).cast("string"),
            "pivots": F.lit(None).cast("binary"),
        }
    )
    return Epochs(conform(named, EPOCHS))
