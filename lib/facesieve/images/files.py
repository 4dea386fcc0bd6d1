"""A tree of image files and of archives of them, on a local disk or behind any file system that pyarrow knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import NamedTuple

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from facesieve.core.errors import ConfigError, Fault
from facesieve.core.frames import many_tasks
from facesieve.images import kinds, left_out
from facesieve.images.links import MOST_LINKS, Links, walk_all
from facesieve.images.packs.archive_entries import archive_entries
from facesieve.images.packs.archive_uris import is_archive
from facesieve.images.packs.archives import ArchiveFetch
from facesieve.images.parts import parts
from facesieve.images.protocol import Fetch, Ignored, Sort, SourceImages
from facesieve.images.rules import Rules, of_kind
from facesieve.images.storage import Storage, why_unreadable
from facesieve.images.tally import Tally
from facesieve.images.walk import Entry, Part, Place, state_of, walk
from facesieve.images.walked import (
    WALKED,
    Seen,
    Walked,
    archives_in,
    archives_of,
    batches_of,
    row_of,
    seen,
    without_archives,
)

_COPY = "Copy the archive again, or unpack what is whole."
_PARTS = "folder string, deep boolean, share int, shares int"
_Rows = Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]


class Packs(NamedTuple):
    """How archives of a tree are read: to which entries, what fetches, and whether image files beside them count."""

    entries: Callable[[Storage, Entry, Rules], Iterator[Entry]] = archive_entries
    fetch: Callable[[Storage, int], Fetch] = ArchiveFetch
    loose: bool = True

    def taken(self, entry: Entry) -> Entry:
        """Return an entry as it counts: an image file beside archives perhaps is none of the images."""
        none = entry.ignored is None and not self.loose
        return Entry(entry.uri, None, None, *of_kind(kinds.IMAGE_FILE)) if none else entry


@dataclass
class FileTree:
    """A tree of image files and archives. It is walked once, by Spark jobs of its own; the result is kept.

    archive: the name of the only file below the root that counts; empty for all.
    """

    root: str
    rules: Rules
    archive: str = ""
    packs: Packs = field(default_factory=Packs)
    _walked: Walked | None = field(default=None, init=False, repr=False)
    _seen: Seen | None = field(default=None, init=False, repr=False)
    _opened: int = field(default=0, init=False, repr=False)

    @property
    def carries_content(self) -> bool:
        """Files are fetched by the workers."""
        return False

    def check(self) -> None:
        """Raise ConfigError if the root is not there, is no folder, or holds no image."""
        problem = why_unreadable(self.root)
        if problem:
            raise ConfigError([Fault("images.root", problem, "Give the folder that holds the images.")])
        tally, broken = Tally(), ""
        for entry in self._entries():
            if entry.ignored is None and not is_archive(entry.uri):
                return
            tally.add(entry)
            broken = broken or (entry.uri if entry.ignored is None else "")
        raise ConfigError([self._broken(broken) if broken else self._no_image(tally.ignored())])

    def images(self, spark: SparkSession, *, content: bool = True) -> SourceImages:
        """Return one row per image file; size is null where the file's state cannot be read."""
        walked = self._walk(spark)
        images = walked.where(F.col("ignored").isNull()).select(
            "uri",
            "size",
            "modified",
            "identity",
            F.lit(None).cast("binary").alias("content"),
        )
        return SourceImages(images)

    def rows(self) -> int | None:
        """Nothing but the walk itself tells."""
        return None

    def count(self, spark: SparkSession) -> int:
        """Return how many image files there are."""
        return self._look(spark).images

    def state(self, spark: SparkSession) -> str | None:
        """Digest names, sizes and times of all images, and what is left out."""
        return self._look(spark).state

    def ignored(self, spark: SparkSession) -> Ignored:
        """Count the files that are no images, links that are not followed, unreadable folders and the like, by kind."""
        return self._look(spark).ignored

    def fetch(self) -> Fetch:
        """Return a function from uri to the content of a file, or of a member of an archive."""
        return self.packs.fetch(Storage(self.root), self._opened)

    def archives(self, spark: SparkSession) -> int:
        """Return how many archives hold images of the tree."""
        self._look(spark)
        return self._opened

    def _look(self, spark: SparkSession) -> Seen:
        if self._seen is None:
            self._walk(spark)
            self._seen = self._seen or seen(self._walk(spark))
        return self._seen

    def _entries(self) -> Iterator[Entry]:
        """Yield the entries of the whole tree, in this process."""
        storage = Storage(self.root)
        for entry in [self._only()] if self.archive else walk_all(storage, self.rules):
            if entry.ignored == kinds.ARCHIVE:
                yield from self.packs.entries(storage, entry, self.rules)
            else:
                yield self.packs.taken(entry)

    def _no_image(self, ignored: Ignored) -> Fault:
        root = f"{self.root}/{self.archive}" if self.archive else self.root
        there = f", but {left_out.counts(ignored)}" if ignored.files else ""
        suffixes = ", ".join(sorted(self.rules.suffixes))
        other = f"Give a folder with files that end in one of images.suffixes ({suffixes}), or change those."
        return Fault("images.root", f"{root} holds no image{there}", " ".join(left_out.fixes(ignored)) or other)

    def _broken(self, uri: str) -> Fault:
        try:
            self.fetch()(uri)
            why = "it holds no image"
        except OSError as problem:
            why = problem.strerror or type(problem).__name__
        return Fault("images.root", f"{self.root} holds no image that can be read; {uri}: {why}", _COPY)

    def _only(self) -> Entry:
        return state_of(self.archive, Storage(self.root).info(self.archive), kinds.ARCHIVE)

    def _walk(self, spark: SparkSession) -> Walked:
        if self._walked is None:
            self._walked = self._with_members(spark, self._files(spark))
        return self._walked

    def _files(self, spark: SparkSession) -> Walked:
        if self.archive:
            return Walked(spark.createDataFrame([row_of(self._only())], WALKED))
        follow = self.rules.follow_links and Storage(self.root).folder is not None
        return self._with_links(spark) if follow else self._round(spark, [""], frozenset())

    def _with_members(self, spark: SparkSession, walked: Walked) -> Walked:
        """Go into the archives, each in one task; where there is none, this look is all that it costs."""
        first = seen(walked)
        if not first.archives:
            self._seen = first
            return walked
        self._opened = first.archives
        dealt = archives_of(walked).repartition(min(first.archives, many_tasks(spark)))
        inside = dealt.mapInArrow(_opener(self.root, self.rules, self.packs), WALKED)
        return Walked(without_archives(walked).unionByName(inside).persist())

    def _with_links(self, spark: SparkSession) -> Walked:
        """Walk the root, then what its links lead to, and so on."""
        links, starts = Links(Storage(self.root), self.rules), [""]
        rounds = list[DataFrame]()
        while starts:
            walked = self._round(spark, starts, links.cut)
            onward = walked.where((F.col("ignored") == kinds.LINK_TO_FOLDER) & F.col("sort").isNull()).select("uri")
            more = [row.uri for row in onward.orderBy("uri").limit(MOST_LINKS).collect()]
            starts = links.follow(more)
            listed = sorted(set(more) - set(starts))
            tally = Tally()
            tally.count(kinds.LINK_LISTED, Sort.NO_IMAGE, len(listed), listed[0] if listed else "")
            tally.count(kinds.LINK_TO_FOLDER, Sort.MAYBE, onward.count() - len(more), more[-1] if more else "")
            rounds += [walked, spark.createDataFrame([row_of(each) for each in tally.rows()], WALKED)]
        return Walked(reduce(DataFrame.union, rounds))

    def _round(self, spark: SparkSession, starts: Sequence[str], cut: frozenset[Place]) -> Walked:
        tasks = many_tasks(spark)
        rows = parts(Storage(self.root), tasks, starts, cut)
        dealt = spark.sparkContext.parallelize(rows[::-1], min(len(rows), tasks))
        walker = _walker(self.root, self.rules, self.packs, cut)
        return Walked(spark.createDataFrame(dealt, _PARTS).mapInArrow(walker, WALKED).persist())


def _walker(root: str, rules: Rules, packs: Packs, cut: frozenset[Place]) -> _Rows:
    def walked(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        dealt = (Part(**part) for batch in batches for part in batch.to_pylist())
        entries = (packs.taken(entry) for part in dealt for entry in walk(Storage(root), part, rules, cut))
        return batches_of(entries, lambda entry: _row(entry, rules))

    return walked


def _opener(root: str, rules: Rules, packs: Packs) -> _Rows:
    def opened(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        uris = (archive for batch in batches for archive in archives_in(batch))
        entries = (entry for archive in uris for entry in packs.entries(Storage(root), archive, rules))
        return batches_of(entries, lambda entry: None if entry.ignored else entry)

    return opened


def _row(entry: Entry, rules: Rules) -> Entry | None:
    """Return the row of an image, or of what may be gone into; None for what is only counted."""
    if entry.ignored is None or entry.ignored == kinds.ARCHIVE:
        return entry
    return entry._replace(sort=None) if rules.follow_links and entry.ignored == kinds.LINK_TO_FOLDER else None
