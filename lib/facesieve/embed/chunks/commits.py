"""Images embedded chunk by chunk: each chunk is committed, so that a run that dies loses no more than one."""

from __future__ import annotations

import math

from facesieve.core import tables
from facesieve.core.console import Progress, count
from facesieve.core.sections import VECTORS
from facesieve.embed import embeddings as faces_of
from facesieve.embed.chunks.accounts import Accounts, accounts
from facesieve.embed.chunks.erased import tombstones
from facesieve.embed.chunks.vectors import Basis
from facesieve.embed.embeddings import Outcomes, ToEmbed
from facesieve.embed.spread import chunk_of
from facesieve.embed.worker import Plan
from facesieve.images.protocol import Source
from facesieve.images.sources import archives_of
from facesieve.images.vectors.vector_set import VectorSet
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
    progress, every = Progress("embed", total), Accounts()
    for chunk in range(chunks):
        mine = ToEmbed(rows.where(chunk_of(archives, chunks) == chunk))
        new = not whole and chunks == 1
        if new and isinstance(plan, Basis) and isinstance(images, VectorSet) and total == images.rows():
            outcomes = faces_of.scaled_where_read(images, run.spark, plan)
        else:
            outcomes = faces_of.embedded(mine, plan)
        sent = total if chunks == 1 else mine.count()
        every = every.plus(accounts(sent, outcomes))
        last = whole and chunk == chunks - 1
        commit(stage, outcomes, "unread" if last and every.unread else "" if last else f"{chunk + 1}/{chunks}")
        if sent:
            progress.step(sent)
        outcomes.unpersist()
    if every.scaled:
        scaled = f"{count(every.scaled)} of {count(total)}"
        run.warn(f"embed: {scaled} vectors were not of unit length, and were scaled to it")
    return every.unread


def _plan(run: Run, images: Source, archives: int) -> tuple[Plan | Basis, int]:
    """Return what workers need, and how many images a commit has: vectors take no time that could be lost."""
    embed, erased = run.config.embed, tombstones(run.lake, run.config.erase.key_file)
    if run.config.images.format == VECTORS:
        return Basis(run.profile.dimension, run.model, erased), max(embed.chunk_images, _VECTORS_AT_ONCE)
    fetch = None if images.carries_content else images.fetch()
    return Plan(run.profile, embed, run.model, fetch, archives=archives, erased=erased), embed.chunk_images


def commit(stage: Stage, outcomes: Outcomes, part: str) -> None:
    """Commit the faces and the rejects of one chunk; `part` marks a chunk that does not complete the stage."""
    stage.append(tables.EMBEDDINGS, faces_of.embeddings(outcomes), part)
    stage.append(tables.REJECTS, faces_of.rejects(outcomes), part)
