"""A finished run over a lake of `scale_lake`, without the step decide: every image gets the verdict of what it shows.

A lake that is not there is drawn first, without edges.

    python tests/bench/drawn_run.py LAKE IMAGES [ONE]

Copies are dropped, flips are moved, impostors are dropped as outliers, and all else is kept. Confidences are drawn. The
first ONE images are in one folder; their clusters stay those of twenty images.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import folders_at_scale as at_scale
import numpy as np
import pyarrow as pa
import scale_lake
from bench_environment import CONFIG
from folders_at_scale import PER_FOLDER, Flags, Folders, Numbers
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from synthetic import face_ids

from facesieve.core import config, tables
from facesieve.core.reasons import Reason, Verdict
from facesieve.lake import session
from facesieve.lake.catalog import Lake, Stamp

LARGEST, RUN = "everybody", "drawn"
_CONFIDENCES = 9


def main(root: Path, images: int, one: int) -> None:
    """Write the decisions, the listing where folders change, no identity links, and a row of the ledger."""
    if not (root / "faces" / "listing").exists():
        scale_lake.main(root, images, edges=False)
    asked = config.load(CONFIG, (), [f"{key}={value}" for key, value in scale_lake.settings(root).items()])
    spark = session.start(asked.lake)
    folders, lake = Folders(max(2, images // PER_FOLDER)), Lake(spark, asked.lake)
    listed = lake.read(tables.LISTING, lake.snapshot(tables.LISTING)).drop("identity")
    named = F.when(_number() < one, LARGEST).otherwise(F.substring_index("uri", "/", 1))
    frames = {
        tables.DECISIONS: scale_lake.frame(spark, folders, tables.DECISIONS, partial(_decisions, folders, one)),
        tables.LISTING: listed.withColumn("identity", named).select(*tables.LISTING.columns.names),
        tables.IDENTITY_LINKS: spark.createDataFrame([], tables.IDENTITY_LINKS.columns),
    }
    for table, rows in frames.items():
        lake.overwrite(table, rows, Stamp(RUN, f"drawn {one}", {}), lake.open(table))
    _finish(spark, lake, one)
    session.clear_scratch(spark)


def _number() -> Any:
    """Return the number of an image as its uri tells it."""
    folder, place = F.split("uri", "[-/.]")[1], F.split("uri", "[-/.]")[2]
    return folder.cast("bigint") * PER_FOLDER + place.cast("bigint")


class _Ruled(NamedTuple):
    """Verdict and reason of each image of a block (no reason for those that are kept), and which are moved, copies."""

    verdicts: list[str]
    reasons: list[list[str]]
    moved: Flags
    copies: Flags


def _ruled(folders: Folders, numbers: Numbers) -> _Ruled:
    people, home = folders.people[numbers], folders.owners[numbers // PER_FOLDER]
    copies, strangers = folders.copies[numbers] | folders.near_copies[numbers], people >= folders.folders
    moved = (people < folders.folders) & (people != home) & ~copies
    verdicts: list[str] = []
    reasons: list[list[str]] = []
    for copy, move, stranger in zip(copies, moved, strangers, strict=True):
        reason = Reason.DUPLICATE if copy else Reason.FLIP if move else Reason.OUTLIER if stranger else None
        verdict = Verdict.KEEP if reason is None else Verdict.MOVE if reason is Reason.FLIP else Verdict.DROP
        verdicts.append(verdict.value)
        reasons.append([] if reason is None else [reason.value])
    return _Ruled(verdicts, reasons, moved, copies)


def _decisions(folders: Folders, one: int, block: range) -> Iterator[dict[str, Any]]:
    numbers = np.arange(block.start * PER_FOLDER, block.stop * PER_FOLDER)
    ruled, faces = _ruled(folders, numbers), at_scale.faces(numbers)
    named = [f"person-{number // PER_FOLDER:07d}" for number in numbers.tolist()]
    people = [f"person-{person:07d}" for person in folders.people[numbers].tolist()]
    confidence = np.random.default_rng((folders.seed, _CONFIDENCES, block.start)).beta(30, 1, len(numbers))
    yield {
        "image_id": face_ids(numbers),
        "uri": pa.array([f"{name}/{n % PER_FOLDER:02d}.jpg" for name, n in zip(named, numbers.tolist(), strict=True)]),
        "identity": pa.array([LARGEST if n < one else name for name, n in zip(named, numbers.tolist(), strict=True)]),
        "verdict": pa.array(ruled.verdicts),
        "reasons": pa.array(ruled.reasons, pa.list_(pa.string())),
        "face_id": faces,
        "cluster_scope": pa.array(["identity"] * len(numbers)),
        "cluster_id": folders.clusters("identity")[0][numbers],
        "moved_to": pa.array(people, mask=~ruled.moved),
        "kept_image_id": pa.array(face_ids(numbers - 1), mask=~ruled.copies),
        "confidence": confidence.astype(np.float32),
        "evidence": _evidence(np.roll(faces, 1), len(numbers)),
        "proposal": pa.array(ruled.verdicts),
    }


def _evidence(nearest: Numbers, count: int) -> pa.StructArray:
    columns = [pa.array(nearest), *(pa.array(np.full(count, value, np.float32)) for value in (0.8, 0.9, 0.2))]
    return pa.StructArray.from_arrays(columns, ["nearest_face", "cosine", "share", "margin"])


def _finish(spark: SparkSession, lake: Lake, one: int) -> None:
    lake.open(tables.RUNS)
    of_run = (table for table in tables.IN_LAKE if table is not tables.RUNS)
    after = {table.name: at.id for table in of_run if (at := lake.current(table))}
    now, name = datetime.now(UTC), f"{RUN}-{one}"
    link = {"cosines": {"identity": at_scale.FOLDER_LINK, "global": at_scale.LINK}}
    record = {"run": name, "started": now.isoformat(), "ended": now.isoformat(), "stages": {"link": link}}
    row: tuple[Any, ...] = (name, "done", now, now, {}, after, json.dumps(record | {"status": "done", "after": after}))
    lake.put_row(tables.RUNS, spark.createDataFrame([row], tables.RUNS.columns), "run", name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
