"""What `decide.min_faces` costs: folders whose largest cluster is too small, why it is, and how much is published."""

from __future__ import annotations

from functools import partial
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core import sections
from facesieve.core.console import count
from facesieve.core.reasons import PUBLISHED, Reason, is_published
from facesieve.core.side_by_side import side_by_side
from facesieve.decide.rules import RULES, TOO_SMALL
from facesieve.decide.verdicts import DecidedImages
from facesieve.lake.decide_records import DecideRecord, FolderRecord

_ENOUGH = 0.5
"""Share of the images with an identity below which what is published is told."""


def folder_record(decided: DecidedImages, settings: sections.Decide) -> FolderRecord:
    """Count the folders, and those whose largest cluster has fewer than `decide.min_faces` images by the cause.

    The first cause that holds counts. Of `decide.min_faces` = 5:

        images of a folder                          cause
        4                                           few: so it was given
        5, of them 1 without a face                 faceless
        9, of them 1 without a face and 4 copies    copies
        9, in clusters of 4, 3 and 2                split
    """
    named = decided.where(F.col("identity").isNotNull())
    sizes = named.groupBy("identity").agg(*_sizes())
    small, least = F.col("small") > 0, settings.min_faces
    whole = F.col("images") - F.col("faceless")
    few = F.col("images") < least
    faceless = ~few & (whole < least)
    copies = ~few & ~faceless & (whole - F.col("copies") < least)
    causes = {"few": few, "faceless": faceless, "copies": copies, "split": ~few & ~faceless & ~copies}
    counts = [F.count_if(small & cause).alias(name) for name, cause in causes.items()]
    totals = sizes.agg(*_totals(small), *counts)
    both: list[Any] = side_by_side(named.sparkSession, totals.collect, partial(_most_frequent_reason, named))
    (row,), (reason, images) = both
    return FolderRecord(reason=reason, reason_images=images, **row.asDict())


def shrinkage(record: DecideRecord, settings: sections.Decide) -> list[str]:
    """Say what a person should know of how little is published, and of folders that are too small; a list of warnings.

    record: with the counts of the reconciliation.
    """
    folders, least = record.folders, f"decide.min_faces = {settings.min_faces}"
    if folders is None or not folders.images:
        published = sum(record.verdicts.get(verdict, 0) for verdict in PUBLISHED)
        if published or not record.listed:
            return []
        need = f"an image without an identity needs a cluster of {least} images"
        return [f"none of {count(record.listed)} images would be published: {need}"]
    warnings = [_little(folders, least)] if folders.published < _ENOUGH * folders.images else []
    if folders.small:
        warnings.append(_small(folders, least, settings.small_folders))
    if folders.copies:
        only = f"{count(folders.copies)} folders are below {least} only because copies count once"
        warnings.append(f'{only} (frames of a clip, say): decide.small_folders = "keep" keeps the best image of each')
    return warnings


def _sizes() -> list[Column]:
    copy = F.col("reason").isin(Reason.DUPLICATE.value, Reason.NEAR_DUPLICATE.value)
    return [
        F.count("*").alias("images"),
        F.count_if(F.col("face_id").isNull()).alias("faceless"),
        F.count_if(copy).alias("copies"),
        F.count_if(F.col("rule") == RULES.index(TOO_SMALL)).alias("small"),
        F.count_if(is_published(F.col("verdict"))).alias("published"),
    ]


def _totals(small: Column) -> list[Column]:
    return [
        F.coalesce(F.sum("images"), F.lit(0)).alias("images"),
        F.coalesce(F.sum("published"), F.lit(0)).alias("published"),
        F.coalesce(F.median("images"), F.lit(0.0)).alias("median"),
        F.count_if(small).alias("small"),
        F.coalesce(F.sum("small"), F.lit(0)).alias("small_images"),
    ]


def _most_frequent_reason(named: DataFrame) -> tuple[str | None, int]:
    """The first reason of most images that are not published, and their number."""
    unpublished = named.where(~is_published(F.col("verdict")) & F.col("reason").isNotNull())
    rows = unpublished.groupBy("reason").count().orderBy(F.desc("count"), "reason").limit(1).collect()
    return (rows[0][0], rows[0][1]) if rows else (None, 0)


def _little(folders: FolderRecord, least: str) -> str:
    published = f"{count(folders.published)} of {count(folders.images)} images with an identity would be published"
    size = f"the median folder has {folders.median:g} images, and {least}"
    if folders.reason == Reason.IDENTITY_TOO_SMALL.value:
        fix = 'lower decide.min_faces, or set decide.small_folders = "keep"'
    else:
        fix = f"most often the reason is {folders.reason} ({count(folders.reason_images)} images), see table decisions"
    return f"{published}: {size}; {fix}"


def _small(folders: FolderRecord, least: str, verdict: str) -> str:
    parts = {
        "hold fewer images": folders.few,
        "only because of images that give no face": folders.faceless,
        "only because copies count once": folders.copies,
        "fall into several clusters": folders.split,
    }
    why = ", ".join(f"{count(number)} {cause}" for cause, number in parts.items() if number)
    size = f"{count(folders.small)} folders have no cluster of {least} images ({why})"
    return f"{size}: decide.small_folders = {verdict} takes {count(folders.small_images)} images out"
