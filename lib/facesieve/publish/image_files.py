"""The image files of published images, read from the source and compared with what was listed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial

import pyarrow as pa

from facesieve.core.errors import ContractError
from facesieve.core.tables import Cleaned
from facesieve.publish.exports import Batches

Fetch = Callable[[str], bytes]

_LISTED = ("image_id", "uri", "sha256")


def with_bytes(cleaned: Cleaned, source_fetch: Fetch) -> Cleaned:
    """Fill the column `bytes` with the content of the image files, read on executors.

    A file that vanished or changed since it was listed fails the Spark job with a ContractError.
    """
    return Cleaned(cleaned.mapInArrow(partial(_fill, fetch=source_fetch), cleaned.schema))


def listed_content(uri: str, sha256: str, fetch: Fetch) -> tuple[bytes | None, str | None]:
    """Read an image file: its content if it is what was listed, else what is wrong.

    >>> import hashlib
    >>> listed_content("a.jpg", hashlib.sha256(b"a").hexdigest(), lambda uri: b"a")
    (b'a', None)
    >>> listed_content("a.jpg", "of another file", lambda uri: b"a")
    (None, 'has changed')
    """
    try:
        content = fetch(uri)
    except OSError:
        return None, "cannot be read"
    if hashlib.sha256(content).hexdigest() != sha256:
        return None, "has changed"
    return content, None


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
