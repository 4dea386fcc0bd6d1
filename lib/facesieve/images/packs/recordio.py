"""`images.format = "recordio"`: packs of MXNet, as InsightFace's train.rec with train.idx, or what im2rec writes.

The label of each image is its identity. InsightFace's pack also has records without an image: the first says where
those of the identities begin, and each of these gives a range of keys. The ranges are 32-bit floats, which are inexact
in large packs, so nothing is taken from them. Where there is an index, its entries are the records.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from facesieve.core.errors import Fault
from facesieve.images.packs import recordio_frames as frames
from facesieve.images.packs import recordio_index
from facesieve.images.packs.byte_ranges import ByteRanges, byte_ranges
from facesieve.images.packs.locators import Locator, with_suffix
from facesieve.images.packs.recordio_index import Entry
from facesieve.images.packs.recordio_labels import HEADER, head, identity
from facesieve.images.packs.records import COVERED, PackFile, Piece, Record, cut, pieces_of
from facesieve.images.protocol import BadContent
from facesieve.images.storage import Storage

IDENTITY_RECORD = "record of an identity, without an image"

_PACK, _INDEX = ".rec", ".idx"
_COMPANIONS = (_INDEX, ".lst")
_PROPERTY = "property"
_BEGIN = HEADER.size + 4 + 512  # header, first label, and what tells the kind of an image behind few labels
_LEAST_RECORDS, _LEAST_INDEX = 8 << 20, 64 << 10  # bytes that are worth a task


@dataclass(frozen=True)
class RecordIO:
    """Packs of MXNet. A pack without an index is read from one magic number to the next."""

    what: str = "a .rec file"

    def is_pack(self, name: str) -> bool:
        """Say whether a file is named as a pack."""
        return name.lower().endswith(_PACK)

    def is_companion(self, name: str) -> bool:
        """Say whether a file is named as an index or a list, or is InsightFace's file `property`."""
        return name.lower().endswith(_COMPANIONS) or name == _PROPERTY

    def pieces(self, files: Sequence[PackFile], companions: Sequence[PackFile], wanted: int) -> list[Piece]:
        """Cut the index of each pack, or the pack itself where it has none."""
        index_of = _indexes(files, companions)
        bare = [file for file in files if file.uri not in index_of]
        owners = {index.uri: pack for pack, index in index_of.items()}
        cuts = cut(list(index_of.values()), wanted, _LEAST_INDEX)
        modified = {file.uri: _latest(file, index_of.get(file.uri)) for file in files}
        indexed = [Piece(owners[i.uri], start, end, modified[owners[i.uri]], i.uri) for i, start, end in cuts]
        return indexed + pieces_of(bare, wanted, _LEAST_RECORDS)

    def faults(self, storage: Storage, files: Sequence[PackFile], companions: Sequence[PackFile]) -> list[Fault]:
        """Say of the first pack whether it is none, of indexes whether they are empty, and of packs whether they fit.

        Two packs of InsightFace both number their people from 0, so they cannot be read as one.
        """
        empty = [index.uri for index in _indexes(files, companions).values() if not index.size]
        fix = "Delete the index: the records are then read one after the other."
        faults = [Fault("images.root", f"the index {uri} is empty", fix) for uri in empty]
        headed = [file.uri for file in files if _numbers_its_people(storage, file)]
        if len(headed) > 1:
            problem = f"{headed[0]} and {headed[1]} each number their people from 0 anew"
            faults.append(Fault("images.root", problem, "Give the folder of one of them, or merge them first."))
        return faults or _no_pack(storage, files[0])

    def records(self, storage: Storage, piece: Piece) -> Iterator[Record]:
        """Yield the records that a part of an index names, or that begin in a part of a pack."""
        with byte_ranges(storage, piece.file, ahead=True) as pack:
            if not piece.index_file:
                yield from _one_after_another(pack, piece)
                return
            with byte_ranges(storage, piece.index_file, ahead=True) as index:
                yield from _named(pack, piece, recordio_index.entries(index, piece.start, piece.end))

    def content(self, ranges: ByteRanges, at: Locator) -> bytes:
        """Return the image of a record."""
        if at.file.lower().endswith(_INDEX):
            recordio_index.refuse_entry(ranges, at.offset)
        whole = frames.frame(ranges, at.offset)
        record = frames.payload(ranges, whole)
        before = head(record, len(record))
        identity(before.label)
        return record[before.image :]


