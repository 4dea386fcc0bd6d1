"""Zip files on the import path of a Spark worker, which Python would read anew for every task.

A worker forgets what it knows of its import path before each task. Python 3.11 then reads the directory of every zip
file on that path again. Spark puts its own jar there, with thousands of entries: more time than a small task takes.
"""

from __future__ import annotations

import sys
from zipimport import zipimporter

_WORKER = "pyspark.worker"


def keep_zip_directories() -> None:
    """In a Spark worker, let the zip files that are on the import path now be read no more: they do not change.

    Anywhere else this does nothing. A zip file that comes onto the path later is read as ever.
    """
    if _WORKER in sys.modules:
        for importer in sys.path_importer_cache.values():
            if isinstance(importer, zipimporter):
                importer.invalidate_caches = _nothing  # type: ignore[method-assign]


def _nothing() -> None:
    return None
