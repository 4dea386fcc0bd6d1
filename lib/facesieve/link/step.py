"""link: which pairs of faces are close enough to be one person. embeddings -> edges."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from py4j.protocol import Py4JJavaError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.faces.blocks import NO_IDENTITY, inventory, packed, refuse_double_ids, sample
from facesieve.lake.records import LinkRecord
from facesieve.lake.run import Run, Stage
from facesieve.link.epoch import Epoch, digest, standing
from facesieve.link.full_join import Heap, Known, begin, join, sample_size
from facesieve.link.incremental_join import extend
from facesieve.link.kernels.impostor_line import Line, estimate
from facesieve.link.layout import ONE_CELL
from facesieve.link.threshold_check import Forecast, cosines, forecast

_log = logging.getLogger(__name__)

_BROADCAST_IMAGES = 2_000_000
"""Images up to which the listing is sent to every executor (some 100 MB): else every vector would be shuffled."""

_LINE_FACES = 3_000
_MEASURED = ("recall", "recall_low", "recall_high", "lsh_recall")
_FACTS = ("cells", "candidates", *_MEASURED, "false_matches", "new", "gone", "capped")
"""What the ledger always names; null where a run does not tell."""


def link(run: Run) -> None:
    """Join faces that are similar enough, in one folder or in the whole heap, and measure the recall."""
    settings, profile = run.config.link, run.profile
    made_of = {
        "link": asdict(replace(settings, force=False)),
        "model": run.model,
        "calibration": [asdict(part) for part in (profile.impostor, profile.identity, profile.genuine) if part],
    }
    stage = run.stage("link", (tables.EDGES, tables.EPOCHS), (tables.LISTING, tables.EMBEDDINGS), **made_of)
    if stage.reuse():
        _judge_again(stage)
        faces_linked = stage.earlier.rows_in if stage.earlier else None
        stage.done(stage.reused(faces_linked, stage.read(tables.EDGES).count()))
        return
    faces = faces_of(stage)
    facts = _joined(stage, faces, digest(made_of))
    stage.done(facts.pop("faces"), facts["edges"], reused=False, **facts)


def faces_of(stage: Stage) -> DataFrame:
    """Return face_id, image_id, identity and vector of the run's faces whose images are in the listing."""
    listed = stage.read(tables.LISTING).select("image_id", "identity")
    if listed.count() <= _BROADCAST_IMAGES:
        listed = F.broadcast(listed)
    embedded = stage.of_model(tables.EMBEDDINGS)
    return embedded.join(listed, "image_id", "inner").select("face_id", "image_id", "identity", "vector")


def _joined(stage: Stage, faces: DataFrame, made_of: str) -> dict[str, Any]:
    """Go on in the lake's epoch if there is one that holds, by what has changed or in full; else begin another."""
    epoch = standing(stage, made_of)
    if epoch is not None and "global" in epoch.cosines:
        _warn(stage.run, epoch.cosines["global"], epoch.faces, None)
    facts = _extended(stage, faces, epoch) if epoch is not None else None
    if epoch is None or facts is None:
        epoch, facts = _full(stage, faces, epoch, made_of)
    _log.info("link: " + ", ".join(f"{scope} at cosine {cosine:.4f}" for scope, cosine in epoch.cosines.items()))
    return dict.fromkeys(_FACTS) | {"epoch": epoch.name, "cosines": dict(epoch.cosines)} | facts


def _extended(stage: Stage, faces: DataFrame, epoch: Epoch) -> dict[str, Any] | None:
    try:
        return extend(stage, faces, epoch)
    except (Py4JJavaError, PySparkException) as problem:
        if "FileNotFound" not in str(problem) and "NotFoundException" not in str(problem):
            raise
        stage.run.warn("link: a file of the tables epochs or edges is gone: all faces are joined anew")
        return None


def _full(stage: Stage, faces: DataFrame, epoch: Epoch | None, made_of: str) -> tuple[Epoch, dict[str, Any]]:
    refuse_double_ids(faces)
    rows = packed(faces).persist(StorageLevel.DISK_ONLY)
    total = inventory(rows, stage.run.profile.dimension)
    heap = Heap(faces, rows, total, sample(rows, sample_size(total), 0, total))
    known = None
    if epoch is None or not epoch.lasts(total):
        asked = cosines(stage.run.config.link, stage.run.profile, total)
        foreseen = _foreseen(stage.run, heap, asked["global"]) if "global" in asked else {}
        epoch, known = begin(stage, heap, Epoch(stage.run.name, made_of, total, asked, ONE_CELL, foreseen))
    elif "global" in epoch.cosines and epoch.routing.pivots is not None:
        known = Known(heap, epoch.cosines["global"])
    epoch, facts = join(stage, heap, epoch, known)
    rows.unpersist()
    return epoch, facts | {"faces": total}


def _foreseen(run: Run, heap: Heap, cosine: float) -> dict[str, Any]:
    """Compare the impostor line of this heap with the profile's, warn of what it forecasts, or refuse."""
    few = heap.known(_LINE_FACES)
    people = np.unique(few.codes, return_inverse=True)[1].astype(np.int64)
    people[few.codes == NO_IDENTITY] = -1
    line = estimate(few.vectors, people)
    if line is None:
        _log.info("link global: too few faces or people to estimate the impostor line: the profile's is taken alone")
    return {"false_matches": _warn(run, cosine, heap.total, line).record()}


def _judge_again(stage: Stage) -> None:
    """Let edges be reused only if this run may make them: a run with `link.force` may have made them."""
    earlier = stage.earlier
    if isinstance(earlier, LinkRecord) and "global" in earlier.cosines and earlier.rows_in:
        _warn(stage.run, earlier.cosines["global"], earlier.rows_in, None)


def _warn(run: Run, cosine: float, faces: int, line: Line | None) -> Forecast:
    """Warn of what a link cosine is expected to do, or refuse: also in an epoch that a run with `link.force` began."""
    made = forecast(cosine, run.config.link, run.profile, faces, line)
    for text in made.warnings:
        run.warn(text)
    return made
