"""What the ledger keeps of the step: how the vote of each scope went, its clusters, false matches that came true."""

from __future__ import annotations

from dataclasses import dataclass, replace

from facesieve.cluster.clusters import Clustered
from facesieve.cluster.doubts import doubts
from facesieve.core.tables import Clusters, Edges
from facesieve.faces.edge_frames import GroupedFaces, apart
from facesieve.lake.scope_records import ChurnRecord, ScopeRecord


@dataclass(frozen=True)
class ScopeOutcome:
    """What one scope came to: its rows of the table `clusters`, how they came about, and the churn."""

    rows: Clusters
    clustered: Clustered
    churn: ChurnRecord | None


def scope_record(weighed: ScopeRecord, outcome: ScopeOutcome, written: Clusters, link: float) -> ScopeRecord:
    """Complete the record of a scope after `weigh` by its outcome and its rows as they were written.

    link: the cosine from which on faces of the scope are linked.
    """
    doubtful = doubts(written, link)
    vote = outcome.clustered.vote
    return replace(
        weighed,
        supersteps=vote.supersteps,
        unsettled=vote.unsettled,
        settled=vote.settled,
        coins=len(vote.histories),
        unsettled_coins=vote.unsettled_coins,
        finished_locally=vote.finished_locally,
        clusters=doubtful.clusters,
        largest_share=doubtful.largest / doubtful.faces if doubtful.faces else None,
        unstable=doubtful.unstable,
        loose=doubtful.loose,
        look_first=doubtful.look_first,
        attachment=outcome.clustered.attachment,
        churn=outcome.churn,
    )


def false_matches(edges: Edges, clusters: Clusters, faces: int) -> float | None:
    """Count the neighbours per face that are of another cluster; None without faces.

    edges and clusters of one scope; the unit of `link.false_matches`, to be compared with its forecast.
    """
    return apart(edges, GroupedFaces(clusters.select("face_id", "cluster_id")), faces)
