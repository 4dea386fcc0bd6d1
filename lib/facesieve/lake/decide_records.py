"""What the ledger's JSON holds of the last two steps, decide and publish, as types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from facesieve.core.records import Record, mapping, named, nested, optional
from facesieve.lake.step_record import StepRecord


@dataclass(frozen=True, kw_only=True)
class FolderRecord(Record):
    """Images with an identity, and the folders whose largest cluster has fewer than `decide.min_faces` images.

    images, published, median: of all folders, and the median number of images of a folder. reason: the first reason of
    most images that are not published, reason_images. small, small_images: folders that are too small, and the images
    that go for it; few, faceless, copies, split: these folders by cause (`decide.small_folders`).
    """

    images: int = 0
    published: int = 0
    median: float = 0.0
    reason: str | None = None
    reason_images: int = 0
    small: int = 0
    small_images: int = 0
    few: int = 0
    faceless: int = 0
    copies: int = 0
    split: int = 0


@dataclass(frozen=True, kw_only=True)
class DecideRecord(StepRecord):
    """The reconciliation (images listed, by verdict, missing, extra), and what the rules alone would have said.

    policies: images that each keep policy would publish. contradicted, ruled_failed: overrides that the evidence is
    against, and those of images without a face. links: pairs of folders that seem one person. folders: what became of
    images with an identity.
    """

    listed: int | None = named("given")
    verdicts: Mapping[str, int] = mapping()
    missing: int | None = None
    extra: int | None = None
    policies: Mapping[str, int] | None = optional()
    contradicted: int | None = optional()
    ruled_failed: int | None = optional()
    links: int | None = optional()
    folders: FolderRecord | None = nested(FolderRecord)


@dataclass(frozen=True, kw_only=True)
class PublishRecord(StepRecord):
    """What became of the images that were published before, and the number of exports written.

    decided_before: images published before. changed, gone, added: `publish.change_guard`. checks: audits that passed.
    tag: the tag that the version of `cleaned` bears.
    """

    decided_before: int | None = named("known")
    changed: int | None = None
    gone: int | None = optional()
    added: int | None = optional()
    exported: int | None = None
    checks: int | None = optional()
    tag: str | None = optional()
