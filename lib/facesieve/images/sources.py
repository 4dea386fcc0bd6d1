"""The registry of sources: which one the section `images` of the configuration names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from facesieve.core.sections import Images
from facesieve.images.files import FileTree
from facesieve.images.lake_tables.catalog_table import CatalogTable
from facesieve.images.parquet import ParquetSet
from facesieve.images.protocol import Source
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage
from facesieve.images.vectors.vector_set import vector_source

_SOURCES: Mapping[str, Callable[[str, Images], Source]] = {
    "files": lambda root, images: FileTree(root, Rules.of(images)),
    "parquet": lambda root, images: ParquetSet(root, images.columns),
    "table": lambda _root, images: CatalogTable.of(images),
    "vectors": vector_source,
}
"""`images.format` -> (root, settings) -> source."""


def source(images: Images) -> Source:
    """Return the source that the section `images` names; a local root becomes absolute, for the workers."""
    return _SOURCES[images.format](str(Storage(images.root).folder or images.root), images)
