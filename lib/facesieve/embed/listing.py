"""The listing: every image given to the run, with the digest of its content, its identity and its id.

An image that cannot be read is a row without a digest. Spark keeps the result (in memory, else on disk), so that
nothing is read twice between the check of its ids, its key and its commit.

Whose digest is known is not read: from the former listing, or because this run has just embedded it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import NewType

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from facesieve.core import ids
from facesieve.core.errors import ContractError
from facesieve.core.frames import columns, many_tasks
from facesieve.core.sections import VECTORS, Images
from facesieve.core.tables import LISTING, Listing, conform
from facesieve.embed.spread import spread_to_digest
from facesieve.images.identity import IdentityRule, identity_rule
from facesieve.images.protocol import Fetch, SourceImages

Digests = NewType("Digests", DataFrame)
"""The SHA-256 of images by uri, with the columns of DIGESTS."""

DIGESTS = columns("uri string, sha256 string")

_MOST_BYTES = 1 << 30  # the greatest embed.max_bytes: a larger file is never decoded, so it stays unread
_OWN_URI = "give every image a uri of its own (images.columns.uri names its column; empty = file and row number)"
_BUCKET_BITS = 10  # of an id: the rows of one bucket are digested in one task
_ARROW = to_arrow_schema(LISTING.columns)


def listing(
    images: SourceImages,
    former: Listing | None,
    settings: Images,
    fetch: Fetch,
    fresh: Digests | None = None,
    rule: IdentityRule | None = None,
) -> Listing:
    """Give every image of a source its SHA-256, identity and id.

    The digest of an image with equal uri, size and modification time in `former` is reused, and so is that of an image
    in `fresh`. Rows of Parquet have no modification time: without `fresh` their content is always hashed.
    The result is persisted. `rule` says who an image shows; None: `images.identity` alone.
    Raises ContractError if a uri is null or there twice, or if two images have one id.
    """
    rows = _with_digests(images, former, settings, fresh)
    # Files are small rows that take long to hash, and would be left in few tasks. Other rows carry their content.
    if not settings.carried:
        rows = spread_to_digest(rows, fetch, many_tasks(rows.sparkSession))
    hashed = rows.mapInArrow(_hasher(settings, rule or identity_rule(settings), fetch), LISTING.columns)
    return checked(Listing(conform(hashed, LISTING).persist()))


def checked(table: Listing) -> Listing:
    """Return `table` if every row has a uri of its own and an id of its own. Raises ContractError with the counts."""
    _check(table, "image_id")
    return table


def check_uris(images: SourceImages) -> None:
    """Raise ContractError, with the counts, unless every image of a source has a uri of its own."""
    _check(images, "uri")


def _check(rows: DataFrame, key: str) -> None:
    counts = rows.agg(
        F.count("*").alias("rows"),
        F.count("uri").alias("named"),
        F.count_distinct("uri").alias("uris"),
        F.count_distinct(key).alias("ids"),
    ).collect()[0]
    faults = (
        (counts["rows"] - counts["named"], f"listing.uri is null in {{}} rows: {_OWN_URI}"),
        (counts["named"] - counts["uris"], f"listing.uri repeats another in {{}} rows: {_OWN_URI}"),
        (counts["uris"] - counts["ids"], "listing.image_id collides in {} rows: rename one image of each pair"),
    )
    problems = [text.format(count) for count, text in faults if count > 0]
    if problems:
        raise ContractError("; ".join(problems))


def is_unread() -> Column:
    """Return a condition on rows of a listing: the content could not be read, though it is not too large for that."""
    size = F.coalesce("size", F.lit(1))
    return F.col("sha256").isNull() & (size > 0) & (size <= _MOST_BYTES)


def listing_key(table: Listing) -> str:
    """Digest the rows of a listing: 64 hex digits, the same for any partitioning and order of equal rows.

    Rows meet by the leading bits of their id, so the driver sees 1,024 digests at most.
    """
    columns = [F.unix_micros(name).alias(name) if name == "modified" else F.col(name) for name in LISTING.columns.names]
    rows = table.select(
        F.shiftrightunsigned("image_id", 64 - _BUCKET_BITS).alias("bucket"),
        F.sha2(F.to_json(F.struct(*columns)), 256).alias("row"),
    )
    sorted_rows = F.concat_ws("", F.sort_array(F.collect_list("row")))
    buckets = rows.groupBy("bucket").agg(F.sha2(sorted_rows, 256).alias("digest")).collect()
    lines = sorted(f"{row['bucket']:04d} {row['digest']}\n" for row in buckets)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def with_former_digests(images: SourceImages, former: Listing | None, settings: Images) -> DataFrame:
    """Add the column `digest`: that of an image with equal uri, size and modification time in `former`, else null."""
    if former is None or (settings.carried and settings.format != VECTORS):
        return images.withColumn("digest", F.lit(None).cast("string"))
    digests = former.select("uri", "size", "modified", F.col("sha256").alias("digest"))
    return images.join(digests, on=["uri", "size", "modified"], how="left")


def _with_digests(images: SourceImages, former: Listing | None, settings: Images, fresh: Digests | None) -> DataFrame:
    rows = with_former_digests(images, former, settings)
    if fresh is None:
        return rows
    joined = rows.join(fresh.select("uri", F.col("sha256").alias("fresh")), on="uri", how="left")
    return joined.withColumn("digest", F.coalesce("digest", "fresh"))


def _hasher(
    settings: Images, identity_of: IdentityRule, fetch: Fetch
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    fetch_file = None if settings.carried else fetch

    def hashed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            uris = batch.column("uri").to_pylist()
            names = batch.column("identity").to_pylist()
            digests = list(_digests(batch, fetch_file))
            columns = (
                [None if uri is None else ids.image_id(uri, sha256) for uri, sha256 in zip(uris, digests, strict=True)],
                uris,
                [identity_of(uri, name) for uri, name in zip(uris, names, strict=True)],
                batch.column("size"),
                batch.column("modified").cast(_ARROW.field("modified").type),
                digests,
            )
            arrays = [pa.array(column, field.type) for column, field in zip(columns, _ARROW, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=_ARROW)

    return hashed


def _digests(batch: pa.RecordBatch, fetch: Fetch | None) -> Iterator[str | None]:
    small = (batch.column(name).to_pylist() for name in ("uri", "size", "digest"))
    for uri, size, digest, content in zip(*small, batch.column("content"), strict=True):
        if digest is not None:
            yield digest
            continue
        whole = content.as_buffer() if content.is_valid else _readable(uri, size, fetch)
        yield None if whole is None else hashlib.sha256(whole).hexdigest()


def content_to_hash(uri: str | None, size: int | None, fetch: Fetch | None) -> bytes | None:
    """Return the content of an image; None if it is too large to be ever decoded. Raises OSError."""
    if fetch is None or uri is None or (size or 0) > _MOST_BYTES:
        return None
    return fetch(uri)


def _readable(uri: str | None, size: int | None, fetch: Fetch | None) -> bytes | None:
    try:
        return content_to_hash(uri, size, fetch)
    except OSError:
        return None