def _indexes(files: Sequence[PackFile], companions: Sequence[PackFile]) -> dict[str, PackFile]:
    """Return the index of each pack that has one: the file of its name with .idx."""
    by_stem = {posixpath.splitext(each.uri)[0]: each for each in companions if each.uri.lower().endswith(_INDEX)}
    stems = {file.uri: posixpath.splitext(file.uri)[0] for file in files}
    return {uri: by_stem[stem] for uri, stem in stems.items() if stem in by_stem}


def _latest(pack: PackFile, index: PackFile | None) -> int | None:
    """A row has changed if the pack has, or its index."""
    if index is None or pack.modified is None or index.modified is None:
        return pack.modified if index is None else None
    return max(pack.modified, index.modified)


def _no_pack(storage: Storage, file: PackFile) -> list[Fault]:
    with byte_ranges(storage, file.uri) as ranges:
        begin = ranges.read(0, len(frames.MAGIC))
    if begin == frames.MAGIC:
        return []
    problem = f"{file.uri} does not begin with the magic number of RecordIO"
    return [Fault("images.root", problem, "Give packs of MXNet (train.rec), or name another images.format.")]


def _numbers_its_people(storage: Storage, file: PackFile) -> bool:
    with byte_ranges(storage, file.uri) as ranges:
        try:
            return _record(ranges, Locator(file.uri, 0)).kind == IDENTITY_RECORD
        except BadContent:
            return False


def _named(pack: ByteRanges, piece: Piece, entries: Iterator[Entry]) -> Iterator[Record]:
    """Yield the record of each entry; last, how many bytes of the pack these records take."""
    covered = 0
    for entry in entries:
        if entry.problem:
            yield Record(Locator(piece.index_file, entry.line), problem=entry.problem)
            continue
        at = Locator(piece.file, entry.offset, entry.key)
        try:
            whole = frames.frame(pack, entry.offset)
            covered += min(whole.end, pack.size) - whole.offset
            yield _in_frame(pack, whole, at)
        except BadContent as problem:
            covered += pack.size  # of a piece with a broken record nobody knows which bytes its entries stand for
            yield Record(at, problem=problem.words)
    yield Record(Locator(piece.file, 0), covered, kind=COVERED)


def _one_after_another(pack: ByteRanges, piece: Piece) -> Iterator[Record]:
    """Yield the records that begin in a part of a pack; what is broken is passed over, to the next magic number."""
    at: int | None = piece.start if piece.start == 0 else frames.next_record(pack, piece.start, piece.end)
    while at is not None and at < piece.end:
        place = Locator(piece.file, at)
        try:
            whole = frames.frame(pack, at)
        except BadContent as problem:
            yield Record(place, problem=problem.words)
            at = frames.next_record(pack, at + len(frames.MAGIC), piece.end)
            continue
        try:
            yield _in_frame(pack, whole, place)
        except BadContent as problem:
            yield Record(place, problem=problem.words)
        at = whole.end
    if at is not None and piece.end <= at < pack.size and pack.read(at, len(frames.MAGIC)) != frames.MAGIC:
        yield Record(Locator(piece.file, at), problem=frames.no_record(at))  # the next piece passes it over


def _record(pack: ByteRanges, at: Locator) -> Record:
    return _in_frame(pack, frames.frame(pack, at.offset), at)


def _in_frame(pack: ByteRanges, whole: frames.Frame, at: Locator) -> Record:
    """Say what a record is. Without bytes and with labels behind its header it is that of an identity."""
    begin = frames.payload(pack, whole, _BEGIN)
    before = head(begin, whole.size)
    size = whole.size - before.image
    if not size and before.labels:
        return Record(at, kind=IDENTITY_RECORD)
    image = begin[before.image :]
    return Record(at._replace(name=with_suffix(at.name, image)), size, identity(before.label))
