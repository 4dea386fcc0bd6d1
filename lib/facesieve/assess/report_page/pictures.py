"""Which images of the page get a picture, in what order, and the pictures themselves."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from facesieve.assess.report_page.contents import Contents, Frames, chosen_groups
from facesieve.assess.report_page.crops import cropper, write_pictures
from facesieve.assess.report_page.destination import picture_path
from facesieve.assess.report_page.pictured_source import pictured_source
from facesieve.assess.report_page.sheets import Members, members, references
from facesieve.assess.report_page.writing import Asked, Sheets
from facesieve.core.console import count


def with_pictures(asked: Asked, shared: Frames, chosen: Contents) -> tuple[Contents, Sheets]:
    """Return the rows of the contact sheets, and make the pictures if they are asked for.

    The first `report.max_pictures` images of the page have one: those of the queue and the pairs in their order, then
    the core of every sheet before the border of any.
    """
    groups = chosen_groups(chosen, shared.groups)
    named = references(shared.groups, groups, names=asked.names)
    rows = Members(members(shared.images, groups, named, asked.run).persist())
    if not asked.pictures:
        return chosen, Sheets(rows)
    most = asked.job.config.report.max_pictures
    ids = set(itertools.islice(dict.fromkeys(itertools.chain(chosen.image_ids(), _of_sheets(rows, most))), most))
    pictured = _cut_out(asked, ids)
    return chosen.with_pictures({image: picture_path(image) for image in pictured}), Sheets(rows, pictured)


def _of_sheets(rows: Members, most: int) -> Iterator[int]:
    """Yield images of the sheets; they are collected when the first is asked for."""
    first = rows.orderBy("place", "sheet").select("image_id").limit(most)
    yield from (row["image_id"] for row in first.collect())


def _cut_out(asked: Asked, ids: set[int]) -> frozenset[int]:
    """Cut the pictures out of the source; where the source is gone there are none, and the page says so."""
    job = asked.job
    origin = pictured_source(job, asked.run)
    if origin is None:
        return frozenset()
    crop = cropper(job.config.report, job.config.embed, blur=asked.blur)
    pictured = write_pictures(ids, asked.run, origin, crop, asked.target)
    if len(pictured) < len(ids):
        gone = f"{count(len(ids) - len(pictured))} of {count(len(ids))} pictures cannot be read from images.root"
        job.warn(f"report: {gone}, cannot be decoded, or are not what was listed: the page has none of them")
    return frozenset(pictured)
