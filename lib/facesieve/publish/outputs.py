"""The exports that the configuration asks for: those that are missing are written, then CURRENT names the run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault, InvariantError
from facesieve.core.places import absolute
from facesieve.core.sections import OUTPUTS, Publish
from facesieve.core.side_by_side import side_by_side
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage, why_unwritable
from facesieve.lake.run import Run, Stage
from facesieve.publish import exports
from facesieve.publish.clean_list_export import export_clean_list
from facesieve.publish.crop_export import export_crops
from facesieve.publish.export_work import Work, edition
from facesieve.publish.folder_export import export_folders
from facesieve.publish.named import named
from facesieve.publish.parquet_export import export_parquet
from facesieve.publish.pictures import files_of
from facesieve.publish.shards.huggingface_export import export_huggingface
from facesieve.publish.shards.recordio_export import export_recordio
from facesieve.publish.shards.webdataset_export import export_webdataset
from facesieve.publish.split_words import is_split_word
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

    rows: of the table `cleaned`. Raises InvariantError if an export holds another number. What an export that fails has
    written is deleted again.
    """
    run = stage.run
    settings = run.config.publish
    if not settings.outputs:
        return 0
    root = Storage(absolute(settings.export_root))
    made_by = run.at[tables.CLEANED.name]
    target, cleaned = root.child(made_by.run), Cleaned(stage.read(tables.CLEANED))
    editions = {output: edition(output, made_by.version, settings) for output in OUTPUTS if output in settings.outputs}
    missing = [output for output, asked in editions.items() if not exports.is_complete(target, output, asked)]
    if missing:
        exports.claim(target)
        cleaned = named(run, cleaned)
        _warn_of_split_words(run, cleaned, missing)
        exports.write_labels(cleaned, target)
    works = {output: Work(stage, cleaned, target, editions[output]) for output in missing}
    side_by_side(run.spark, *(partial(_export, output, work, rows) for output, work in works.items()))
    exports.point_current(root, made_by.run)
    return len(missing)


def _export(output: str, work: Work, rows: int) -> None:
    """Write one export; what it has written is deleted again if it fails."""
    with exports.whole_or_gone(work.target, output):
        written = _EXPORTS[output](work)
        if written != rows:
            raise InvariantError(f"the export {output} holds {written} images, the table cleaned {rows}")
    _log.info(f"publish: export {output} written")


def _warn_of_split_words(run: Run, cleaned: Cleaned, missing: Sequence[str]) -> None:
    """Warn of people whose folder Hugging Face's ImageFolder takes for a part of the data set."""
    outputs = [output for output in missing if output in ("folders", "crops")]
    if not outputs:
        return
    misleading = cleaned.where(is_split_word(F.col("identity")))
    people = misleading.agg(F.count_distinct("identity").alias("people"), F.min("identity").alias("example")).collect()
    if people[0].people:
        # The ledger keeps warnings, and where names are not stored it holds none.
        example = f", such as {people[0].example}" if run.config.lake.store_names else ""
        run.warn(
            "publish: names that Hugging Face's imagefolder takes for a part of the data set: "
            f"{count(people[0].people)}{example}. README.md in {' and '.join(outputs)} says how to "
            "load them; the output huggingface needs no such care"
        )


def _parquet(work: Work) -> int:
    return export_parquet(work.cleaned, work.target, work.settings.buckets, work.edition, work.split)


def _folders(work: Work) -> int:
    run, fetch = work.stage.run, files_of(work.stage.run, work.cleaned).read.fetch
    rows = work.cleaned if fetch or work.settings.bytes else with_bytes(run, work.cleaned)
    return export_folders(rows, fetch, work.target, work.edition, work.split)


def _crops(work: Work) -> int:
    return export_crops(work.cleaned, work.crops(), work.suffix, work.target, work.edition, work.split)


def _clean_list(work: Work) -> int:
    return export_clean_list(work.cleaned, work.target, work.edition, work.split)


_EXPORTS: Mapping[str, Callable[[Work], int]] = {
    "parquet": _parquet,
    "folders": _folders,
    "crops": _crops,
    "webdataset": lambda work: export_webdataset(work.samples(), work.target),
    "huggingface": lambda work: export_huggingface(work.samples(), work.target),
    "recordio": lambda work: export_recordio(work.samples(), work.target),
    "clean_list": _clean_list,
}
"""By output: what writes it and returns the rows of the table that it holds."""
