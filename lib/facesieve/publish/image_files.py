"""The image files of published images, read from the source and compared with what was listed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pyarrow as pa

from facesieve.core.errors import ContractError
from facesieve.core.tables import Cleaned
from facesieve.images.listed_content import listed_content
from facesieve.images.protocol import Fetch
from facesieve.publish.exports import Batches

_LISTED = ("image_id", "uri", "sha256")


def with_bytes(cleaned: Cleaned, source_fetch: Fetch) -> Cleaned:
    """Fill the column `bytes` with the content of the image files, read on executors.

    A file that vanished or changed since it was listed fails the Spark job with a ContractError.
    """
    return Cleaned(cleaned.mapInArrow(partial(_fill, fetch=source_fetch), cleaned.schema))


def _fill(batches: Batches, fetch: Fetch) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        contents = []
        for image_id, uri, sha256 in zip(*(batch[name].to_pylist() for name in _LISTED), strict=True):
            content, problem = listed_content(uri, sha256, fetch)
            if problem:
                raise ContractError(f"the file of image {image_id} {problem} since it was listed; run the job again")
            contents.append(content)
        at = batch.schema.get_field_index("bytes")
        columns = [*batch.columns[:at], pa.array(contents, pa.binary()), *batch.columns[at + 1 :]]
        yield pa.RecordBatch.from_arrays(columns, schema=batch.schema)
