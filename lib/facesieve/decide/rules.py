"""The rules, as columns over one row per image: which reason holds, and what follows from it.

In order of precedence: fail, a person's verdict, overlap, two identities, duplicate, near duplicate, flip, the folder
rule. `reason` of the row is what `standing` found, up to near duplicates.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.core import config
from facesieve.core.reasons import Reason, Verdict
from facesieve.decide.confidence import CLEAR
from facesieve.decide.keep_policy import POLICIES, folder_reason
from facesieve.decide.kernels.membership import AHEAD
from facesieve.decide.quality import QUALITY

_EVEN = 0.5
_OWN = 2
"""A second cluster so many times smaller than the main one may still be the folder's own person; a smaller one hardly
is: then two folders of one person are likelier."""
_DOUBTFUL = (Reason.TWO_IDENTITIES, Reason.CLOSE_MODES, Reason.UNCLUSTERED, Reason.LOW_COHESION, Reason.FLIP)


def proposed(images: DataFrame, settings: config.Decide) -> DataFrame:
    """Say what the rules make of each image under every keep policy.

    `images` has the columns of `evidence.with_evidence`, those of `flips.flips` beside them with flip_sure (how sure
    that is) and belongs (`confidence.of_belonging`), and of the folder's link one_person (it is another folder's
    person) and merged_into (that folder): null where nothing was found. Adds, for each policy, reason_POLICY (null:
    simply kept) and verdict_POLICY.
    """
    # Step by step: written into each other, the rules of three policies would make a plan of many megabytes.
    here = F.coalesce("belonging", F.lit(float("-inf")))
    known = images.withColumns(
        {
            **{f"folder_{policy}": folder_reason(policy, settings) for policy in POLICIES},
            "nearer": F.coalesce(F.col("to_belonging") > here, F.lit(True)),
            "clear": F.coalesce((F.col("flip_sure") >= CLEAR) & (F.col("to_belonging") - here >= AHEAD), F.lit(False)),
            "contested": F.coalesce(F.col("one_person") & _may_be_own(settings), F.lit(False)),
            "if_kept": _of_quality(settings),
            # What is more likely its folder's person than not is not thrown away.
            "likely": F.coalesce(F.col("belongs") > _EVEN, F.lit(False)),
        }
    )
    reasoned = known.withColumns({f"reason_{policy}": _reason(F.col(f"folder_{policy}")) for policy in POLICIES})
    return reasoned.withColumns(
        {f"verdict_{policy}": _verdict(F.col(f"reason_{policy}"), settings) for policy in POLICIES}
    )


def _may_be_own(settings: config.Decide) -> Column:
    """The folder's second cluster may be its person, and the main one a impostor's."""
    half = F.col("runner_up") * _OWN >= F.col("largest")
    return half & (F.col("runner_up") >= settings.min_faces)


def _reason(of_folder: Column) -> Column:
    # A face at another folder's home; one that its own folder keeps must be nearer to the other.
    flipped = F.col("target").isNotNull() & (of_folder.isNotNull() | F.col("nearer"))
    # The folder's main cluster is another folder's person, and its next is large enough to be its own.
    impostor = F.col("contested") & F.col("main")
    weak = F.col("identity").isNotNull() & of_folder.isNull() & F.coalesce("weak", F.lit(False))
    return F.coalesce(
        "reason",
        F.when(flipped | impostor, Reason.FLIP.value),
        F.when(F.col("contested") & F.col("mode"), Reason.CLOSE_MODES.value),
        F.when(weak, Reason.LOW_COHESION.value),
        of_folder,
        F.when(F.col("merged_into").isNotNull(), Reason.MERGED.value),
    )


def _verdict(reason: Column, settings: config.Decide) -> Column:
    return (
        F.when(F.col("face_id").isNull(), Verdict.FAIL.value)
        .when(reason.isNull(), F.col("if_kept"))
        .when(reason == Reason.MERGED.value, Verdict.MOVE.value)
        .when((reason == Reason.FLIP.value) & F.col("clear"), Verdict.MOVE.value)
        .when(reason == Reason.OVERLAP.value, settings.overlap)
        .when(reason.isin([doubt.value for doubt in _DOUBTFUL]), Verdict.QUARANTINE.value)
        .when((reason == Reason.OUTLIER.value) & F.col("likely"), Verdict.QUARANTINE.value)
        .otherwise(Verdict.DROP.value)
    )


def _of_quality(settings: config.Decide) -> Column:
    if settings.quality == "note":
        return F.lit(Verdict.KEEP.value)
    poor = F.arrays_overlap("doubts", F.array(*(F.lit(reason.value) for reason in QUALITY)))
    return F.when(poor, settings.quality).otherwise(Verdict.KEEP.value)
