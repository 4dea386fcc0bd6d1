"""The registry of sources: which one the section `images` of the configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from facesieve.core.sections import Images
from facesieve.images.files import FileTree
from facesieve.images.packs import verification
from facesieve.images.packs.msceleb import MSCeleb
from facesieve.images.packs.pack_set import PackSet
from facesieve.images.packs.recordio import RecordIO
from facesieve.images.packs.tfrecord import TFRecord
from facesieve.images.parquet import ParquetSet
from facesieve.images.protocol import Source
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage

_SOURCES: Mapping[str, Callable[[str, Images], Source]] = {
    "files": lambda root, images: FileTree(root, Rules.of(images)),
    "parquet": lambda root, images: ParquetSet(root, images.columns),
    "recordio": lambda root, images: PackSet(root, RecordIO(), images.ignore),
    "tfrecord": lambda root, images: PackSet(root, TFRecord(images.columns), images.ignore),
    "msceleb": lambda root, images: PackSet(root, MSCeleb(), images.ignore),
    verification.FORMAT: lambda root, images: PackSet(root, verification.Verification(), images.ignore),
}
"""`images.format` -> (root, settings) -> source; verification sets are for `decide.protected` alone."""


def source(images: Images) -> Source:
    """Return the source that the section `images` names; a local root becomes absolute, for the workers."""
    return _SOURCES[images.format](str(Storage(images.root).folder or images.root), images)
