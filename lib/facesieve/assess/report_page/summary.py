"""The file `summary`: what the first screen says of the run, from the ledger and from counts of the tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.assess.report_page.group_facts import GroupFacts
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.core.reasons import Verdict
from facesieve.core.tables import Decisions, Listing
from facesieve.decide.reconciliation import Reconciled, reconcile
from facesieve.lake.records import ClusterRecord, LinkRecord, ListingRecord, RunRecord

Counts = Mapping[str, int]


@dataclass(frozen=True)
class Soundness:
    """What tells whether a run is sound, in the form of `contract.Summary`; and the totals."""

    totals: dict[str, int]
    fields: dict[str, Any]


def soundness(run: RunTables, before: RunTables | None, groups: GroupFacts) -> Soundness:
    """Count the tables of a run beside those of the run before; groups: persisted."""
    counts = reconcile(Listing(run.listing), Decisions(run.decisions))
    former = reconcile(Listing(before.listing), Decisions(before.decisions)) if before else None
    kinds = {row["kind"]: row["count"] for row in groups.groupBy("kind").count().collect()}
    totals = {
        "images": counts.images,
        "faces": run.embeddings.join(run.listing, "image_id", how="left_semi").count(),
        "folders": kinds.get("folder", 0),
        "clusters": kinds.get("cluster", 0),
    }
    fields = {
        "verdicts": compared(counts.verdicts, former.verdicts if former else None, [each.value for each in Verdict]),
        "reasons": compared(counts.reasons, former.reasons if former else None),
        "rejects": compared(_rejects(run), _rejects(before) if before else None),
        "reconciliation": _reconciliation(counts),
        "cluster_sizes": sizes(groups, "cluster"),
        "folder_sizes": sizes(groups, "folder"),
    }
    return Soundness(totals, fields | of_record(run.record))


def compared(now: Counts, before: Counts | None, order: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Lay counts beside those of before, in this order, else the greatest first.

    >>> compared({"flip": 2}, {"outlier": 1})
    [{'name': 'flip', 'count': 2, 'before': 0}, {'name': 'outlier', 'count': 0, 'before': 1}]
    """
    names = order or sorted({*now, *(before or {})}, key=lambda name: (-now.get(name, 0), name))
    former = before.get if before is not None else None
    return [{"name": name, "count": now.get(name, 0), "before": former(name, 0) if former else None} for name in names]


def sizes(groups: GroupFacts, kind: str) -> list[dict[str, int]]:
    """Count groups by their number of images, in bands from a power of two to below the next."""
    band = F.floor(F.log2(F.col("size").cast("double"))).cast("int").alias("band")
    rows = groups.where((F.col("kind") == kind) & (F.col("size") > 0)).groupBy(band).count().collect()
    ordered = sorted((row["band"], row["count"]) for row in rows)
    return [{"low": 1 << at, "high": (2 << at) - 1, "count": number} for at, number in ordered]


def of_record(record: RunRecord) -> dict[str, Any]:
    """Return what the ledger says: warnings, kinds that were not read, recall and false matches, time by step."""
    return {
        "warnings": [_warning(text) for text in record.warnings],
        "ignored": _ignored(record),
        "link": _link(record),
        "steps": [
            {"name": name, **{field: getattr(step, field) for field in ("seconds", "jobs", "tasks", "reused")}}
            for name, step in record.stages.items()
        ],
    }


def _warning(text: str) -> dict[str, Any]:
    code, colon, _ = text.partition(":")
    return {"code": code if colon and " " not in code else "", "values": {}, "text": text}


def _ignored(record: RunRecord) -> list[dict[str, Any]]:
    listing = record.stages.get("listing")
    kinds = listing.left_out if isinstance(listing, ListingRecord) else {}
    rows = [(f"{kind} ({sort})", number) for sort, of_sort in kinds.items() for kind, number in of_sort.items()]
    return [{"name": name, "count": number} for name, number in sorted(rows, key=lambda row: (-row[1], row[0]))]


def _link(record: RunRecord) -> list[dict[str, Any]]:
    link, cluster = record.stages.get("link"), record.stages.get("cluster")
    if not isinstance(link, LinkRecord):
        return []
    scopes = cluster.scopes if isinstance(cluster, ClusterRecord) else {}
    rows = []
    for scope in link.cosines:
        across = scope == "global"
        rows.append(
            {
                "scope": scope,
                "edges": link.edges if len(link.cosines) == 1 or across else None,
                **{name: getattr(link, name) for name in ("recall", "recall_low", "recall_high")},
                "false_matches_forecast": link.false_matches.forecast if across and link.false_matches else None,
                "false_matches": scopes[scope].false_matches if scope in scopes else None,
            }
        )
    return rows


def _reconciliation(counts: Reconciled) -> dict[str, int]:
    decided = sum(counts.verdicts.values())
    return {"listing": counts.images, "decided": decided, "missing": counts.missing, "extra": counts.extra}


def _rejects(run: RunTables) -> dict[str, int]:
    """Images of the listing without a usable face, by the reason that the decision gives first."""
    first: Column = F.get("reasons", F.lit(0)).alias("reason")
    failed = run.decisions.where(F.col("verdict") == Verdict.FAIL.value)
    return {row["reason"] or "": row["count"] for row in failed.groupBy(first).count().collect()}
