"""Uris of what lies in an archive: `people/lfw.zip!/Ann/1.jpg`, and what such a uri means as a path of folders."""

from __future__ import annotations

import posixpath
import re
from typing import NamedTuple

from pyspark.sql import Column
from pyspark.sql import functions as F

from facesieve.images.uris import to_uri

MARK = "!/"
"""What stands between the uri of an archive and the name of a member."""

_SUFFIX = r"\.(?:zip|tar|tar\.gz|tgz)"
_ARCHIVE = re.compile(rf".*[^/]{_SUFFIX}", re.IGNORECASE | re.DOTALL)
_MEMBER = re.compile(rf"(?P<archive>.*?[^/]{_SUFFIX})!/(?P<name>.*)", re.IGNORECASE | re.DOTALL)
_ENDS = re.compile(rf"(?<=[^/]){_SUFFIX}!?/", re.IGNORECASE)
_GZIPPED = re.compile(r"\.(?:tar\.gz|tgz)$", re.IGNORECASE)
_HOME = rf"(?is)^(.*?[^/]{_SUFFIX})!/"


class MemberUri(NamedTuple):
    """The uri of an archive, and the name of a member in it."""

    archive: str
    name: str


def is_archive(uri: str) -> bool:
    """Say by its suffix whether a file is an archive that is read.

    >>> is_archive("a/b.TAR.GZ"), is_archive("a/b.gz"), is_archive("a/.zip")
    (True, False, False)
    """
    return _ARCHIVE.fullmatch(uri) is not None


def is_tar(uri: str) -> bool:
    """Say by its suffix whether a file is a tar archive, compressed or not."""
    return is_archive(uri) and not uri.lower().endswith(".zip")


def is_gzipped(uri: str) -> bool:
    """Say by its suffix whether an archive is one stream, which has no place to begin at but its start."""
    return _GZIPPED.search(uri) is not None


def member_of(uri: str) -> MemberUri | None:
    """Return archive and member of a uri; None for the uri of a file of its own.

    >>> member_of("a/b.tar!/c/1.jpg"), member_of("a/1.jpg")
    (MemberUri(archive='a/b.tar', name='c/1.jpg'), None)
    """
    match = _MEMBER.fullmatch(uri) if MARK in uri else None
    return MemberUri(match["archive"], match["name"]) if match else None


def as_folders(uri: str, root: str = "") -> str:
    """Return a uri in which an archive is a folder of its name; nothing where the archive is `images.root` itself.

    >>> as_folders("a/Ann.zip!/1.jpg"), as_folders("lfw.tar.gz!/Ann/1.jpg", "/data/lfw.tar.gz"), as_folders("a/1.jpg")
    ('a/Ann/1.jpg', 'Ann/1.jpg', 'a/1.jpg')
    """
    member = member_of(uri)
    if member is None:
        return uri
    is_root = is_archive(root) and posixpath.basename(root.rstrip("/")) == member.archive
    return member.name if is_root else _ENDS.sub("/", f"{member.archive}{MARK}", count=1) + member.name


def without_suffix(uri: str) -> str:
    """Return the uri that a folder has into which an archive is unpacked.

    >>> without_suffix("a/lfw.tar.gz")
    'a/lfw'
    """
    return _ENDS.sub("", f"{uri}/", count=1)


def clean_name(raw: bytes) -> tuple[str, bool]:
    """Return the name of a member as a uri has it, and whether it leads out of the archive.

    >>> clean_name(b"./Ann//1.jpg"), clean_name(b"../1.jpg"), clean_name(b"/etc/1.jpg")
    (('Ann/1.jpg', False), ('../1.jpg', True), ('/etc/1.jpg', True))
    """
    name = to_uri(raw)
    parts = [part for part in name.split("/") if part not in ("", ".")]
    leaves = name.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:/", name) is not None
    return (name if leaves else "/".join(parts)), leaves


def home() -> Column:
    """Return of the column `uri` the uri of the archive in which an image lies, else its own."""
    archive = F.regexp_extract("uri", _HOME, 1)
    return F.when(archive != "", archive).otherwise(F.col("uri"))


def is_in_gzip() -> Column:
    """Say of the column `uri` whether the image lies in a compressed archive."""
    return F.lower(F.regexp_extract("uri", _HOME, 1)).rlike(r"(\.tar\.gz|\.tgz)$")


def is_in_tar() -> Column:
    """Say of the column `uri` whether a member before it tells where the image lies: in a tar, compressed or not."""
    return F.lower(F.regexp_extract("uri", _HOME, 1)).rlike(r"\.(tar|tar\.gz|tgz)$")


def read_together() -> Column:
    """Return of the column `uri` what images that are read in one go share: a compressed archive, else each its own."""
    return F.when(is_in_gzip(), home()).otherwise(F.col("uri"))


def in_turn() -> Column:
    """Return of the column `uri` a text by whose order images are read in turn, where an archive has no list of places.

    Members of a tar follow each other, and those of a compressed one share a text. A file, and a member of a zip, are
    read by their place, so that their texts are scattered.
    """
    return F.when(is_in_tar(), read_together()).otherwise(F.hex(F.xxhash64("uri")))
