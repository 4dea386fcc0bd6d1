"""The registry of sources: which one the section `images` of the configuration names."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from pyarrow.fs import FileType
from pyspark.sql import SparkSession

from facesieve.core.sections import Images
from facesieve.images.files import FileTree
from facesieve.images.lake_tables.catalog_table import CatalogTable
from facesieve.images.packs import verification
from facesieve.images.packs.archive_uris import is_archive
from facesieve.images.packs.msceleb import MSCeleb
from facesieve.images.packs.pack_set import PackSet
from facesieve.images.packs.recordio import RecordIO
from facesieve.images.packs.tfrecord import TFRecord
from facesieve.images.packs.webdataset import webdataset
from facesieve.images.parquet import ParquetSet
from facesieve.images.protocol import Source
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage
from facesieve.images.vectors.vector_set import vector_source

_SOURCES: Mapping[str, Callable[[str, Images], Source]] = {
    "files": lambda root, images: FileTree(_folder(root), Rules.of(images), _archive(root)),
    "webdataset": lambda root, images: webdataset(_folder(root), images, _archive(root)),
    "parquet": lambda root, images: ParquetSet(root, images.columns),
    "recordio": lambda root, images: PackSet(root, RecordIO(), images.ignore),
    "tfrecord": lambda root, images: PackSet(root, TFRecord(images.columns), images.ignore),
    "msceleb": lambda root, images: PackSet(root, MSCeleb(), images.ignore),
    verification.FORMAT: lambda root, images: PackSet(root, verification.Verification(), images.ignore),
    "table": lambda _root, images: CatalogTable.of(images),
    "vectors": vector_source,
}
"""`images.format` -> (root, settings) -> source; verification sets are for `decide.protected` alone."""


def source(images: Images) -> Source:
    """Return the source that the section `images` names; a local root becomes absolute, for the workers."""
    return _SOURCES[images.format](str(Storage(images.root).folder or images.root), images)


def archives_of(origin: Source, spark: SparkSession) -> int:
    """Return in how many archives the images of a source lie; none where each is a file, or comes with its row."""
    return origin.archives(spark) if isinstance(origin, FileTree) else 0


def _archive(root: str) -> str:
    """Return the name of the archive that a root is; empty where the root is a folder."""
    place = root.partition("?")[0].rstrip("/")
    try:
        is_file = is_archive(place) and Storage(root).info().type == FileType.File
    except OSError:
        return ""  # `check` says what is wrong with the root
    return posixpath.basename(place) if is_file else ""


def _folder(root: str) -> str:
    """Return the folder of the archive that a root is, or the root itself."""
    if not _archive(root):
        return root
    place, question, options = root.partition("?")
    return f"{posixpath.dirname(place.rstrip('/'))}{question}{options}"
