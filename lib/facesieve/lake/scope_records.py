"""What the ledger holds of the clusters, scope by scope, and of what they began with; older rows may lack fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from typing_extensions import override

from facesieve.core.records import Record, named, nested, optional, several


@dataclass(frozen=True, kw_only=True)
class AttachmentRecord(Record):
    """Leftovers and large clusters, faces behind the null, clusters and faces that joined, or why nobody did.

    p: the greatest p-value that was accepted. reason: "word: sentence"; null if somebody joined.
    """

    leftovers: int = 0
    large: int = 0
    null_faces: int = named("null", 0)
    pi0: float | None = None
    p: float | None = None
    joined: int = 0
    attached: int = 0
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class ChurnRecord(Record):
    """What changed between two versions of the clusters (see `cluster.lineage`)."""

    births: int = 0
    deaths: int = 0
    merges: int = 0
    splits: int = 0
    faces: int = 0
    changed: float = 0.0


@dataclass(frozen=True, kw_only=True)
class DoubtfulCluster(Record):
    """A cluster to look at: its id, its faces, mean stability of those that voted, mean cosine to the medoid."""

    cluster_id: int = 0
    faces: int = 0
    stability: float = 1.0
    cohesion: float = 1.0


@dataclass(frozen=True, kw_only=True)
class ScopeRecord(Record):
    """How the faces of one scope were clustered.

    impostor_line, linked, hubs: cosine where gain begins, faces with an edge, faces over `cluster.max_degree`; absent
    if edges count by cosine. false_matches: neighbours per face that are of another cluster; scope global alone.
    unsettled: faces that wanted another label when each superstep began, added up over the coins; unsettled_coins: the
    coins in which some want one at last. unstable, loose, look_first: clusters of low stability, of low cohesion, and
    the most doubtful ones (`cluster.doubts`). churn: null without a former version.
    """

    supersteps: int | None = None
    unsettled: Sequence[int] = ()
    settled: bool = False
    coins: int | None = optional()
    unsettled_coins: int | None = optional()
    finished_locally: int | None = None
    clusters: int | None = None
    largest_share: float | None = None
    unstable: int | None = optional()
    loose: int | None = optional()
    look_first: Sequence[DoubtfulCluster] | None = several(DoubtfulCluster)
    churn: ChurnRecord | None = nested(ChurnRecord)
    impostor_line: float | None = optional()
    linked: int | None = optional()
    hubs: int | None = optional()
    false_matches: float | None = optional()
    attachment: AttachmentRecord | None = None

    @override
    def to_json(self) -> dict[str, Any]:
        written = super().to_json()
        attachment = written.pop("attachment")
        return written | {"pi0": None, "attached": None} | (attachment or {})

    @classmethod
    @override
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        attachment = AttachmentRecord.from_json(written) if written.get("attached") is not None else None
        return super().from_json({**written, "attachment": attachment})


@dataclass(frozen=True, kw_only=True)
class ConstraintCounts(Record):
    """Pairs of faces that were kept together, and apart."""

    must: int = 0
    cannot: int = 0


@dataclass(frozen=True, kw_only=True)
class VoteBasis(Record):
    """The epoch and a digest of the settings: a later run with the same may begin with this run's labels."""

    epoch: str = ""
    settings: str = ""
