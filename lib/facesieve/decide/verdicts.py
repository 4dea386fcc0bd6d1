"""The table of the rules, applied: which rule decides each image under every keep policy, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import NewType

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from facesieve.core import sections
from facesieve.core.frames import columns
from facesieve.core.reasons import Verdict
from facesieve.decide.confidence import CLEAR
from facesieve.decide.evidence import SPEAKING
from facesieve.decide.flips import SUSPECTS
from facesieve.decide.keep_policy import OBJECTIONS, POLICIES, approves, objections
from facesieve.decide.kernels.membership import AHEAD
from facesieve.decide.quality import QUALITY
from facesieve.decide.rules import FAILED, MERGED, OVERRIDDEN, RULES, Confidence, Evidence, Rule, Terms

_EVEN = 0.5
_OWN = 2
"""A second cluster so many times smaller than the main one may still be the folder's own person; a smaller one hardly
is: then two folders of one person are likelier."""

WEIGHED = T.StructType(
    [
        *SPEAKING,
        *SUSPECTS.fields[1:],
        *columns(
            "merged_into string, onward string, link_confidence float, one_person boolean, membership_confidence double"
        ),
    ]
)
"""An image, the target of a flip, and the links of folders. merged_into: the folder that its folder becomes part of.
onward: that of the target. one_person: the folder is another folder's person."""

WeighedImages = NewType("WeighedImages", DataFrame)
ProposedImages = NewType("ProposedImages", DataFrame)
DecidedImages = NewType("DecidedImages", DataFrame)
DECIDED = columns(
    "rule int, reason string, verdict string, proposed_reason string, proposal string, moved_to string, "
    "confidence double"
)
"""What is added to WEIGHED. rule: place in RULES. proposed_reason, proposal: without a person's verdict."""


def with_proposals(images: WeighedImages, settings: sections.Decide) -> ProposedImages:
    """Say what the rules alone make of each image under every keep policy.

    Adds, for each policy, rule_POLICY (place in RULES) and verdict_POLICY, and the terms of the rules.
    """
    # Step by step: written into each other, the rules of three policies would make a plan of many megabytes.
    against = {f"{name}_{policy}": term for policy in POLICIES for name, term in objections(policy, settings).items()}
    approved = {f"approved_{policy}": approves(F.col(f"{name}_{policy}") for name in OBJECTIONS) for policy in POLICIES}
    rules = {f"rule_{policy}": _first(_terms(policy)) for policy in POLICIES}
    verdicts = {f"verdict_{policy}": _verdict(F.col(f"rule_{policy}"), settings) for policy in POLICIES}
    terms = images.withColumns(_facts(settings) | against)
    return ProposedImages(terms.withColumns(approved).withColumns(rules).withColumns(verdicts))


def with_verdicts(images: ProposedImages, settings: sections.Decide) -> DecidedImages:
    """Decide by the rules and people's verdicts. A fail stays a fail, whoever says what."""
    proposed = F.col(f"rule_{settings.keep}")
    overridden = F.col("override").isNotNull() & (proposed != _place(FAILED))
    chosen = images.withColumns(
        {
            "rule": F.when(overridden, _place(OVERRIDDEN)).otherwise(proposed),
            "proposed_reason": _reason(proposed),
            "proposal": F.col(f"verdict_{settings.keep}"),
        }
    )
    decided = chosen.withColumns({"reason": _reason(F.col("rule")), "verdict": _verdict(F.col("rule"), settings)})
    return DecidedImages(decided.withColumns({"moved_to": _moved_to(), "confidence": _confidence()}))


def nearest_of_its_people() -> dict[str, Column]:
    """Columns nearest_face and cosine, for rows of `with_verdicts`: among those that the image ends with."""
    moved = F.col("verdict") == Verdict.MOVE.value
    merged = F.col("moved_to").eqNullSafe(F.col("merged_into"))
    compared = F.col("moved_to").eqNullSafe(F.coalesce("onward", "target"))

    def nearest(own: str, in_target: str, protected: Column) -> Column:
        of_move = F.when(merged, F.col(own)).when(compared, F.col(in_target))
        kinds = {
            Evidence.NONE: F.lit(None),
            Evidence.FOLDER: F.col(own),
            Evidence.TARGET: of_move,
            Evidence.PROTECTED: protected,
            Evidence.OVERRIDE: F.when(F.col("overlap"), protected).when(moved, of_move).otherwise(F.col(own)),
        }
        return _of_rule(F.col("rule"), lambda rule: kinds[rule.evidence])

    return {
        "nearest_face": nearest("nearest_face", "target_face", F.lit(None)),
        "cosine": nearest("cosine", "target_cosine", F.col("overlap_cosine")),
    }


