"""The content of images that were listed: carried by their rows, or fetched and compared with what was listed."""

from __future__ import annotations

import hashlib

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.images.protocol import Fetch, Source


def with_content(images: DataFrame, origin: Source) -> DataFrame:
    """Add to rows with a uri the column content, where the source carries it; else it is null, to be fetched."""
    if not origin.carries_content:
        return images.withColumn("content", F.lit(None).cast("binary"))
    return images.join(origin.images(images.sparkSession).select("uri", "content"), "uri", how="left")


def listed_content(uri: str, sha256: str | None, fetch: Fetch) -> tuple[bytes | None, str | None]:
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
