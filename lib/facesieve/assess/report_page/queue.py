"""The queue of what to look at first: questions about images, loose clusters and identity links, worth most first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from facesieve.assess.report_page.contract import Entry, Image
from facesieve.assess.report_page.directory import Directory, Wanted
from facesieve.assess.report_page.group_facts import GroupFacts
from facesieve.assess.report_page.looked_at import DISTRUST, UNDECIDED
from facesieve.assess.report_page.questions import Questions
from facesieve.core.tables import IdentityLinks

PER_PAGE = 100
"""Entries of a data file."""


@dataclass(frozen=True)
class Draft:
    """An entry before anybody is named: ids, and the fields of `Entry` that need no directory."""

    id: str
    kind: str
    wrong: float
    effect: int
    image: int | None = None
    face: int | None = None
    nearest: int | None = None
    other: int | None = None
    folder: str | None = None
    cluster: int | None = None
    target: str | None = None
    plain: Mapping[str, Any] | None = None
    images: Sequence[tuple[int, int | None]] = ()

    @property
    def worth(self) -> float:
        """Return the number of images expected to be wrong."""
        return self.wrong * self.effect

    def want(self, wanted: Wanted) -> None:
        """Say what the entry speaks of."""
        wanted.add(images=(self.image, self.other, *(image for image, _ in self.images)), faces=(self.nearest,))
        wanted.add_group(self.folder, self.cluster)
        wanted.add_group(self.target)


@dataclass(frozen=True)
class Queue:
    """The drafts of the queue, and how many entries there would be of each kind without a limit."""

    drafts: Sequence[Draft]
    counts: Mapping[str, int]


def queue(asked: Questions, groups: GroupFacts, links: IdentityLinks, link_cosine: float | None, most: int) -> Queue:
    """Collect the `most` questions that are worth most; asked: persisted."""
    parts = [_of_images(asked, most), _loose(groups, link_cosine, most), _links(groups, links, most)]
    counts = {row["kind"]: row["count"] for row in asked.groupBy("kind").count().collect()}
    counts |= {name: number for name, (_, number) in zip(("low_cohesion", "identity_link"), parts[1:], strict=True)}
    drafts = [draft for part, _ in parts for draft in part]
    ordered = sorted(drafts, key=lambda draft: (-draft.worth, draft.kind, draft.id))
    return Queue(ordered[:most], {kind: number for kind, number in counts.items() if number})


def entry(draft: Draft, directory: Directory) -> Entry:
    """Name all that an entry speaks of."""
    folder, cluster = directory.folders.get(draft.folder or ""), directory.clusters.get(draft.cluster or 0)
    home = folder if draft.folder is not None else cluster
    target = directory.folders.get(draft.target) if draft.target is not None else None
    images = [directory.image(image, face) for image, face in draft.images]
    worth = draft.worth
    return Entry(
        id=draft.id,
        kind=draft.kind,
        value=worth / (1 + worth),
        image=directory.image(draft.image, draft.face),
        nearest=directory.face(draft.nearest),
        medoid=directory.face(home.medoid) if home else None,
        other=directory.image(draft.other) or _medoid(directory, target.medoid if target else None),
        folder=directory.folder(draft.folder),
        cluster=directory.cluster(draft.cluster),
        target=directory.folder(draft.target),
        effect=draft.effect,
        wrong=draft.wrong,
        expected=worth,
        images=[image for image in images if image is not None],
        **(draft.plain or {}),
    )


def _medoid(directory: Directory, face: int | None) -> Image | None:
    return directory.face(face)


def _of_images(asked: Questions, most: int) -> tuple[list[Draft], int]:
    rows = asked.orderBy(F.desc("worth"), "kind", "question").limit(most).collect()
    return [_draft(row.asDict(recursive=True)) for row in rows], 0


def _draft(row: Mapping[str, Any]) -> Draft:
    first = row["first"]
    others = [(each["image_id"], each["face_id"]) for each in row["images"]]
    # The same bytes in two folders are asked about together: the second image is the other one.
    twin = others[1][0] if row["question"].startswith("bytes") and len(others) > 1 else None
    return Draft(
        id=f"{row['kind']}-{first['image_id']}",
        kind=row["kind"],
        wrong=row["wrong"],
        effect=row["effect"],
        image=first["image_id"],
        face=first["face_id"],
        nearest=first["nearest_face"],
        other=first["kept_image_id"] or twin,
        folder=first["identity"],
        cluster=first["cluster"],
        target=first["moved_to"],
        plain={name: first[name] for name in ("verdict", "reasons", "confidence", "cosine", "margin", "share")},
        images=others if len(others) > 1 else (),
    )


def _loose(groups: GroupFacts, link_cosine: float | None, most: int) -> tuple[list[Draft], int]:
    """Ask about clusters that some coins see elsewhere, and those whose faces are not even linked to their medoid."""
    loose = F.col("cohesion") < F.lit(link_cosine) if link_cosine is not None else F.lit(False)
    unstable = F.coalesce(F.lit(1.0) - F.col("stability"), F.lit(0.0))
    wrong = F.greatest(unstable, F.when(F.coalesce(loose, F.lit(False)), UNDECIDED).otherwise(0.0))
    first, number = _foremost(groups.where("kind = 'cluster' AND size > 1"), wrong, "cluster", most)
    drafts = [
        Draft(
            id=f"low_cohesion-{row['cluster']}",
            kind="low_cohesion",
            wrong=row["wrong"],
            effect=row["size"],
            cluster=row["cluster"],
            plain={"cosine": row["cohesion"]},
        )
        for row in first
    ]
    return drafts, number


def _links(groups: GroupFacts, links: IdentityLinks, most: int) -> tuple[list[Draft], int]:
    """Ask about folders that seem one person: they are kept apart wrongly with the confidence, or made one wrongly."""
    sure = F.coalesce(F.col("confidence").cast("double"), F.lit(UNDECIDED))
    wrong = F.greatest(F.when(F.col("merged"), F.lit(1.0) - sure).otherwise(sure), F.lit(DISTRUST))
    sizes = groups.where("kind = 'folder'").select(F.col("identity").alias("identity_b"), "size")
    first, number = _foremost(links.join(sizes, "identity_b", how="inner"), wrong, "identity_b", most)
    drafts = [
        Draft(
            id=f"identity_link-{place}",
            kind="identity_link",
            wrong=row["wrong"],
            effect=row["size"],
            folder=row["identity_b"],
            target=row["identity_a"],
            plain={
                "verdict": "move" if row["merged"] else "keep",
                "reasons": ["merged"] if row["merged"] else [],
                **{name: row[name] for name in ("cosine", "share", "confidence")},
            },
        )
        for place, row in enumerate(first, 1)
    ]
    return drafts, number


def _foremost(rows: DataFrame, wrong: Column, name: str, most: int) -> tuple[list[Row], int]:
    """Return the doubtful rows of most worth, equal ones by name, and how many are doubtful at all."""
    doubtful = rows.withColumn("wrong", wrong).where(F.col("wrong") >= DISTRUST)
    ranked = doubtful.withColumn("worth", F.col("wrong") * F.col("size")).persist()
    first = ranked.orderBy(F.desc("worth"), name).limit(most).collect()
    number = ranked.count()
    ranked.unpersist()
    return first, number
