"""The result of a run as a person reads it: stages, clusters, verdicts, and what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from facesieve.core.console import aligned, count, duration


def of(record: Mapping[str, Any]) -> str:
    """Return the summary of a finished run's ledger record."""
    stages: Mapping[str, Mapping[str, Any]] = record["stages"]
    parts = [f"Run {record['run']}: {_headline(stages)}", _stage_table(stages)]
    parts += [part for part in (_clusters(stages.get("cluster", {})), _verdicts(stages.get("decide", {}))) if part]
    parts += [f"WARNING: {text}" for text in record["warnings"]]
    parts.append(_next_step(record))
    return "\n\n".join(parts)


def _headline(stages: Mapping[str, Mapping[str, Any]]) -> str:
    return "up to date, every stage was reused" if all(stage["reused"] for stage in stages.values()) else "done"


def _stage_table(stages: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [["stage", "rows in", "rows out", "seconds", "reused"]]
    for name, stage in stages.items():
        reused = "yes" if stage["reused"] else "no"
        rows.append([name, count(stage["rows_in"]), count(stage["rows_out"]), f"{stage['seconds']:.1f}", reused])
    total = sum(stage["seconds"] for stage in stages.values())
    return f"{aligned(rows)}\nall stages: {duration(total)}"


def _clusters(stage: Mapping[str, Any]) -> str:
    rows = [["scope", "clusters", "largest", "supersteps", "attached", "changed"]]
    for scope in ("identity", "global"):
        facts = stage.get(scope)
        if facts:
            # An earlier version's record may lack what was not built then.
            largest, churn = facts["largest_share"], facts.get("churn")
            attached = "-" if facts.get("attached") is None else count(facts["attached"])
            shares = [_share(largest), _share(churn["changed"] if churn else None)]
            rows.append([scope, count(facts["clusters"]), shares[0], count(facts["supersteps"]), attached, shares[1]])
    return aligned(rows) if len(rows) > 1 else ""


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _verdicts(stage: Mapping[str, Any]) -> str:
    if not stage:
        return ""
    rows = [["verdict", "images"], *([name, count(number)] for name, number in stage["verdicts"].items())]
    rows.append(["given", count(stage["given"])])
    reasons = [["reason", "images"], *([name, count(number)] for name, number in sorted(stage["reasons"].items()))]
    parts = [aligned(rows), aligned(reasons)]
    # An earlier version's record lacks what was not built then.
    if stage.get("policies"):
        kept = ", ".join(f"{policy} {count(number)}" for policy, number in stage["policies"].items())
        parts.append(f"Published by keep policy: {kept}")
    if stage.get("links"):
        parts.append(f"Pairs of folders that seem one person: {count(stage['links'])} (table identity_links)")
    return "\n\n".join(parts)


def _next_step(record: Mapping[str, Any]) -> str:
    publish = record["config"]["publish"]
    if publish["apply"]:
        where = f"; exports: {publish['export_root']} (CURRENT names the run)" if publish["outputs"] else ""
        return f"Tables: {_tables(record)}{where}"
    return f"Tables: {_tables(record)}. Dry run: publish.apply = true writes the cleaned data set."


def _tables(record: Mapping[str, Any]) -> str:
    lake = record["config"]["lake"]
    return f"{lake['root']}/{lake['namespace']}" if lake["root"] else f"{lake['catalog']}.{lake['namespace']}"
