"""Images apart from all others: what other images share with them is no sign of them, and stays.

A file that was changed in place leaves its path to the new image; a copy elsewhere has the same content and vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial, reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core import tables
from facesieve.core.hidden_paths import PathSeal
from facesieve.erasure.kernels.near import which_near
from facesieve.erasure.selection import WITH_IMAGES
from facesieve.erasure.subject import Subject
from facesieve.faces.arrow_groups import as_matrix
from facesieve.lake.catalog import Lake

_NUMBER = "number int"


def apart(lake: Lake, subject: Subject, cosine: float, seal: PathSeal | None = None) -> Subject:
    """Return a subject without the uris, digests and vectors (within a cosine) that another image has as well.

    seal: what hides the paths of this lake.
    """
    others = {name: _of_others(lake, subject, name) for name in ("uri", "sha256")}
    others["uri"] |= {seal.show(uri) for uri in others["uri"] if seal}
    shared = _near_others(lake, subject, cosine)
    return replace(
        subject,
        uris=tuple(uri for uri in subject.uris if uri not in others["uri"]),
        digests=tuple(digest for digest in subject.digests if digest not in others["sha256"]),
        vectors=tuple(vector for number, vector in enumerate(subject.vectors) if number not in shared),
    )


def _of_others(lake: Lake, subject: Subject, name: str) -> set[str]:
    """Return what other images have in a column, of what the subject has there, as the tables stand."""
    mine = subject.uris if name == "uri" else subject.digests
    here = ((table, lake.current(table)) for table in WITH_IMAGES if name in table.columns.names)
    rows = [lake.read(table, at).select("image_id", name) for table, at in here if at is not None]
    if not rows:
        return set()
    wanted = F.col(name).isin(*mine) & ~F.col("image_id").isin(*subject.images)
    others = reduce(DataFrame.unionByName, rows).where(wanted).select(name).distinct()
    return {row[name] for row in others.collect()}


def _near_others(lake: Lake, subject: Subject, cosine: float) -> set[int]:
    at = lake.current(tables.EMBEDDINGS)
    if at is None or not subject.vectors:
        return set()
    others = lake.read(tables.EMBEDDINGS, at).where(~F.col("image_id").isin(*subject.images)).select("vector")
    numbers = others.mapInArrow(partial(_numbers, vectors=subject.vectors, cosine=cosine), _NUMBER)
    return {row.number for row in numbers.distinct().collect()}


def _numbers(
    batches: Iterable[pa.RecordBatch], vectors: tuple[tuple[float, ...], ...], cosine: float
) -> Iterator[pa.RecordBatch]:
    """Yield the numbers of those vectors that a row is near to."""
    for batch in batches:
        for part in _of_a_width(pa.Table.from_batches([batch])):
            near = np.flatnonzero(which_near(vectors, as_matrix(part["vector"]), cosine))
            yield pa.record_batch({"number": pa.array(near, pa.int32())})


def _of_a_width(rows: pa.Table) -> Iterator[pa.Table]:
    """Cut rows by the length of their vectors: a lake may hold the faces of several models."""
    widths = pc.list_value_length(rows["vector"])
    for width in pc.unique(widths).to_pylist():
        if width:
            yield rows.filter(pc.equal(widths, width))
