"""How images are dealt to chunks and tasks, so that an archive is gone through in few of them, from start to end.

An image that is a file of its own is dealt by its uri. Where there are many archives, the images of one go together.
Where there are few, those of one are dealt by their uris, since any member can be read by itself; but not those of a
compressed one, which has to be read from its start.
"""

from __future__ import annotations

from typing import TypeVar, cast

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from facesieve.images.packs.archive_uris import home, in_turn, read_together
from facesieve.images.packs.archives import ArchiveFetch
from facesieve.images.protocol import Fetch

_EACH = 4
"""So many archives a part, on average, share it evenly enough."""

Images = TypeVar("Images", bound=DataFrame)
"""Rows with the column uri."""


def chunk_of(archives: int, chunks: int) -> Column:
    """Return the number of an image's chunk, from 0; archives: in how many the images lie."""
    return F.pmod(F.xxhash64(_dealt_by(archives >= chunks, archives)), F.lit(chunks))


def spread(images: Images, archives: int, tasks: int) -> Images:
    """Deal images to tasks. Those of archives come in the order of their uris."""
    if not archives:
        return cast(Images, images.repartition(tasks, "uri"))
    dealt = images.repartition(tasks, _dealt_by(archives >= _EACH * tasks, archives))
    return cast(Images, dealt.sortWithinPartitions("uri"))


def spread_to_digest(images: Images, fetch: Fetch, tasks: int) -> Images:
    """Deal images to tasks that digest them, as their archives are read.

    A task that looks for a member of a tar reads the headers before it, which are half of a tar of tiny images. So the
    members of a tar are dealt in ranges: a tar is gone through by one task, or by tasks that share it. A zip has a list
    of its places: its members are scattered, as files are.
    """
    archives = fetch.archives if isinstance(fetch, ArchiveFetch) else 0
    dealt = images.repartitionByRange(tasks, in_turn()) if archives else images.repartition(tasks, "uri")
    return cast(Images, dealt.sortWithinPartitions("uri"))


def _dealt_by(whole: bool, archives: int) -> Column:
    if not archives:
        return F.col("uri")
    return home() if whole else read_together()
