"""Samples of a WebDataset shard: a picture and what tells its label, under one key.

The libraries cut a name at its first dot, so that `J.Lo_1.jpg` and `J.Depp_1.jpg` are one sample to them. Here a suffix
is what is known as one, and the key is all before it: keys may have dots.

| members of a shard               | sample     | identity | entry                    |
| J.Lo_1.jpg, J.Lo_1.cls (Jen)     | J.Lo_1     | Jen      | the picture              |
| a.JPEG, a.json ({"identity": 7}) | a          | 7        | the picture              |
| b.cls                            | b          |          | b.*, a reject            |
| c.jpg, c.png                     | c          |          | c.*#2, a reject          |
| d.jpg, d.pose.npy                | d          |          | the picture; .npy counts |
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from facesieve.images import kinds
from facesieve.images.packs.archive_entries import Reading, litter, why_left_out
from facesieve.images.packs.archive_uris import MARK
from facesieve.images.packs.archives import ArchiveFetch
from facesieve.images.packs.members import Archive, Member
from facesieve.images.protocol import BadContent, Sort
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage
from facesieve.images.walk import Entry

NO_PICTURE = "the sample has no picture"
PICTURES = "the sample has {} pictures"
ANY = ".*"
"""What stands in the uri of a sample that lacks a picture for its suffix; with `#2` where there are two."""

_LABELS = (".cls", ".json", ".txt")
_MOST_LABEL, _MOST_NAME = 1 << 20, 255


class _Picture(NamedTuple):
    name: str
    size: int


@dataclass
class _Sample:
    """Pictures of a key, and its label by suffix; None is a label that names nobody."""

    pictures: list[_Picture] = field(default_factory=list)
    labels: dict[str, str | None] = field(default_factory=dict)

    def identity(self) -> str | None:
        """Return what cls says, else json, else txt."""
        return next(filter(None, map(self.labels.get, _LABELS[:2])), None) or (
            None if ".json" in self.labels else self.labels.get(".txt")
        )


def samples(storage: Storage, file: Entry, rules: Rules, name: str) -> Iterator[Entry]:
    """Yield an entry for each sample of a shard, and for each file in it that belongs to none.

    name: the field of a json file that holds the identity. The samples of one shard are in memory, without content.
    Raises StoreError where a store does not answer.
    """
    reading, by_key = Reading(storage, file), dict[str, _Sample]()
    for archive, member in reading.members():
        key, suffix = key_of(member.name)
        is_label = suffix in _LABELS
        why = litter(member, rules) if is_label else why_left_out(archive, member, rules)
        if why:
            yield Entry(f"{file.uri}{MARK}{member.name}", None, None, *why)
        elif is_label:
            by_key.setdefault(key, _Sample()).labels[suffix] = _label(archive, member, suffix, name)
        else:
            size = 0 if member.problem else member.size
            by_key.setdefault(key, _Sample()).pictures.append(_Picture(member.name, size))
    for key, sample in by_key.items():
        yield from _entries(f"{file.uri}{MARK}", key, sample, file.modified)
    yield from reading.ending()


def key_of(name: str) -> tuple[str, str]:
    """Return the key of a member and its suffix in lower case.

    >>> key_of("a/J.Lo_1.JPG"), key_of(".jpg"), key_of("0001")
    (('a/J.Lo_1', '.jpg'), ('.jpg', ''), ('0001', ''))
    """
    key, suffix = posixpath.splitext(name)
    return key, suffix.lower()


@dataclass(frozen=True)
class SampleFetch(ArchiveFetch):
    """From the uri of a sample's picture to its content. It can be pickled."""

    def member(self, archive: Archive, name: str) -> bytes:
        """Return the content of a picture. Raises BadContent for the uri of a sample without one, or with several."""
        sample, _, pictures = name.rpartition("#")
        if name.endswith(ANY) or (sample.endswith(ANY) and pictures.isdigit()):
            raise BadContent(NO_PICTURE if name.endswith(ANY) else PICTURES.format(pictures))
        return super().member(archive, name)


def _entries(shard: str, key: str, sample: _Sample, modified: int | None) -> Iterator[Entry]:
    number = len(sample.pictures)
    if number != 1:
        yield Entry(f"{shard}{key}{ANY}#{number}" if number else f"{shard}{key}{ANY}", 0, modified)
        return
    picture, identity = sample.pictures[0], sample.identity()
    yield Entry(f"{shard}{picture.name}", picture.size, modified, identity=identity)
    if sample.labels and None in sample.labels.values() and identity is None:
        yield Entry(f"{shard}{picture.name}", None, None, kinds.UNLABELLED, Sort.NO_IMAGE)


def _label(archive: Archive, member: Member, suffix: str, name: str) -> str | None:
    """Read who a sample shows; None where the file names nobody, or cannot be read as text."""
    if member.size > _MOST_LABEL:
        return None
    try:
        text = archive.content(member).decode("utf-8-sig").strip()
        value = json.loads(text).get(name) if suffix == ".json" else text
    except (BadContent, ValueError, AttributeError, RecursionError):
        return None
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    label = "" if value is None or isinstance(value, (dict, list, bool)) else str(value).strip()
    return label if label and len(label) <= _MOST_NAME and len(label.splitlines()) == 1 else None
