"""What the ledger's JSON holds, as types: a record per step, and that of a run; older rows may lack fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from typing_extensions import override

from facesieve.core.records import Record, mapping, nested, optional, several
from facesieve.lake.decide_records import DecideRecord, PublishRecord
from facesieve.lake.forecast_record import FalseMatchForecast
from facesieve.lake.layout_record import LayoutRecord
from facesieve.lake.scope_records import ConstraintCounts, ScopeRecord, VoteBasis
from facesieve.lake.step_record import StepRecord

SCOPES = ("identity", "global")


@dataclass(frozen=True, kw_only=True)
class ListingRecord(StepRecord):
    """Files that are no images (left_out: sort -> kind -> count), and images new, gone or changed since the last.

    state: a digest of the source, the settings and the code that the listing came from; null where it must be read
    again, as after an image that could not be read. warnings: what was said of the layout. snapshot: of the table in
    which the images are; absent where they are in none that keeps snapshots. names_key: fingerprint of the key of the
    pseudonyms; absent where names are stored.
    """

    ignored: int | None = None
    left_out: Mapping[str, Mapping[str, int]] = mapping()
    layout: LayoutRecord | None = nested(LayoutRecord)
    new: int | None = None
    gone: int | None = None
    changed: int | None = None
    state: str | None = None
    warnings: Sequence[str] = ()
    snapshot: str | None = optional()
    names_key: str | None = optional()


@dataclass(frozen=True, kw_only=True)
class EmbedRecord(StepRecord):
    """Images in, faces out, and images without a usable face by reason.

    not_decoded: images whose format is not decoded, by what their rejects say; null where there is none.
    """

    not_decoded: Mapping[str, int] | None = optional()


@dataclass(frozen=True, kw_only=True)
class LinkRecord(StepRecord):
    """How faces were joined: epoch, link cosine by scope, cells and pairs compared, recall, faces over the degree cap.

    new and gone: faces since the edges were last made, where only these were joined; null after a join of all faces.
    """

    epoch: str | None = None
    cosines: Mapping[str, float] = mapping()
    cells: int | None = None
    probes: int | None = None
    candidates: int | None = None
    edges: int | None = None
    recall: float | None = None
    recall_low: float | None = None
    recall_high: float | None = None
    lsh_recall: float | None = None
    false_matches: FalseMatchForecast | None = nested(FalseMatchForecast)
    new: int | None = None
    gone: int | None = None
    capped: int | None = None


@dataclass(frozen=True, kw_only=True)
class ClusterRecord(StepRecord):
    """How each scope was clustered; in JSON a scope is a field of its own."""

    begun: VoteBasis | None = nested(VoteBasis)
    constraints: ConstraintCounts | None = nested(ConstraintCounts)
    scopes: Mapping[str, ScopeRecord] = mapping()

    @override
    def to_json(self) -> dict[str, Any]:
        written = super().to_json()
        del written["scopes"]
        return written | {scope: record.to_json() for scope, record in self.scopes.items()}

    @classmethod
    @override
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        scopes = {scope: ScopeRecord.from_json(written[scope]) for scope in SCOPES if written.get(scope)}
        return super().from_json({**written, "scopes": scopes})


_STEPS: dict[str, type[StepRecord]] = {
    "listing": ListingRecord,
    "embed": EmbedRecord,
    "link": LinkRecord,
    "cluster": ClusterRecord,
    "decide": DecideRecord,
    "publish": PublishRecord,
}


def step_record(step: str, written: Mapping[str, Any]) -> StepRecord:
    """Read what the ledger holds of a step."""
    return _STEPS.get(step, StepRecord).from_json(written)


@dataclass(frozen=True, kw_only=True)
class Act(Record):
    """A line of the audit: when, what, and who did it for what purpose on what legal ground; empty if not stated.

    facts: what a job that is no run has done, in counts, and never whom it was about.
    """

    at: str = ""
    what: str = ""
    operator: str = ""
    purpose: str = ""
    basis: str = ""
    facts: Mapping[str, int | str] | None = optional()


@dataclass(frozen=True, kw_only=True)
class RunRecord(Record):
    """What the ledger keeps of a run. before, after: table -> snapshot id. error: of a failed run alone.

    acts: what was done, in order; None in rows of before it was there. No act is ever taken out or altered.
    """

    run: str = ""
    started: str = ""
    ended: str | None = None
    status: str = ""
    config: Mapping[str, Mapping[str, Any]] = mapping()
    versions: Mapping[str, str | None] = mapping()
    model: str = ""
    before: Mapping[str, int] = mapping()
    after: Mapping[str, int] = mapping()
    stages: Mapping[str, StepRecord] = mapping()
    warnings: Sequence[str] = ()
    error: str | None = optional()
    undone: str | None = optional()
    acts: Sequence[Act] | None = several(Act)

    @property
    def export_root(self) -> str:
        """Return where the run put its exports; empty if it wrote none."""
        publish = self.config.get("publish", {})
        exports = publish.get("apply") and publish.get("outputs")
        return str(publish.get("export_root", "")) if exports else ""

    @override
    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"stages": {step: record.to_json() for step, record in self.stages.items()}}

    @classmethod
    @override
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        stages = {step: step_record(step, record) for step, record in (written.get("stages") or {}).items()}
        return super().from_json({**written, "stages": stages})
