"""What was left out and could be an image, as sentences: how much of it, and what takes it in."""

from __future__ import annotations

from typing import NamedTuple

from facesieve.core.console import count
from facesieve.images import kinds
from facesieve.images.protocol import Ignored, IgnoredKind, Sort


class _Group(NamedTuple):
    """Kinds for which the same thing is to be done; what is to be done for a format is told by `_fix`."""

    kinds: frozenset[str]
    what: str
    fix: str


_GROUPS = (
    _Group(kinds.UNREADABLES, "they cannot be read, nor what is below", "Let the user of the job read them."),
    _Group(kinds.LINKS, "they are not followed", "images.follow_links = true follows links."),
    _Group(kinds.IMAGES, "they are none of images.suffixes", "Add the suffix to images.suffixes."),
    _Group(kinds.DECODABLE, "they are none of images.suffixes", ""),
    _Group(
        frozenset({kinds.IMAGE_FILE}),
        "they are not opened",
        'images.format = "files" reads a root of image files.',
    ),
    _Group(frozenset({kinds.UNNAMED_PARQUET}), "they are not read", "Give all Parquet files the suffix .parquet."),
    _Group(
        frozenset({kinds.HIDDEN_PARQUET}),
        "such names, also of a folder above, are no data",
        "Rename what is data.",
    ),
    _Group(frozenset({kinds.EMPTY_PACK}), "they hold nothing", "Copy them again."),
    _Group(
        frozenset({kinds.OUTSIDE_INDEX}),
        "the index is cut, or of another pack",
        "Copy the index (.idx) again, or delete it: without it every record is read.",
    ),
    _Group(
        frozenset({kinds.UNPACKED}),
        "the folder is read, and not the archive",
        "Rename or move one of them if they hold different images.",
    ),
    _Group(
        kinds.ARCHIVES,
        "they are not opened",
        'images.format = "files" reads .zip, .tar, .tar.gz and .tgz; unpack others, and archives inside archives.',
    ),
    _Group(kinds.PARQUET, "they are not opened", 'images.format = "parquet" reads a root of Parquet files.'),
    _Group(kinds.RECORDIO, "they are not opened", 'images.format = "recordio" reads a root of packs of MXNet.'),
    _Group(kinds.TFRECORD, "they are not opened", 'images.format = "tfrecord" reads a root of TFRecord files.'),
    _Group(kinds.FOREIGN, "their formats are not decoded", "Convert such images to JPEG or PNG."),
)


def warnings(ignored: Ignored) -> tuple[str, ...]:
    """Return one sentence for each group of kinds that could be images, with the key or the deed that takes it in."""
    groups = ((group, Ignored(_of_group(ignored, group))) for group in _GROUPS)
    return tuple(
        f"images.root: left out are {counts(those)}: {group.what}. {_fix(group, those.kinds)}"
        for group, those in groups
        if those.files
    )


def fixes(ignored: Ignored) -> tuple[str, ...]:
    """Return what takes in that which could be images: one sentence for each group of kinds."""
    groups = ((group, _of_group(ignored, group)) for group in _GROUPS)
    return tuple(_fix(group, those) for group, those in groups if those)


def counts(ignored: Ignored) -> str:
    """Return every kind with its count, as words: "3 .txt, 2 @eaDir"."""
    return ", ".join(f"{count(each.files)} {each.kind}" for each in ignored.kinds)


def _fix(group: _Group, those: tuple[IgnoredKind, ...]) -> str:
    """Say what takes in things of a group: for formats that may be decoded, the suffixes and the formats to add."""
    if group.fix:
        return group.fix
    suffixes = sorted({each.kind for each in those})
    formats = sorted({kinds.FORMATS[suffix] for suffix in suffixes})
    return f"Add {_listed(suffixes)} to images.suffixes, and {_listed(formats)} to embed.formats."


def _listed(words: list[str]) -> str:
    """Join words.

    >>> _listed(["a"]), _listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _of_group(ignored: Ignored, group: _Group) -> tuple[IgnoredKind, ...]:
    return tuple(each for each in ignored.of(Sort.MAYBE, Sort.UNREADABLE).kinds if each.kind in group.kinds)
