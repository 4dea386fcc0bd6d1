"""All that a page shows, chosen and collected: bounded by the configuration, whatever the lake holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import functions as F

from facesieve.assess.report_page import pairs
from facesieve.assess.report_page.changes import ClusterChanges, cluster_changes
from facesieve.assess.report_page.contract import Trouble
from facesieve.assess.report_page.directory import Directory, Facts, Wanted, facts_of, images_of, label_of, uris_of
from facesieve.assess.report_page.group_facts import GroupFacts, group_facts
from facesieve.assess.report_page.looked_at import LookedAt, looked_at
from facesieve.assess.report_page.pairs import Sides
from facesieve.assess.report_page.questions import Questions, questions
from facesieve.assess.report_page.queue import Draft, Queue, queue
from facesieve.assess.report_page.run_tables import RunTables
from facesieve.assess.report_page.script_file import sheet_name
from facesieve.assess.report_page.sheets import CHOSEN, Chosen
from facesieve.core import tables
from facesieve.core.reasons import Verdict
from facesieve.core.side_sections import Report
from facesieve.core.tables import IdentityLinks

_MOST_LINKS = 200
"""Identity links that are shown as pairs."""


@dataclass(frozen=True)
class Frames:
    """The frames that several parts of the page read, persisted."""

    images: LookedAt
    groups: GroupFacts

    def unpersist(self) -> None:
        """Let go of them."""
        self.groups.unpersist()
        self.images.unpersist()


@dataclass(frozen=True)
class Contents:
    """What was chosen: the queue, pairs, groups of most trouble, and who is who."""

    queue: Queue
    links: Sequence[Draft]
    sides: Sides
    changes: ClusterChanges
    troubles: Sequence[Mapping[str, Any]]
    directory: Directory

    def with_pictures(self, paths: Mapping[int, str]) -> Contents:
        """Return the same with the pictures that there are: image_id -> path."""
        return replace(self, directory=replace(self.directory, pictures=paths))

    def image_ids(self) -> Iterator[int]:
        """Yield the images of the queue and the pairs in the order in which they are shown; some more than once."""
        directory = self.directory
        for draft in self.queue.drafts:
            home = directory.folders.get(draft.folder or "") or directory.clusters.get(draft.cluster or 0)
            target = directory.folders.get(draft.target or "")
            medoids = (each.medoid for each in (home, target) if each)
            faces = (directory.image_of.get(face) for face in (draft.nearest, *medoids) if face is not None)
            shown = (draft.image, draft.other, *faces, *(image for image, _ in draft.images))
            yield from (image for image in shown if image is not None)
        for side in self.sides.values():
            yield from (image for image, _ in side)
        for pair in (*self.changes.splits, *self.changes.merges):
            yield from (directory.image_of[face] for part in pair for face in part.faces if face in directory.image_of)


def frames(run: RunTables) -> Frames:
    """Compute what several parts of the page read."""
    images = LookedAt(looked_at(run).persist())
    return Frames(images, GroupFacts(group_facts(images, run).persist()))


def contents(run: RunTables, before: RunTables | None, shared: Frames, settings: Report) -> Contents:
    """Choose what is shown, and collect who is who."""
    asked = Questions(questions(shared.images).persist())
    links_of_run = IdentityLinks(run.read(tables.IDENTITY_LINKS))
    scope = "global" if "global" in run.scopes else run.scopes[-1] if run.scopes else ""
    chosen = queue(asked, shared.groups, links_of_run, run.link_cosine(scope), settings.queue)
    asked.unpersist()
    links = [draft for draft in chosen.drafts if draft.kind == "identity_link"][:_MOST_LINKS]
    changes = cluster_changes(run, before) if before else ClusterChanges()
    sides = pairs.sides(shared.images, links)
    troubles = _troubles(shared.groups, settings.groups)
    wanted = Wanted()
    for draft in chosen.drafts:
        draft.want(wanted)
    pairs.want(links, sides, changes, wanted)
    sheets = frozenset(_facts(row).id for row in troubles)
    directory = _directory(run, shared.groups, wanted, sheets, names=settings.names)
    return Contents(chosen, links, sides, changes, troubles, directory)


def chosen_groups(contents_of: Contents, groups: GroupFacts) -> Chosen:
    """Return the groups that get a contact sheet, as a frame."""
    rows = [
        (facts.id, facts.kind, _label(facts, contents_of.directory), facts.identity, facts.cluster)
        for facts in map(_facts, contents_of.troubles)
    ]
    return Chosen(groups.sparkSession.createDataFrame(rows, CHOSEN))


def troubles(contents_of: Contents) -> list[Trouble]:
    """Return the list of folders and clusters, those of most trouble first."""
    return [_trouble(row, contents_of.directory) for row in contents_of.troubles]


def _troubles(groups: GroupFacts, most: int) -> list[Mapping[str, Any]]:
    rows = groups.orderBy(F.desc("trouble"), "kind", "number").limit(most).collect()
    return [row.asDict() for row in rows]


def _facts(row: Mapping[str, Any]) -> Facts:
    return Facts(**{name: row[name] for name in Facts._fields})


def _label(facts: Facts, directory: Directory) -> str:
    return label_of(facts.kind, facts.number, facts.identity if directory.named else None)


def _trouble(row: Mapping[str, Any], directory: Directory) -> Trouble:
    facts = _facts(row)
    verdicts = {each.value: row[each.value] for each in Verdict if row[each.value]}
    return Trouble(
        id=facts.id,
        kind=facts.kind,
        label=_label(facts, directory),
        size=facts.size,
        published=row["kept"],
        cohesion=row["cohesion"],
        modes=row["modes"],
        verdicts=verdicts,
        page=sheet_name(facts.id, 1),
    )


def _directory(run: RunTables, groups: GroupFacts, wanted: Wanted, sheets: frozenset[str], *, names: bool) -> Directory:
    folders, clusters = facts_of(groups, wanted)
    wanted.add(faces=[facts.medoid for facts in (*folders.values(), *clusters.values())])
    image_of = images_of(run, wanted.faces)
    uris = uris_of(run, [*wanted.images, *image_of.values()]) if names else {}
    return Directory(names, folders, clusters, image_of, uris, sheets)
