"""The exports that the configuration asks for: those that are missing are written, then CURRENT names the run."""

from __future__ import annotations

import logging
from functools import partial

from facesieve.core import tables
from facesieve.core.errors import ConfigError, Fault, InvariantError
from facesieve.core.places import absolute
from facesieve.core.sections import Publish
from facesieve.core.side_by_side import side_by_side
from facesieve.core.tables import Cleaned
from facesieve.images.sources import source
from facesieve.images.storage import Storage, why_unwritable
from facesieve.lake.listed_snapshot import images_as_listed
from facesieve.lake.run import Run, Stage
from facesieve.publish import exports
from facesieve.publish.folder_export import export_folders
from facesieve.publish.parquet_export import export_parquet
from facesieve.publish.table import with_bytes

_log = logging.getLogger(__name__)


def check_export_root(settings: Publish) -> None:
    """Raise ConfigError if exports are asked for and cannot be written to their root."""
    if not settings.outputs:
        return
    problem = why_unwritable(absolute(settings.export_root))
    if problem is None and exports.pointer_is_folder(Storage(absolute(settings.export_root))):
        problem = f"{settings.export_root}/{exports.CURRENT} is a folder"
    if problem:
        raise ConfigError([Fault("publish.export_root", problem, "Give a place that this job may write.")])


def write_exports(stage: Stage, rows: int) -> int:
    """Write the exports that are not there yet, under the run that made `cleaned`; return how many were written.

    rows: of the table `cleaned`. Raises InvariantError if an export holds another number.
    """
    run = stage.run
    settings = run.config.publish
    if not settings.outputs:
        return 0
    root = Storage(absolute(settings.export_root))
    made_by = run.at[tables.CLEANED.name]
    target, version = root.child(made_by.run), str(made_by.version)
    written = Cleaned(stage.read(tables.CLEANED))
    missing = [output for output in settings.outputs if not exports.is_complete(target, output, version)]
    exporting = (partial(_export, run, output, written, target, version) for output in missing)
    for output, exported in zip(missing, side_by_side(run.spark, *exporting), strict=True):
        if exported != rows:
            target.delete_tree(f"{output}/{exports.SUCCESS}")
            raise InvariantError(f"the export {output} holds {exported} images, the table cleaned {rows}")
        _log.info(f"publish: export {output} written")
    exports.point_current(root, made_by.run)
    return len(missing)


def _export(run: Run, output: str, written: Cleaned, target: Storage, version: str) -> int:
    if output == "parquet":
        return export_parquet(written, target, run.config.publish.buckets, version)
    return _export_folders(run, written, target, version)


def _export_folders(run: Run, written: Cleaned, target: Storage, version: str) -> int:
    if run.config.publish.bytes:
        return export_folders(written, None, target, version)
    images = source(images_as_listed(run))
    if images.carries_content:
        return export_folders(with_bytes(run, written), None, target, version)
    return export_folders(written, images.fetch(), target, version)
