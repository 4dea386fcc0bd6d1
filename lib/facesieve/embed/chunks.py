"""Images embedded chunk by chunk: each chunk is committed, so that a run that dies loses no more than one."""

from __future__ import annotations

import math
from typing import NamedTuple

from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import Progress, count
from facesieve.core.errors import InvariantError
from facesieve.core.sections import VECTORS
from facesieve.embed import embeddings as faces_of
from facesieve.embed.embeddings import Outcomes, ToEmbed
from facesieve.embed.spread import chunk_of
from facesieve.embed.vectors import Basis, is_scaled
from facesieve.embed.worker import Plan
from facesieve.images.protocol import Source
from facesieve.images.sources import archives_of
from facesieve.lake.run import Run, Stage

_VECTORS_AT_ONCE = 5_000_000
"""Vectors without images of one commit, at least."""


def embed_chunks(stage: Stage, rows: ToEmbed, images: Source, total: int, *, whole: bool) -> int:
    """Embed images, one commit per chunk; return how many were unread.

    whole: these images complete the stage, so that the last commit bears its key, unless images were unread.
    """
    run = stage.run
    archives = archives_of(images, run.spark)
    plan, most = _plan(run, images, archives)
    chunks = max(1, math.ceil(total / most))
    progress, unread, scaled = Progress("embed", total), 0, 0
    for chunk in range(chunks):
        mine = ToEmbed(rows.where(chunk_of(archives, chunks) == chunk))
        outcomes = faces_of.embedded(mine, plan)
        sent = total if chunks == 1 else mine.count()
        accounts = _accounted(sent, outcomes)
        unread, scaled = unread + accounts.unread, scaled + accounts.scaled
        last = whole and chunk == chunks - 1
        commit(stage, outcomes, "unread" if last and unread else "" if last else f"{chunk + 1}/{chunks}")
        if sent:
            progress.step(sent)
        outcomes.unpersist()
    if scaled:
        run.warn(f"embed: {count(scaled)} of {count(total)} vectors were not of unit length, and were scaled to it")
    return unread


def _plan(run: Run, images: Source, archives: int) -> tuple[Plan | Basis, int]:
    """Return what workers need, and how many images a commit has: vectors take no time that could be lost."""
    embed = run.config.embed
    if run.config.images.format == VECTORS:
        return Basis(run.profile.dimension, run.model), max(embed.chunk_images, _VECTORS_AT_ONCE)
    fetch = None if images.carries_content else images.fetch()
    return Plan(run.profile, embed, run.model, fetch, archives=archives), embed.chunk_images


def commit(stage: Stage, outcomes: Outcomes, part: str) -> None:
    """Commit the faces and the rejects of one chunk; `part` marks a chunk that does not complete the stage."""
    stage.append(tables.EMBEDDINGS, faces_of.embeddings(outcomes), part)
    stage.append(tables.REJECTS, faces_of.rejects(outcomes), part)


class _Accounts(NamedTuple):
    """How many images of a chunk were unread, and how many vectors were scaled."""

    unread: int
    scaled: int


def _accounted(sent: int, outcomes: Outcomes) -> _Accounts:
    """Check that all images of a chunk came back from the workers."""
    counts = F.count_distinct("uri"), F.count_if(faces_of.is_unread()), F.count_if(is_scaled())
    returned, unread, scaled = outcomes.agg(*counts).collect()[0]
    if sent != returned:
        raise InvariantError(f"embed: {sent} images were given to the workers, {returned} came back")
    return _Accounts(int(unread), int(scaled))
