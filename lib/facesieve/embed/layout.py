"""What layout the images have, before anything is embedded: people and images of each, folders, names that mislead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import pyarrow as pa
from pyspark.sql import functions as F

from facesieve.core.sections import Images
from facesieve.core.side_by_side import side_by_side
from facesieve.embed.folder_names import FOLDERS, Folders, NestedNames, RepeatedNames, nested_names, repeated_names
from facesieve.embed.same_names import Identities, same_names, spellings
from facesieve.images.identity import IdentityRule, identity_rule
from facesieve.images.packs.archive_uris import as_folders
from facesieve.images.protocol import Ignored, Sort, SourceImages
from facesieve.lake.layout_record import LayoutRecord

_ROWS = 10_000  # folders of a batch that leaves the count


class Layout(NamedTuple):
    """The layout as counts, what was left out, warnings, and identities that are united (others -> what stays)."""

    record: LayoutRecord
    ignored: Ignored
    warnings: tuple[str, ...]
    united: Mapping[str, str]


def layout(images: SourceImages, settings: Images, ignored: Ignored) -> Layout:
    """Count people, images and folders. Only uris and identities are read, and one row per folder is persisted."""
    folders = _folders(images, settings)
    named = folders.where("identity IS NOT NULL").groupBy("identity").agg(F.sum("images").alias("images"))
    identities = Identities(named.persist())
    by_folder = settings.identity == "folder" and settings.format == "files" and not settings.labels
    looked: list[Any] = side_by_side(
        folders.sparkSession,
        lambda: same_names(identities),
        lambda: repeated_names(folders) if by_folder else RepeatedNames(),
        lambda: nested_names(folders) if by_folder else NestedNames(),
        lambda: _record(folders, identities, settings, ignored),
    )
    same, repeated, nested, bare = looked
    unite = settings.same_names == "unite" and same.total > 0
    stays = spellings(identities) if unite else {}
    record = replace(bare, same_names=same.total, repeated_folders=repeated.names)
    for frame in (folders, identities):
        frame.unpersist()
    warnings = (
        (same.total > 0 and not unite, same.warning),
        (repeated.names > 0, repeated.warning),
        (nested.names > 0, nested.warning),
    )
    return Layout(record, ignored, tuple(text for holds, text in warnings if holds), stays)


def _record(folders: Folders, identities: Identities, settings: Images, ignored: Ignored) -> LayoutRecord:
    depth = F.when(F.col("folder") == "", 0).otherwise(F.size(F.split("folder", "/")))
    nobody = F.when(F.col("identity").isNull(), F.col("images")).otherwise(0)
    total, unnamed, shallowest, deepest = folders.agg(
        F.sum("images"), F.sum(nobody), F.min(depth), F.max(depth)
    ).collect()[0]
    left_out = Counter[str]()  # a pattern of litter may be called like a suffix
    for each in ignored.kinds:
        left_out[each.kind] += each.files
    people, fewest, most = identities.agg(F.count("*"), F.min("images"), F.max("images")).collect()[0]
    in_folders = settings.format == "files"
    return LayoutRecord(
        images=total or 0,
        identities=people,
        unnamed=unnamed or 0,
        fewest=fewest,
        most=most,
        shallowest=shallowest if in_folders else None,
        deepest=deepest if in_folders else None,
        left_out=dict(left_out),
        examples={each.kind: each.example for each in ignored.of(Sort.MAYBE, Sort.UNREADABLE).kinds if each.example},
    )


def _folders(images: SourceImages, settings: Images) -> Folders:
    counter = _counter(identity_rule(settings), settings.root)
    counted = images.select("uri", "identity").mapInArrow(counter, FOLDERS)
    folders = counted.groupBy("folder", "identity").agg(F.sum("images").alias("images"))
    return Folders(folders.persist())


def _counter(rule: IdentityRule, root: str) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def counted(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counts = Counter[tuple[str, str | None]]()
        for batch in batches:
            pairs = zip(batch.column("uri").to_pylist(), batch.column("identity").to_pylist(), strict=True)
            counts.update((as_folders(uri or "", root).rpartition("/")[0], rule(uri, name)) for uri, name in pairs)
            if len(counts) >= _ROWS:
                yield _batch(counts)
                counts.clear()
        yield _batch(counts)

    return counted


def _batch(counts: Counter[tuple[str, str | None]]) -> pa.RecordBatch:
    folders, identities = ([key[place] for key in counts] for place in (0, 1))
    arrays = [pa.array(folders, pa.string()), pa.array(identities, pa.string()), pa.array(counts.values(), pa.int64())]
    return pa.RecordBatch.from_arrays(arrays, names=FOLDERS.names)
