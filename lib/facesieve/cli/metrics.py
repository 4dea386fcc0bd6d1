"""What an operator's monitoring is told of a job, as metrics.

Labels are words of the code alone: steps, scopes, verdicts, reasons. No name, path, uri, id or vector is in a metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from facesieve import __version__
from facesieve.cli.exposition import Metric, gauge, gauges
from facesieve.core.reasons import REJECTING, Reason, Verdict
from facesieve.lake.decide_records import DecideRecord, PublishRecord
from facesieve.lake.records import SCOPES, ClusterRecord, LinkRecord, ListingRecord
from facesieve.lake.scope_records import ScopeRecord
from facesieve.lake.step_record import StepRecord

LAST_SUCCESS = "facesieve_last_success_timestamp_seconds"
OTHER = "other"
"""The label value for a word that is none of this version's, for example in a record of another version."""

_Each = TypeVar("_Each")


class End(NamedTuple):
    """How a job ended: exit code, when (seconds since 1970), after how many seconds, when the last one succeeded."""

    code: int
    at: float
    seconds: float
    last_success: float


def of_end(end: End) -> list[Metric]:
    """Return what is told of every job, whatever it does and however it ended."""
    version = Metric("facesieve_build_info", "Version of facesieve; the value is 1.", ("version",), {(__version__,): 1})
    return [
        version,
        gauge("facesieve_exit_code", "Exit code of the last run: 0 is done, 3 waits for a person.", int(end.code)),
        gauge("facesieve_run_end_timestamp_seconds", "When the last run ended.", round(end.at, 3)),
        gauge("facesieve_run_duration_seconds", "Seconds that the last run took.", round(end.seconds, 3)),
        gauge(
            LAST_SUCCESS, "When a run last ended with exit code 0; 0 where none is known.", round(end.last_success, 3)
        ),
    ]


def of_run(steps: Mapping[str, StepRecord], warnings: Sequence[str]) -> list[Metric]:
    """Return what the ledger of a run knows, of each step that has ended; of the warnings their number."""
    figures = [gauge("facesieve_warnings", "Warnings of the run.", len(warnings)), *_of_steps(steps)]
    for step, tell in _TELLERS.items():
        if step in steps:
            figures += tell(steps[step])
    return figures


def of_evaluation(record: Mapping[str, Any]) -> list[Metric]:
    """Return the measured figures of `evaluate`: agreement with the truth, scope by scope."""
    scopes = {scope: record["scopes"][scope] for scope in SCOPES if scope in record["scopes"]}
    agreed = {scope: figures for scope, figures in scopes.items() if figures["bcubed"] is not None}
    figures = [
        _by_scope(scopes, "evaluation_faces", "Faces in clusters.", lambda each: each["faces"]),
        _by_scope(scopes, "evaluation_compared_faces", "Faces with a true identity.", lambda each: each["compared"]),
        _by_scope(
            scopes, "evaluation_false_matches", "True false matches per face.", lambda each: each["false_matches"]
        ),
    ]
    for kind in ("bcubed", "pairwise"):
        for part, about in (("precision", "precision"), ("recall", "recall"), ("f", "F measure")):
            name = f"evaluation_{kind}_{part}_ratio"
            figures.append(_by_scope(agreed, name, f"True {kind} {about} of the clusters.", _nested(kind, part)))
    return figures


def of_retention(record: Mapping[str, Any]) -> list[Metric]:
    """Return what was due when `retain` looked, by kind, and whether it was let go."""
    return [
        gauges("facesieve_retention_due", "What was due, by kind.", "kind", record["due"]),
        gauge("facesieve_retention_applied", "Whether it was let go (1) or only said (0).", int(record["applied"])),
    ]


def _of_steps(steps: Mapping[str, StepRecord]) -> list[Metric]:
    def by_step(name: str, about: str, value: Callable[[StepRecord], float | None]) -> Metric:
        values = {step: value(steps[step]) for step in _TELLERS if step in steps}
        return gauges(f"facesieve_step_{name}", about, "step", values)

    return [
        by_step("duration_seconds", "Seconds that the step took.", lambda step: step.seconds),
        by_step("spark_jobs", "Spark jobs of the step.", lambda step: step.jobs),
        by_step("spark_tasks", "Spark tasks of the step.", lambda step: step.tasks),
        by_step("reused", "1 where the step's result was in the lake already.", lambda step: int(step.reused)),
        by_step("input_rows", "Rows that the step read.", lambda step: step.rows_in),
        by_step("output_rows", "Rows of the step's result.", lambda step: step.rows_out),
    ]


def _of_listing(step: StepRecord) -> list[Metric]:
    if not isinstance(step, ListingRecord):
        return []
    return [
        gauge("facesieve_listed_images", "Images of the source.", step.rows_out),
        gauge("facesieve_ignored_files", "Files of the source that are no images.", step.ignored),
        gauge("facesieve_new_images", "Images that the last listing did not have.", step.new),
        gauge("facesieve_gone_images", "Images of the last listing that are gone.", step.gone),
    ]


