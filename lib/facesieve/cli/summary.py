"""The result of a run as a person reads it: stages, clusters, verdicts, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping

from facesieve.core.console import aligned, count, duration
from facesieve.lake.decide_records import DecideRecord
from facesieve.lake.records import SCOPES, ClusterRecord, EmbedRecord, ListingRecord, RunRecord
from facesieve.lake.scope_records import DoubtfulCluster, ScopeRecord
from facesieve.lake.step_record import StepRecord

_NEXT = {"listing": "link", "embed": "link", "link": "cluster", "cluster": "decide", "decide": "publish"}
"""The job after the step that a run ended with."""


def of(record: RunRecord) -> str:
    """Return the summary of a finished run's ledger record."""
    parts = [f"Run {record.run}: {_headline(record.stages)}", *_layout(record.stages), _step_table(record.stages)]
    embed, cluster, decide = (record.stages.get(step) for step in ("embed", "cluster", "decide"))
    if embed is not None and embed.reasons and decide is None:
        parts.append(_counts("rejected", embed.reasons))
    if isinstance(embed, EmbedRecord) and embed.not_decoded:
        parts.append(_counts("not read for its format", embed.not_decoded))
    if isinstance(cluster, ClusterRecord) and cluster.scopes:
        parts += [_clusters(cluster), *_look_first(cluster)]
    if isinstance(decide, DecideRecord):
        parts += _verdicts(decide)
    parts += [f"WARNING: {text}" for text in record.warnings]
    parts.append(_next_step(record))
    return "\n\n".join(parts)


def _headline(steps: Mapping[str, StepRecord]) -> str:
    reused = steps and all(step.reused for step in steps.values())
    return "up to date, every stage was reused" if reused else "done"


def _layout(steps: Mapping[str, StepRecord]) -> list[str]:
    listing = steps.get("listing")
    return [f"Layout: {listing.layout.text}"] if isinstance(listing, ListingRecord) and listing.layout else []


def _step_table(steps: Mapping[str, StepRecord]) -> str:
    rows = [["stage", "rows in", "rows out", "seconds", "reused"]]
    for name, step in steps.items():
        reused = "yes" if step.reused else "no"
        rows.append([name, count(step.rows_in), count(step.rows_out), f"{step.seconds:.1f}", reused])
    total = sum(step.seconds for step in steps.values())
    return f"{aligned(rows)}\nall stages: {duration(total)}"


def _clusters(record: ClusterRecord) -> str:
    header = ["scope", "clusters", "largest", "supersteps", "unstable", "loose", "attached", "changed"]
    scopes = [scope for scope in SCOPES if scope in record.scopes]
    return aligned([header, *([scope, *_of_scope(record.scopes[scope])] for scope in scopes)])


def _of_scope(scope: ScopeRecord) -> list[str]:
    attached = scope.attachment.attached if scope.attachment else None
    changed = scope.churn.changed if scope.churn else None
    return [
        count(scope.clusters),
        _share(scope.largest_share),
        count(scope.supersteps),
        count(scope.unstable),
        count(scope.loose),
        count(attached),
        _share(changed),
    ]


def _look_first(record: ClusterRecord) -> list[str]:
    """Name the most doubtful clusters of each scope, in the order of the queue."""
    header = ["cluster_id", "faces", "stability", "cohesion"]
    parts = []
    for scope in SCOPES:
        doubtful = record.scopes[scope].look_first if scope in record.scopes else None
        if doubtful:
            table = aligned([header, *(_doubt(cluster) for cluster in doubtful)])
            parts.append(f"Look at these clusters of scope {scope} first, the most doubtful ones:\n{table}")
    return parts


def _doubt(cluster: DoubtfulCluster) -> list[str]:
    return [
        str(cluster.cluster_id),
        count(cluster.faces),
        f"{cluster.stability:.3f}",
        f"{cluster.cohesion:.3f}",
    ]


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _verdicts(record: DecideRecord) -> list[str]:
    rows = [["verdict", "images"], *([name, count(number)] for name, number in record.verdicts.items())]
    rows.append(["given", count(record.listed)])
    parts = [aligned(rows), _counts("reason", record.reasons)]
    if record.policies:
        policies = ", ".join(f"{policy} {count(number)}" for policy, number in record.policies.items())
        parts.append(f"Published by keep policy: {policies}")
    if record.links:
        parts.append(f"Pairs of folders that seem one person: {count(record.links)} (table identity_links)")
    return parts


def _counts(title: str, numbers: Mapping[str, int]) -> str:
    return aligned([[title, "images"], *([name, count(number)] for name, number in sorted(numbers.items()))])


def _next_step(record: RunRecord) -> str:
    publish, last = record.config["publish"], next(reversed([*record.stages]), "publish")
    if last in _NEXT and not (last == "decide" and not publish["apply"]):
        return f"Tables: {_tables(record)}. Next: jobs/{_NEXT[last]}.py, or jobs/sieve.py for all steps."
    if publish["apply"]:
        where = f"; exports: {publish['export_root']} (CURRENT names the run)" if publish["outputs"] else ""
        return f"Tables: {_tables(record)}{where}"
    return f"Tables: {_tables(record)}. Dry run: publish.apply = true writes the cleaned data set."


def _tables(record: RunRecord) -> str:
    lake = record.config["lake"]
    return f"{lake['root']}/{lake['namespace']}" if lake["root"] else f"{lake['catalog']}.{lake['namespace']}"