def _facts(settings: sections.Decide) -> dict[str, Column]:
    """The terms that do not depend on the keep policy, but for those that are columns already."""
    here = F.coalesce("membership", F.lit(float("-inf")))
    ahead = F.col("target_membership") - here >= AHEAD
    second = (F.col("runner_up") * _OWN >= F.col("largest")) & (F.col("runner_up") >= settings.min_faces)
    poor = F.arrays_overlap("doubts", F.array(*(F.lit(reason.value) for reason in QUALITY)))
    terms = {
        "failed": F.col("face_id").isNull(),
        "overlap": F.col("overlap_cosine").isNotNull(),
        "suspect": F.col("target").isNotNull(),
        "clear": (F.col("flip_confidence") >= CLEAR) & ahead,
        "impostor_folder": F.col("one_person") & second,
        "likely": F.col("membership_confidence") > _EVEN,
        "merged": F.col("merged_into").isNotNull(),
        "poor": F.lit(settings.quality != "note") & poor,
    }
    # Where nothing is known of the two memberships, the target may be the nearer one.
    nearer = F.coalesce(F.col("target_membership") > here, F.lit(True))
    weak = F.col("identity").isNotNull() & F.col("weak")
    return {name: F.coalesce(term, F.lit(False)) for name, term in (terms | {"weak": weak}).items()} | {
        "nearer": nearer
    }


def _terms(policy: str) -> Terms:
    """The terms as columns; people's verdicts are not asked."""
    by_policy = {name: F.col(f"{name}_{policy}") for name in (*OBJECTIONS, "approved")}
    others = {field.name: F.col(field.name) for field in fields(Terms) if field.name not in by_policy}
    return Terms(**others | by_policy | {"overridden": F.lit(False)})


def _place(rule: Rule) -> Column:
    return F.lit(RULES.index(rule))


def _first(terms: Terms) -> Column:
    """The place of the first rule that holds."""
    return F.coalesce(*(F.when(rule.holds(terms), _place(rule)) if rule.holds else _place(rule) for rule in RULES))


def _of_rule(place: Column, value: Callable[[Rule], Column]) -> Column:
    """The value of the rule at a place."""
    return F.element_at(F.array(*map(value, RULES)), place + F.lit(1))


def _verdict(place: Column, settings: sections.Decide) -> Column:
    by_key = {
        "decide.overrides": F.col("override"),
        "decide.overlap": F.lit(settings.overlap),
        "decide.quality": F.lit(settings.quality),
        "decide.small_folders": F.lit(settings.small_folders),
    }
    return _of_rule(
        place,
        lambda rule: F.lit(rule.verdict.value) if isinstance(rule.verdict, Verdict) else by_key[rule.verdict],
    )


def _reason(place: Column) -> Column:
    """The reason of the rule, null where it has none; of a failure why it failed."""
    return _of_rule(
        place,
        lambda rule: F.col("failure") if rule is FAILED else F.lit(rule.reason.value if rule.reason else None),
    )


def _confidence() -> Column:
    """The probability that the verdict is right; null where nothing was weighed."""
    member = F.col("membership_confidence")
    dropped = F.col("verdict") == Verdict.DROP.value
    kinds = {
        Confidence.NONE: F.lit(None).cast("double"),
        Confidence.CERTAIN: F.lit(1.0),
        Confidence.COPY: F.col("copy_confidence"),
        Confidence.MEMBERSHIP: F.when(dropped, F.lit(1.0) - member).otherwise(member),
        Confidence.FLIP: F.col("flip_confidence"),
        Confidence.LINK: F.col("link_confidence").cast("double"),
    }
    return _of_rule(F.col("rule"), lambda rule: kinds[rule.confidence])


def _moved_to() -> Column:
    """The folder that an image goes to; null where it is not moved.

    Folder cy is merged into ann (`decide.merge_identities`), and a person says that cy/6 is dan:

        image  folder  its cluster is the main cluster of  rule        verdict     moved_to
        ann/1  ann     ann                                 (none)      keep
        ann/2  ann     bob, and it is clearly bob          flip        move        bob
        ann/3  ann     bob, and it is hardly bob           flip        quarantine
        bob/4  bob     cy, and it is clearly cy            flip        move        ann: cy goes there
        cy/5   cy      cy                                  merged      move        ann
        cy/6   cy      cy                                  overridden  move        dan
    """
    merged, overridden = (F.col("rule") == _place(rule) for rule in (MERGED, OVERRIDDEN))
    target = F.coalesce("onward", "target")
    moved_to = F.when(overridden, F.col("override_to")).when(merged, F.col("merged_into")).otherwise(target)
    return F.when(F.col("verdict") == Verdict.MOVE.value, moved_to)
