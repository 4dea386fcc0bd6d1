"""link: which pairs of faces are close enough to be the same person. embeddings -> edges."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from typing import Any

from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.frames import broadcast_if_few, follow_rows
from facesieve.faces.blocks import ListedFaces
from facesieve.lake.records import LinkRecord
from facesieve.lake.run import Run, Stage
from facesieve.link.collection import LINE_FACES, Collection, collection, impostor_line
from facesieve.link.epoch import Epoch, current, digest, if_readable
from facesieve.link.full_join import join
from facesieve.link.incremental_join import extend, increment
from facesieve.link.kernels.impostor_line import Line
from facesieve.link.routing import ONE_CELL
from facesieve.link.threshold_check import Forecast, cosines, forecast

_log = logging.getLogger(__name__)


def link(run: Run) -> None:
    """Join faces that are similar enough, in a folder or in the whole collection, and measure the recall."""
    made_of = _made_of(run)
    stage = run.stage("link", (tables.EDGES, tables.EPOCHS), (tables.LISTING, tables.EMBEDDINGS), **made_of)
    if stage.reuse():
        _judge_reused(stage)
        faces_linked = stage.earlier.rows_in if stage.earlier else None
        stage.done(stage.reused(faces_linked, stage.count(tables.EDGES)))
        return
    rows = stage.count(tables.EMBEDDINGS)
    follow_rows(run.spark, rows, rows * min(rows, run.config.link.max_neighbours))
    faces = faces_of(stage)
    former = if_readable(stage, lambda: current(stage, digest(made_of)))
    record = _extended(stage, faces, former) or _joined(stage, faces, former, digest(made_of))
    _log.info("link: " + ", ".join(f"{scope} at cosine {cosine:.4f}" for scope, cosine in record.cosines.items()))
    stage.done(record)


def faces_of(stage: Stage) -> ListedFaces:
    """Return face_id, image_id, identity and vector of the run's faces whose images are in the listing.

    With `embed.faces` auto an image without an identity is there with its largest face alone.
    """
    listed = stage.read(tables.LISTING).select("image_id", "identity")
    few = broadcast_if_few(listed, stage.count(tables.LISTING))  # else every vector would be shuffled
    faces = stage.of_model(tables.EMBEDDINGS).join(few, "image_id", "inner")
    if stage.run.config.embed.faces == "auto":
        faces = faces.where(F.col("identity").isNotNull() | (F.coalesce("face_rank", F.lit(0)) == 0))
    return ListedFaces(faces.select("face_id", "image_id", "identity", "vector"))


def _made_of(run: Run) -> dict[str, Any]:
    """What the edges depend on but the faces; `link.force` changes no edge."""
    profile = run.profile
    # Auto leaves out faces that are embedded; the settings that do not are as they always were.
    faces = {"faces": "auto"} if run.config.embed.faces == "auto" else {}
    return faces | {
        "link": asdict(replace(run.config.link, force=False)),
        "model": run.model,
        "calibration": [asdict(part) for part in (profile.impostor, profile.identity, profile.genuine) if part],
    }


def _extended(stage: Stage, faces: ListedFaces, former: Epoch | None) -> LinkRecord | None:
    """Go on in the lake's epoch by what has changed; None if there is no such epoch, or too much has changed."""
    if former is None:
        return None
    change = if_readable(stage, lambda: increment(stage, faces, former))
    if change is None:
        return None
    _judge_epoch(stage.run, former)
    return if_readable(stage, lambda: extend(stage, former, change))


def _joined(stage: Stage, faces: ListedFaces, former: Epoch | None, made_of: str) -> LinkRecord:
    """Join all faces, in the lake's epoch if that lasts, else in a new one."""
    every = collection(faces, stage.run.profile.dimension)
    if former is not None and former.lasts(every.total):
        _judge_epoch(stage.run, former)
        record = join(stage, every, former, begins=False)
    else:
        record = join(stage, every, _new_epoch(stage.run, every, made_of), begins=True)
    every.blocks.unpersist()
    return record


def _new_epoch(run: Run, every: Collection, made_of: str) -> Epoch:
    """Fix the link cosines and judge them by the profile and by the collection's own impostor line."""
    by_scope, facts = cosines(run.config.link, run.profile, every.total), dict[str, Any]()
    if "global" in by_scope:
        expected = _judge(run, by_scope["global"], every.total, _impostor_line(every))
        facts["false_matches"] = expected.record().to_json()
    return Epoch(run.name, made_of, every.total, by_scope, ONE_CELL, facts)


def _impostor_line(every: Collection) -> Line | None:
    line = impostor_line(every.last_sampled(LINE_FACES))
    if line is None:
        _log.info("link global: too few faces or people to estimate the impostor line: the profile's is taken alone")
    return line


def _judge_epoch(run: Run, epoch: Epoch) -> None:
    """Judge the link cosine of an epoch that goes on: a run with `link.force` may have begun it."""
    if "global" in epoch.cosines:
        _judge(run, epoch.cosines["global"], epoch.faces, None)


def _judge_reused(stage: Stage) -> None:
    """Let edges be reused only if this run may make them: a run with `link.force` may have made them."""
    earlier = stage.earlier
    if isinstance(earlier, LinkRecord) and "global" in earlier.cosines and earlier.rows_in:
        _judge(stage.run, earlier.cosines["global"], earlier.rows_in, None)


def _judge(run: Run, cosine: float, faces: int, line: Line | None) -> Forecast:
    """Warn of what a link cosine is expected to do, or refuse."""
    expected = forecast(cosine, run.config.link, run.profile, faces, line)
    for text in expected.warnings:
        if text not in run.ledger.warnings:  # judged before, where a file of the epoch was gone
            run.warn(text)
    return expected
