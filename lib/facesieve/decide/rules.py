"""The rules of `decide`: ONE table, in order of precedence. The first rule whose condition holds decides an image.

A row gives the reason, the condition, the verdict, the confidence, the evidence, and a sentence for people. The
condition is made of the named booleans of `Terms`. The table is made without a JVM: `rules_markdown` shows it in the
documentation, `verdicts` applies it. To add a rule: add a row here, and its term to `Terms` and to `verdicts`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from pyspark.sql import Column

from facesieve.core.reasons import Reason, Verdict


class Confidence(Enum):
    """The probability that a decision bears as its confidence."""

    NONE = "none"
    CERTAIN = "1"
    COPY = "copy"
    MEMBERSHIP = "membership"
    FLIP = "flip"
    LINK = "link"


class Evidence(Enum):
    """The faces in which the nearest one is looked for; an image that gives no face has no evidence."""

    NONE = "none"
    FOLDER = "folder"
    TARGET = "target"
    PROTECTED = "protected"
    OVERRIDE = "as overridden"


Setting = Literal["decide.overrides", "decide.overlap", "decide.quality", "decide.small_folders"]
"""A key that gives the verdict."""


@dataclass(frozen=True)
class Terms:
    """What is true of an image, as boolean columns; the last five depend on the keep policy.

    failed: it gives no face. overridden: a person gave a verdict. overlap: it shows a protected person. two_identities,
    duplicate, near_duplicate: what its copies make of it. suspect: its cluster of the scope `global` is the main
    cluster of another folder, the target. nearer: its membership score is higher in the target. clear: the flip is sure
    enough to move it. impostor_folder: the main cluster of its folder is another folder's person, and the next one may
    be the folder's own. main: it is in its folder's main cluster. mode: its cluster is of `decide.min_faces`. weak: its
    folder's main cluster holds it against the cluster of the scope `global`, and its membership score is low. likely:
    it shows its folder's person more likely than not. merged: its folder becomes part of another. poor: its face is of
    poor quality, and `decide.quality` asks. unclustered, too_small, outlier, close_modes: the objections of the keep
    policy. approved: the keep policy has no objection.
    """

    failed: Column
    overridden: Column
    overlap: Column
    two_identities: Column
    duplicate: Column
    near_duplicate: Column
    suspect: Column
    nearer: Column
    clear: Column
    impostor_folder: Column
    main: Column
    mode: Column
    weak: Column
    likely: Column
    merged: Column
    poor: Column
    unclustered: Column
    too_small: Column
    outlier: Column
    close_modes: Column
    approved: Column


@dataclass(frozen=True)
class Rule:
    """One row of the table.

    reason: the first reason of the decision; None where the rule gives none of its own. holds: the condition; None
    always holds. verdict: a verdict, or the key of the configuration that gives it. when: the condition in words.
    """

    reason: Reason | None
    holds: Callable[[Terms], Column] | None
    verdict: Verdict | Setting
    when: str
    confidence: Confidence = Confidence.MEMBERSHIP
    evidence: Evidence = Evidence.FOLDER


def _flipped(is_: Terms) -> Column:
    """A suspect that its own folder would keep must be nearer to the target."""
    return is_.suspect & (is_.nearer | ~is_.approved)


FAILED = Rule(
    None,
    lambda is_: is_.failed,
    Verdict.FAIL,
    "The image gives no face; the reason says why.",
    Confidence.NONE,
    Evidence.NONE,
)
OVERRIDDEN = Rule(
    Reason.OVERRIDDEN,
    lambda is_: is_.overridden,
    "decide.overrides",
    "A person gave a verdict; the reason of the rule that it overrides comes second.",
    Confidence.NONE,
    Evidence.OVERRIDE,
)
MERGED = Rule(
    Reason.MERGED,
    lambda is_: is_.merged,
    Verdict.MOVE,
    "Its folder and another are one person, and `decide.merge_identities` makes them one folder.",
    Confidence.LINK,
)
TOO_SMALL = Rule(
    Reason.IDENTITY_TOO_SMALL,
    lambda is_: is_.too_small,
    "decide.small_folders",
    "The main cluster of its folder has fewer than `decide.min_faces` images; `decide.small_folders` is not `keep`.",
    Confidence.NONE,
)
RULES = (
    FAILED,
    OVERRIDDEN,
    Rule(
        Reason.OVERLAP,
        lambda is_: is_.overlap,
        "decide.overlap",
        "The image shows a person of `decide.protected`.",
        Confidence.NONE,
        Evidence.PROTECTED,
    ),
    Rule(
        Reason.TWO_IDENTITIES,
        lambda is_: is_.two_identities,
        Verdict.QUARANTINE,
        "The same bytes stand in two folders.",
        Confidence.NONE,
    ),
    Rule(
        Reason.DUPLICATE,
        lambda is_: is_.duplicate,
        Verdict.DROP,
        "Another copy of the same bytes counts: the one with the smallest uri, or that a person keeps.",
        Confidence.CERTAIN,
    ),
    Rule(
        Reason.NEAR_DUPLICATE,
        lambda is_: is_.near_duplicate,
        Verdict.DROP,
        "A better image of the same photograph counts, as `decide.copy` says; pixel by pixel they are one.",
        Confidence.COPY,
    ),
    Rule(
        Reason.FLIP,
        lambda is_: _flipped(is_) & is_.clear,
        Verdict.MOVE,
        "Its cluster is the main cluster of another folder, and its face is clearly that folder's person.",
        Confidence.FLIP,
        Evidence.TARGET,
    ),
    Rule(
        Reason.FLIP,
        _flipped,
        Verdict.QUARANTINE,
        "Its cluster is the main cluster of another folder, but its face is not clearly that folder's person.",
    ),
    Rule(
        Reason.FLIP,
        lambda is_: is_.impostor_folder & is_.main,
        Verdict.QUARANTINE,
        "The main cluster of its folder is another folder's person; the second cluster may be the folder's own.",
    ),
    Rule(
        Reason.CLOSE_MODES,
        lambda is_: is_.impostor_folder & is_.mode,
        Verdict.QUARANTINE,
        "It is in a further cluster of `decide.min_faces` images of such a folder.",
    ),
    Rule(
        Reason.LOW_COHESION,
        lambda is_: is_.weak & is_.approved,
        Verdict.QUARANTINE,
        "It is in its folder's main cluster, but the scope `global` puts it elsewhere, and its membership is low.",
    ),
    Rule(
        Reason.UNCLUSTERED,
        lambda is_: is_.unclustered,
        Verdict.QUARANTINE,
        "It is in no cluster, or has no folder and is in a cluster of fewer than `decide.min_faces` images.",
    ),
    TOO_SMALL,
    Rule(
        Reason.OUTLIER,
        lambda is_: is_.outlier & is_.likely,
        Verdict.QUARANTINE,
        "`decide.keep` does not keep its cluster, but it shows its folder's person more likely than not.",
    ),
    Rule(
        Reason.OUTLIER,
        lambda is_: is_.outlier,
        Verdict.DROP,
        "`decide.keep` does not keep its cluster.",
    ),
    Rule(
        Reason.CLOSE_MODES,
        lambda is_: is_.close_modes,
        Verdict.QUARANTINE,
        "The second cluster of its folder has at least `decide.close_share` of the images of the main cluster.",
    ),
    MERGED,
    Rule(
        None,
        lambda is_: is_.poor,
        "decide.quality",
        "Its face is of poor quality, and `decide.quality` is not `note`; the reasons say how.",
    ),
    Rule(None, None, Verdict.KEEP, "Nothing of the above holds."),
)


def rules_markdown() -> str:
    """Return the table of the rules in Markdown, for the documentation; no JVM is needed.

    >>> print(rules_markdown().splitlines()[2])
    | 1 | The image gives no face; the reason says why. | `fail` | | none | none |
    """
    head = ["| | when | verdict | reason | confidence | evidence |", "| --- | --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *(_row(number, rule) for number, rule in enumerate(RULES, start=1))]) + "\n"


def _row(number: int, rule: Rule) -> str:
    verdict = f"`{rule.verdict.value if isinstance(rule.verdict, Verdict) else rule.verdict}`"
    reason = f" `{rule.reason.value}`" if rule.reason else ""
    return f"| {number} | {rule.when} | {verdict} |{reason} | {rule.confidence.value} | {rule.evidence.value} |"
