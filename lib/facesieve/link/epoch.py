"""An epoch of linking: what edges are found with, kept beside them, so that a later run only adds and takes away.

Thresholds, pivots and probes depend on the heap. Within an epoch they stand still, so that the edges after any number
of additions and removals are those of one full join with the same settings. A new epoch begins when the heap has
doubled or shrunk by half, when the configuration or the model changed, and with `--full`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.errors import ContractError
from facesieve.core.tables import EPOCHS, Epochs, conform
from facesieve.lake.run import Stage
from facesieve.lake.source_digest import code_digest
from facesieve.link.edges import Routing

SETTINGS, FACES = "settings", "faces"

GROWN = 2.0
"""An epoch ends when the heap has this many times the faces it began with, or one part in this many of them."""


@dataclass(frozen=True)
class Epoch:
    """What the edges of one epoch are found with.

    name: the run that began it. made_of: digest of the configuration. faces: their number when it began. cosines: link
    cosine by scope. routing: the heap's cells. told: facts for the ledger that hold as
    long as the epoch: the forecast of impostors, the recall of its full join.
    """

    name: str
    made_of: str
    faces: int
    cosines: Mapping[str, float]
    routing: Routing
    told: Mapping[str, Any] = field(default_factory=dict)

    def lasts(self, faces: int) -> bool:
        """Say whether the epoch still holds for so many faces."""
        return self.faces / GROWN < faces < self.faces * GROWN


def digest(made_of: Mapping[str, Any]) -> str:
    """Name everything that the edges depend on but the faces."""
    text = json.dumps({"code": code_digest("link"), **made_of}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def standing(stage: Stage, made_of: str) -> Epoch | None:
    """Return the epoch that the lake's edges belong to, if this run may go on in it."""
    edges, epochs = (stage.since[table.name] for table in (tables.EDGES, EPOCHS))
    if stage.run.full or not epochs.key or edges.inputs.get(EPOCHS.name) != epochs.id:
        return None
    try:
        rows = stage.former(EPOCHS).where(F.col("kind") == SETTINGS).collect()
    except (Py4JJavaError, PySparkException) as problem:  # a file of the table is gone: it is but a cache
        stage.run.warn(f"link: the table epochs cannot be read ({type(problem).__name__}): all faces are joined anew")
        return None
    epoch = _epoch(rows[0]) if len(rows) == 1 else None
    return epoch if epoch is not None and epoch.made_of == made_of else None


def linked(stage: Stage) -> Epoch:
    """Return the epoch of the edges that a later stage reads.

    Raises ContractError if the table tells of none.
    """
    rows = stage.read(EPOCHS).where(F.col("kind") == SETTINGS).collect()
    if len(rows) != 1:
        raise ContractError(f"the table epochs has {len(rows)} rows of settings, not one. Run once more with --full.")
    return _epoch(rows[0])


def _epoch(row: Row) -> Epoch:
    told = json.loads(row.settings)
    pivots = np.frombuffer(row.pivots, np.float32).reshape(-1, told["dimension"]) if row.pivots else None
    routing = Routing(pivots, told["probes"], told["margin"])
    return Epoch(row.epoch, told["made_of"], told["faces"], told["cosines"], routing, told["told"])


def settings_row(epoch: Epoch, stage: Stage) -> Epochs:
    """Return the row that says what the epoch's edges are found with."""
    pivots, routing = epoch.routing.pivots, epoch.routing
    told = {
        "made_of": epoch.made_of,
        "faces": epoch.faces,
        "cosines": dict(epoch.cosines),
        "probes": routing.probes,
        "margin": routing.margin,
        "told": dict(epoch.told),
        "dimension": 0 if pivots is None else pivots.shape[1],
    }
    packed = None if pivots is None else bytearray(np.ascontiguousarray(pivots).tobytes())
    row = (epoch.name, SETTINGS, json.dumps(told, sort_keys=True), packed, None, None, None, None, None)
    return Epochs(stage.run.spark.createDataFrame([row], EPOCHS.columns))


def faces_rows(epoch: Epoch, routed: DataFrame) -> Epochs:
    """Return rows that hold the epoch's faces, from routed ones."""
    named = routed.withColumns(
        {
            "epoch": F.lit(epoch.name),
            "kind": F.lit(FACES),
            "settings": F.lit(None).cast("string"),
            "pivots": F.lit(None).cast("binary"),
        }
    )
    return Epochs(conform(named, EPOCHS))
