"""What the page reads, as records: the one place where the data files of a report are declared.

A 64-bit id is a string of digits. What is absent is null. Records become JSON by `script_file.as_json`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Count = dict[str, Any]
"""name, count, before (null without a run before): what a table of counts holds in each row."""

KINDS = (
    "quarantine",
    "flip",
    "outlier",
    "duplicate",
    "reject",
    "two_modes",
    "low_cohesion",
    "identity_link",
)
"""What an entry of the queue asks about."""


@dataclass(frozen=True)
class Image:
    """An image as the page shows it. name: its uri, where names are shown. picture: path inside the report."""

    image_id: str
    face_id: str | None = None
    name: str | None = None
    picture: str | None = None


@dataclass(frozen=True)
class Group:
    """A folder or a cluster. label: the identity's name, or `folder 17`. page: stem of its first data file, or null."""

    id: str
    label: str
    page: str | None
    size: int
    named: bool


@dataclass(frozen=True)
class Entry:
    """One row of the queue. value: `expected` / (1 + `expected`), for bars. effect: images that follow the answer.

    wrong: probability that the decision is wrong; expected: wrong times effect. images: a few of those that follow.
    """

    id: str
    kind: str
    value: float
    image: Image | None = None
    nearest: Image | None = None
    medoid: Image | None = None
    other: Image | None = None
    folder: Group | None = None
    cluster: Group | None = None
    target: Group | None = None
    verdict: str | None = None
    reasons: list[str] = field(default_factory=list)
    confidence: float | None = None
    cosine: float | None = None
    margin: float | None = None
    share: float | None = None
    effect: int = 1
    wrong: float | None = None
    expected: float | None = None
    images: list[Image] = field(default_factory=list)


@dataclass(frozen=True)
class Trouble:
    """One row of the list of folders and clusters. published: images that are kept or moved; `kept` in JSON."""

    id: str
    kind: str
    label: str
    size: int
    published: int = field(metadata={"name": "kept"})
    cohesion: float | None
    modes: int
    verdicts: dict[str, int]
    page: str | None


@dataclass(frozen=True)
class Member(Image):
    """An image on a contact sheet. copies: those that were dropped for it. at: when the source says it was made."""

    verdict: str = ""
    reasons: list[str] = field(default_factory=list)
    cosine: float | None = None
    confidence: float | None = None
    copies: list[Image] = field(default_factory=list)
    at: str | None = None
    moved_to: Group | None = None


@dataclass(frozen=True)
class Mode:
    """One cluster inside a folder, or one folder inside a cluster; null for images of none."""

    cluster: Group | None
    members: list[Member]


@dataclass(frozen=True)
class Sheet:
    """One page of the contact sheet of a folder or cluster: core first, border last, then what was dropped."""

    id: str
    kind: str
    label: str
    pages: int
    page: int
    modes: list[Mode]
    dropped: list[Member]


@dataclass(frozen=True)
class Pair:
    """Two groups that may be one person. kind: identity_link, split, merged."""

    id: str
    kind: str
    a: Group
    b: Group
    sheet_a: list[Image]
    sheet_b: list[Image]
    cosine: float | None = None
    share: float | None = None
    confidence: float | None = None


@dataclass(frozen=True)
class Paged:
    """How many entries of a kind there are, in how many data files. kinds: entries by kind, of the queue alone."""

    entries: int
    per_page: int
    pages: int
    kinds: list[Count] = field(default_factory=list)


@dataclass(frozen=True)
class Summary:
    """The file `summary`: all that the first screen shows."""

    version: str
    run: str
    status: str
    started: str | None
    ended: str | None
    before: str | None
    pictures: bool
    blur: bool
    names: bool
    identities: bool
    totals: dict[str, int]
    verdicts: list[Count]
    reasons: list[Count]
    rejects: list[Count]
    ignored: list[Count]
    warnings: list[dict[str, Any]]
    link: list[dict[str, Any]]
    reconciliation: dict[str, Any]
    steps: list[dict[str, Any]]
    changes: dict[str, Any] | None
    histograms: list[dict[str, Any]]
    reliability: list[dict[str, Any]]
    cluster_sizes: list[dict[str, Any]]
    folder_sizes: list[dict[str, Any]]
    queue: Paged
    groups: Paged
    pairs: Paged
    folders: Paged
    judgements: dict[str, Any]
    files: dict[str, str]
    merge: bool
    """Whether `files` has what the run read: names are shown, or there was nothing to read."""
