"""`images.format = "tfrecord"`: files of tf.train.Example, each with one encoded image and perhaps a label.

The frames are read here, not by TensorFlow: its reader knows no store but its own, ends at the first damage, and is
loaded in seconds where nothing else needs it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from facesieve.core.errors import Fault
from facesieve.core.sections import Columns
from facesieve.images.packs import tfrecord_frames as frames
from facesieve.images.packs.byte_ranges import ByteRanges, byte_ranges
from facesieve.images.packs.examples import Example, example
from facesieve.images.packs.locators import Locator, with_suffix
from facesieve.images.packs.records import PackFile, Piece, Record, pieces_of
from facesieve.images.protocol import BadContent
from facesieve.images.storage import Storage

_PACK = re.compile(r"\.(?:tfrecords?|tfrec|tfr)(?:-\d+-of-\d+)?$|-\d{5}-of-\d{5}$|\.tfrecords?\b.*\.gz$", re.IGNORECASE)
_LEAST = 8 << 20  # bytes that are worth a task
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class TFRecord:
    """Files of tf.train.Example; `columns` names the features."""

    columns: Columns = field(default_factory=Columns)
    what: str = "a TFRecord file"

    def is_pack(self, name: str) -> bool:
        """Say whether a file has a usual name: `a.tfrecord`, `a.tfrecord-00000-of-00010`, `train-00000-of-00010`."""
        return _PACK.search(name) is not None

    def is_companion(self, name: str) -> bool:
        """Say whether a file is what TensorFlow Datasets writes beside."""
        return name in ("dataset_info.json", "features.json") or name.endswith(".labels.txt")

    def pieces(self, files: Sequence[PackFile], companions: Sequence[PackFile], wanted: int) -> list[Piece]:
        """Cut the files."""
        return pieces_of(files, wanted, _LEAST)

    def faults(self, storage: Storage, files: Sequence[PackFile], companions: Sequence[PackFile]) -> list[Fault]:
        """Say of the first file whether it is none, is compressed, or has other features."""
        file = files[0]
        with byte_ranges(storage, file.uri) as ranges:
            if ranges.read(0, 2) == _GZIP:
                fix = "Unpack it (gunzip): a part of a compressed file cannot be read alone."
                return [Fault("images.root", f"{file.uri} is compressed", fix)]
            try:
                data = frames.frame(ranges, 0).data
            except BadContent as problem:
                fix = "Give TFRecord files of tf.train.Example, or name another images.format."
                return [Fault("images.root", f"{file.uri}: {problem.words}", fix)]
        try:
            example(data, self.columns)
        except BadContent as problem:
            fix = 'Name the features there: bytes = "image/encoded", identity = "image/class/label".'
            return [Fault("images.columns", f"{file.uri}: {problem.words}", fix)]
        return []

    def records(self, storage: Storage, piece: Piece) -> Iterator[Record]:
        """Yield the records that begin in a part of a file; what is damaged is passed over, to the next record."""
        with byte_ranges(storage, piece.file, ahead=True) as ranges:
            at: int | None = 0 if piece.start == 0 else frames.next_record(ranges, piece.start, piece.end)
            while at is not None and at < piece.end:
                record, end = self._record(ranges, Locator(piece.file, at))
                yield record
                at = frames.next_record(ranges, at + 1, piece.end) if end is None else end
            if at is not None and piece.end <= at < ranges.size:
                try:
                    frames.record_length(ranges, at)
                except BadContent as problem:  # the next piece passes it over
                    yield Record(Locator(piece.file, at), problem=problem.words)

    def content(self, ranges: ByteRanges, at: Locator) -> bytes:
        """Return the image of a record."""
        return self._example(frames.frame(ranges, at.offset).data, at.offset).image

    def _record(self, ranges: ByteRanges, at: Locator) -> tuple[Record, int | None]:
        """Return what begins at a place, and where it ends; None where nobody knows."""
        end: int | None = None
        try:
            data, end = frames.frame(ranges, at.offset)
            read = self._example(data, at.offset)
        except BadContent as problem:
            after = problem.end if isinstance(problem, frames.Damaged) else end
            return Record(at, problem=problem.words), after
        name = with_suffix(read.name, read.image[:512])
        return Record(at._replace(name=name), len(read.image), read.identity), end

    def _example(self, data: bytes, offset: int) -> Example:
        try:
            return example(data, self.columns)
        except BadContent as problem:
            raise BadContent(f"the record at byte {offset}: {problem.words}") from None