def _of_embed(step: StepRecord) -> list[Metric]:
    rejects = dict.fromkeys(sorted(reason.value for reason in REJECTING), 0) | _by_word(step.reasons, Reason)
    return [
        gauge("facesieve_faces", "Faces of the images.", step.rows_out),
        gauges("facesieve_rejected_images", "Images without a usable face, by reason.", "reason", rejects),
    ]


def _of_link(step: StepRecord) -> list[Metric]:
    if not isinstance(step, LinkRecord):
        return []
    forecast = step.false_matches.forecast if step.false_matches else None
    cosines = {scope: step.cosines.get(scope) for scope in SCOPES}
    return [
        gauges("facesieve_link_cosine", "Cosine from which faces are linked.", "scope", cosines),
        gauge("facesieve_edges", "Edges between faces.", step.edges),
        gauge("facesieve_link_recall_ratio", "Share of the true edges that was found, estimated.", step.recall),
        gauge("facesieve_link_recall_low_ratio", "Low bound of the recall.", step.recall_low),
        gauge("facesieve_link_recall_high_ratio", "High bound of the recall.", step.recall_high),
        gauge("facesieve_link_false_matches_forecast", "False matches per face that are expected.", forecast),
    ]


def _of_cluster(step: StepRecord) -> list[Metric]:
    if not isinstance(step, ClusterRecord):
        return []
    scopes = {scope: step.scopes[scope] for scope in SCOPES if scope in step.scopes}
    return [
        _by_scope(scopes, "clusters", "Clusters of faces.", lambda each: each.clusters),
        _by_scope(scopes, "largest_cluster_ratio", "Share of the largest cluster.", lambda each: each.largest_share),
        _by_scope(scopes, "unstable_clusters", "Clusters of low stability.", lambda each: each.unstable),
        _by_scope(scopes, "loose_clusters", "Clusters of low cohesion.", lambda each: each.loose),
        _by_scope(scopes, "cluster_settled", "1 where the vote came to rest.", lambda each: int(each.settled)),
        _by_scope(
            scopes, "cluster_false_matches", "Neighbours per face in another cluster.", lambda each: each.false_matches
        ),
        *_churn(scopes),
    ]


def _churn(scopes: Mapping[str, ScopeRecord]) -> list[Metric]:
    churns = {scope: record.churn for scope, record in scopes.items() if record.churn is not None}
    about = "Share of the faces whose cluster changed since the former version."
    return [
        _by_scope(churns, "churn_faces_ratio", about, lambda churn: churn.changed),
        _by_scope(churns, "churn_births", "Clusters that are new.", lambda churn: churn.births),
        _by_scope(churns, "churn_deaths", "Clusters that are gone.", lambda churn: churn.deaths),
        _by_scope(churns, "churn_merges", "Clusters that came of several.", lambda churn: churn.merges),
        _by_scope(churns, "churn_splits", "Clusters that fell apart.", lambda churn: churn.splits),
    ]


def _of_decide(step: StepRecord) -> list[Metric]:
    if not isinstance(step, DecideRecord):
        return []
    verdicts = {verdict.value: 0 for verdict in Verdict} | _by_word(step.verdicts, Verdict)
    about = "Images that bear the reason; an image may bear several."
    return [
        gauges("facesieve_images", "Images by verdict.", "verdict", verdicts),
        gauges("facesieve_reason_images", about, "reason", _by_word(step.reasons, Reason)),
        gauge("facesieve_contradicted_overrides", "Overrides that the evidence is against.", step.contradicted),
        gauge("facesieve_identity_links", "Pairs of folders that seem one person.", step.links),
    ]


def _of_publish(step: StepRecord) -> list[Metric]:
    if not isinstance(step, PublishRecord):
        return []
    return [
        gauge("facesieve_published_before_images", "Images that were published before.", step.decided_before),
        gauge("facesieve_published_changed_images", "Published images whose verdict changed.", step.changed),
        gauge("facesieve_published_gone_images", "Published images that are gone from the source.", step.gone),
        gauge("facesieve_published_added_images", "Images that come in.", step.added),
        gauge("facesieve_exports", "Exports written.", step.exported),
    ]


_TELLERS: dict[str, Callable[[StepRecord], list[Metric]]] = {
    "listing": _of_listing,
    "embed": _of_embed,
    "link": _of_link,
    "cluster": _of_cluster,
    "decide": _of_decide,
    "publish": _of_publish,
}


def _by_scope(scopes: Mapping[str, _Each], name: str, about: str, value: Callable[[_Each], float | None]) -> Metric:
    return gauges(f"facesieve_{name}", about, "scope", {scope: value(each) for scope, each in scopes.items()})


def _nested(kind: str, part: str) -> Callable[[Mapping[str, Any]], float | None]:
    return lambda figures: figures[kind][part]


def _by_word(counts: Mapping[str, int], words: Iterable[Any]) -> dict[str, float]:
    """Count by the words of an enumeration; all else is counted under OTHER."""
    declared = {word.value for word in words}
    counted: dict[str, float] = {}
    for word, number in counts.items():
        label = word if word in declared else OTHER
        counted[label] = counted.get(label, 0) + number
    return counted
