"""Every image with what the page says of it: folder, clusters, what it is about, and how likely that is wrong."""

from __future__ import annotations

from typing import NewType

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from facesieve.assess.report_page.run_tables import RunTables
from facesieve.core.frames import columns
from facesieve.core.reasons import Reason, Verdict

LookedAt = NewType("LookedAt", DataFrame)
"""One row per image, with the columns of LOOKED_AT."""

LOOKED_AT = columns(
    "image_id bigint, uri string, identity string, verdict string, reasons array<string>, face_id bigint, "
    "mode bigint, cluster bigint, moved_to string, kept_image_id bigint, confidence double, nearest_face bigint, "
    "cosine double, margin double, share double, sha256 string, modified string, kind string, wrong double, "
    "judged boolean, main boolean"
)
"""mode: cluster of the scope identity, or of the only scope. cluster: of the scope global; null without that scope.

kind: of `contract.KINDS`. wrong: probability that what became of the image is wrong. judged: a person gave the verdict.
main: the mode is that of most images of the folder.
"""

DISTRUST = 0.05
"""No confidence counts as surer than 0.95: it was calibrated on other data, and a look is what would tell."""
UNDECIDED = 0.5
"""Nobody has decided of a quarantined image, and nothing is known where there is no confidence."""

_POLICY = (Reason.IDENTITY_TOO_SMALL, Reason.OVERLAP, *(Reason.SMALL_BOX, Reason.LOW_CONFIDENCE, Reason.BLURRED))
"""What the configuration asks for, whoever is in the picture."""
_COPIES = (Reason.DUPLICATE, Reason.NEAR_DUPLICATE)
_FLIPS = (Reason.FLIP, Reason.MERGED)
_PLAIN = ("image_id", "uri", "identity", "verdict", "face_id", "moved_to", "kept_image_id")


def looked_at(run: RunTables) -> LookedAt:
    """Join decisions, listing and clusters, and weigh every image. The frame is not persisted."""
    decided = run.decisions.select(
        *_PLAIN,
        F.coalesce("reasons", F.array().cast("array<string>")).alias("reasons"),
        F.col("confidence").cast("double").alias("confidence"),
        F.col("evidence.nearest_face").alias("nearest_face"),
        *(F.col(f"evidence.{name}").cast("double").alias(name) for name in ("cosine", "margin", "share")),
    )
    listed = run.listing.select("image_id", "sha256", _iso("modified").alias("modified"))
    rows = decided.join(listed, "image_id", how="left")
    for name, scope in _scopes(run).items():
        of_scope = run.clusters.where(F.col("scope") == scope).select("face_id", F.col("cluster_id").alias(name))
        rows = rows.join(of_scope, "face_id", how="left")
    absent = F.lit(None).cast("bigint").alias("cluster")
    rows = rows if "cluster" in rows.columns else rows.select("*", absent)
    weighed = rows.withColumns({"kind": kind(), "wrong": wrong(), "judged": is_judged()})
    return LookedAt(_with_main(weighed).select(*LOOKED_AT.names))


def kind() -> Column:
    """Say what a row of `decisions` is about, as one of `contract.KINDS`; a kept image may be an outlier."""
    copies, flips = (_has(*reasons) for reasons in (_COPIES, _FLIPS))
    verdict = F.col("verdict")
    return (
        F.when(verdict == Verdict.FAIL.value, "reject")
        .when(copies & (verdict == Verdict.DROP.value), "duplicate")
        .when(flips | (verdict == Verdict.MOVE.value), "flip")
        .when(verdict == Verdict.QUARANTINE.value, "quarantine")
        .otherwise("outlier")
    )


def wrong() -> Column:
    """Give the probability that what became of an image is wrong, from its verdict, confidence and reasons.

    A kept image is wrong with 1 - confidence. So is one that is moved or dropped, but never less than DISTRUST. A
    quarantined one is withheld wrongly with the confidence that it is its folder's person, and at least UNDECIDED.
    """
    verdict, sure = F.col("verdict"), F.col("confidence")
    # The greatest of several passes over a null, so that it is asked for first.
    removed = F.when(sure.isNotNull(), F.greatest(F.lit(1.0) - sure, F.lit(DISTRUST)))
    unknown = F.when(_has(*_POLICY), DISTRUST).otherwise(UNDECIDED)
    return (
        F.when(verdict == Verdict.FAIL.value, DISTRUST)
        .when(verdict == Verdict.KEEP.value, F.coalesce(F.lit(1.0) - sure, F.lit(0.0)))
        .when(verdict == Verdict.QUARANTINE.value, F.greatest(F.coalesce(sure, F.lit(UNDECIDED)), F.lit(UNDECIDED)))
        .otherwise(F.coalesce(removed, unknown))
    )


def _scopes(run: RunTables) -> dict[str, str]:
    """Column -> scope. Where one scope alone was clustered, folders are seen by its clusters."""
    scopes = run.scopes
    mode = {"mode": "identity" if "identity" in scopes else "global"}
    return mode | ({"cluster": "global"} if "global" in scopes else {})


def _with_main(rows: DataFrame) -> DataFrame:
    sized = rows.where("identity IS NOT NULL AND mode IS NOT NULL").groupBy("identity", "mode").agg(F.count("*"))
    most = Window.partitionBy("identity").orderBy(F.desc("count(1)"), "mode")
    largest = sized.withColumn("place", F.row_number().over(most)).where("place = 1")
    mains = largest.select("identity", F.col("mode").alias("main_mode"))
    joined = rows.join(mains, "identity", how="left")
    return joined.withColumn("main", F.coalesce(F.col("mode") == F.col("main_mode"), F.lit(False)))


def _has(*reasons: Reason) -> Column:
    return F.arrays_overlap("reasons", F.array(*(F.lit(reason.value) for reason in reasons)))


def is_judged() -> Column:
    """Say whether a person gave the verdict of a row with reasons: then that is the first of them."""
    return F.coalesce(F.get(F.col("reasons"), F.lit(0)) == Reason.OVERRIDDEN.value, F.lit(False))


def _iso(name: str) -> Column:
    in_utc = F.to_utc_timestamp(F.col(name), F.current_timezone())
    return F.date_format(in_utc, "yyyy-MM-dd'T'HH:mm:ss'Z'")
