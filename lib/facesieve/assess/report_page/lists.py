"""The lists of the page, cut into data files: queue, folders and clusters, pairs, names that an image may move to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from facesieve.assess.report_page import pairs, queue
from facesieve.assess.report_page.contents import Contents, troubles
from facesieve.assess.report_page.contract import KINDS, Entry, Paged
from facesieve.assess.report_page.destination import write_data
from facesieve.assess.report_page.group_facts import GroupFacts
from facesieve.assess.report_page.script_file import paged_name
from facesieve.images.storage import Storage

_GROUPS_PER_PAGE, _NAMES_PER_PAGE = 500, 5_000
MOST_NAMES = 20_000
"""Names of folders that are offered when an image is to be moved."""


def entries(chosen: Contents) -> list[Entry]:
    """Return the queue with all that its entries speak of named."""
    return [queue.entry(draft, chosen.directory) for draft in chosen.queue.drafts]


def write_queue(target: Storage, chosen: Contents) -> Paged:
    """Write the queue; say how many entries there are of each kind, and how many without `report.queue`."""
    drafts = chosen.queue.drafts
    listed = Counter(draft.kind for draft in drafts)
    kinds = [
        {"name": kind, "count": listed[kind], "all": max(chosen.queue.counts.get(kind, 0), listed[kind])}
        for kind in KINDS
    ]
    paged = write_paged(target, "queue", "entries", entries(chosen), queue.PER_PAGE)
    return Paged(paged.entries, paged.per_page, paged.pages, kinds)


def write_groups(target: Storage, chosen: Contents) -> Paged:
    """Write the list of folders and clusters."""
    return write_paged(target, "groups", "groups", troubles(chosen), _GROUPS_PER_PAGE)


def write_pairs(target: Storage, chosen: Contents) -> Paged:
    """Write the pairs of contact sheets."""
    shown = pairs.pairs(chosen.links, chosen.sides, chosen.changes, chosen.directory)
    return write_paged(target, "pairs", "pairs", shown, pairs.PER_PAGE)


def write_names(target: Storage, groups: GroupFacts, *, names: bool) -> Paged:
    """Write the names of folders, sorted, where names may be shown."""
    if not names:
        return Paged(0, _NAMES_PER_PAGE, 0)
    rows = groups.where("kind = 'folder'").orderBy("identity").limit(MOST_NAMES).select("identity").collect()
    return write_paged(target, "folders", "names", [row["identity"] for row in rows], _NAMES_PER_PAGE)


def write_paged(target: Storage, kind: str, field: str, rows: Sequence[Any], length: int) -> Paged:
    """Write rows as pages of `length`; no rows make no page."""
    starts = range(0, len(rows), length)
    for page, start in enumerate(starts, 1):
        write_data(target, paged_name(kind, page), {field: rows[start : start + length]})
    return Paged(len(rows), length, len(starts))
