from __future__ import annotations

import hashlib
import tarfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark import TaskContext
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from facesieve.core import ids
from facesieve.core.errors import ContractError
from facesieve.core.frames import many_tasks
from facesieve.core.sections import Images
from facesieve.core.tables import LISTING, Listing
from facesieve.embed.listing import Digests, check_uris, checked, listing, listing_key
from facesieve.images.packs.archives import ArchiveFetch
from facesieve.images.protocol import SourceImages
from facesieve.images.sources import source

CONTENT = {"flat.jpg": b"flat", "p/1.jpg": b"one", "p/q r%/2\n.jpg": b"two", "p/copy.jpg": b"one"}
FOLDERS = {"flat.jpg": None, "p/1.jpg": "p", "p/q r%/2\n.jpg": "q r%", "p/copy.jpg": "p"}


@pytest.fixture
def tree(tmp_path: Path) -> Images:
    root = tmp_path / "images"
    for name, content in CONTENT.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return Images(root=str(root))


def _listing(spark: SparkSession, images: Images, former: Listing | None = None) -> Listing:
    tree = source(images)
    return listing(tree.images(spark), former, images, tree.fetch())


def _rows(table: Listing) -> dict[str, Row]:
    return {row.uri: row for row in table.collect()}


def test_every_image_has_its_digest_identity_and_id(spark: SparkSession, tree: Images) -> None:
    table = _listing(spark, tree)
    assert table.columns == LISTING.columns.names
    rows = _rows(table)
    assert {uri: row.sha256 for uri, row in rows.items()} == {
        uri: hashlib.sha256(content).hexdigest() for uri, content in CONTENT.items()
    }
    assert {uri: row.identity for uri, row in rows.items()} == FOLDERS
    assert all(row.image_id == ids.image_id(uri, row.sha256) for uri, row in rows.items())
    assert rows["p/1.jpg"].sha256 == rows["p/copy.jpg"].sha256
    assert rows["p/1.jpg"].image_id != rows["p/copy.jpg"].image_id


@pytest.mark.parametrize(
    ("rule", "identities"),
    [
        ("none", {None}),
        (r"^(?P<identity>[^/]+)/", {None, "p"}),
        (r"(?P<identity>[a-z]*)(/q.*/)?\d", {None, "p"}),
    ],
)
def test_identity_rules(spark: SparkSession, tree: Images, rule: str, identities: set[str | None]) -> None:
    rows = _rows(_listing(spark, replace(tree, identity=rule)))
    assert {row.identity for row in rows.values()} == identities
    assert rows["flat.jpg"].identity is None


def test_an_image_that_cannot_be_read_is_a_row_without_digest(spark: SparkSession, tree: Images) -> None:
    origin = source(tree)
    images = SourceImages(origin.images(spark).persist())
    assert images.count() == 4
    Path(tree.root, "p/1.jpg").unlink()
    Path(tree.root, "flat.jpg").unlink()
    Path(tree.root, "flat.jpg").mkdir()
    Path(tree.root, "p/dangling.jpg").symlink_to("nowhere")
    rows = _rows(listing(images, None, tree, origin.fetch()))
    assert {uri for uri, row in rows.items() if row.sha256 is None} == {"p/1.jpg", "flat.jpg"}
    assert rows["p/1.jpg"].image_id == ids.image_id("p/1.jpg", None)
    assert _rows(_listing(spark, tree))["p/dangling.jpg"].sha256 is None


def _forbidden(uri: str) -> bytes:
    raise AssertionError(uri)


def test_digests_are_reused_where_uri_size_and_time_are_equal(spark: SparkSession, tree: Images) -> None:
    former = _listing(spark, tree)
    images = source(tree).images(spark)
    assert _rows(listing(images, former, tree, _forbidden)) == _rows(former)
    Path(tree.root, "p/1.jpg").write_bytes(b"new")  # same size, another time
    Path(tree.root, "p/5.jpg").write_bytes(b"five")
    marked = Listing(former.withColumn("sha256", F.lit("reused")))
    digests = {uri: row.sha256 for uri, row in _rows(_listing(spark, tree, marked)).items()}
    fresh = {"p/1.jpg": hashlib.sha256(b"new").hexdigest(), "p/5.jpg": hashlib.sha256(b"five").hexdigest()}
    assert digests == {uri: fresh.get(uri, "reused") for uri in [*CONTENT, "p/5.jpg"]}


def test_an_image_that_was_unread_is_tried_again(spark: SparkSession, tree: Images) -> None:
    former = _listing(spark, tree)
    unread = Listing(former.withColumn("sha256", F.lit(None).cast("string")))
    assert _rows(_listing(spark, tree, unread)) == _rows(former)


@dataclass(frozen=True)
class _Counting(ArchiveFetch):
    """Writes down which task reads which archive."""

    log: str = ""

    def __call__(self, uri: str) -> bytes:
        context = TaskContext.get()
        with open(self.log, "a", encoding="utf-8") as log:
            log.write(f"{context.partitionId() if context else 'none'} {uri.partition('!/')[0]}\n")
        return super().__call__(uri)


def test_a_tar_in_a_tree_is_gone_through_by_one_task_or_by_two_that_share_it(
    spark: SparkSession, tmp_path: Path
) -> None:
    root, log, tars = tmp_path / "in", tmp_path / "log", 6
    for number in range(tars):
        (root / f"{number}").mkdir(parents=True)
        (root / f"{number}" / "alone.jpg").write_bytes(b"alone")
        with tarfile.open(root / f"{number}" / "faces.tar", "w") as archive:
            for member in range(40):
                archive.addfile(tarfile.TarInfo(f"Ann/{member}.jpg"))
    images = Images(root=str(root))
    tree = source(images)
    rows, fetch = tree.images(spark), tree.fetch()
    assert isinstance(fetch, ArchiveFetch)
    table = listing(rows, None, images, _Counting(fetch.storage, fetch.archives, str(log)))
    assert table.where("sha256 IS NOT NULL").count() == tars * 41
    pairs = {tuple(line.split()) for line in log.read_text(encoding="utf-8").splitlines()}
    shares = Counter(archive for _, archive in pairs if archive.endswith(".tar"))
    assert set(shares) == {f"{number}/faces.tar" for number in range(tars)}
    assert shares.total() <= tars + many_tasks(spark) - 1


def _parquet(root: Path, uris: list[str | None], content: list[bytes | None], **more: list[str | None]) -> Images:
    root.mkdir()
    columns = {"uri": pa.array(uris, pa.string()), "bytes": pa.array(content, pa.binary()), **more}
    pq.write_table(pa.table(columns), root / "1.parquet")
    return Images(root=str(root), format="parquet")


def test_parquet_content_is_hashed_without_fetching(spark: SparkSession, tmp_path: Path) -> None:
    images = _parquet(tmp_path / "set", ["x/a", "b", "c"], [b"one", b"", None], identity=["p", "", None])
    content = source(images).images(spark)
    rows = _rows(listing(content, None, images, _forbidden))
    assert {uri: (row.identity, row.size, row.modified, row.sha256) for uri, row in rows.items()} == {
        "x/a": ("p", 3, None, hashlib.sha256(b"one").hexdigest()),
        "b": (None, 0, None, hashlib.sha256(b"").hexdigest()),
        "c": (None, 0, None, None),
    }
    former = Listing(listing(content, None, images, _forbidden).withColumn("sha256", F.lit("reused")))
    assert _rows(listing(content, former, images, _forbidden)) == rows
    fresh = Digests(former.where("uri = 'x/a'").select("uri", "sha256"))
    digests = {uri: row.sha256 for uri, row in _rows(listing(content, None, images, _forbidden, fresh)).items()}
    assert digests == {"x/a": "reused", "b": rows["b"].sha256, "c": None}


def test_null_and_repeated_uris_are_refused_with_their_counts(spark: SparkSession, tmp_path: Path) -> None:
    images = _parquet(tmp_path / "set", ["a", None, "a", "b", None, "a"], [b"x"] * 6)
    problems = "uri is null in 2 rows.*uri repeats another in 2 rows"
    with pytest.raises(ContractError, match=problems):
        listing(source(images).images(spark), None, images, _forbidden)
    with pytest.raises(ContractError, match=problems):
        check_uris(source(images).images(spark))


def test_a_collision_of_ids_is_refused(spark: SparkSession, tree: Images) -> None:
    table = _listing(spark, tree)
    doubled = F.when(F.col("uri").like("p/%"), F.lit(7)).otherwise(F.col("image_id"))
    with pytest.raises(ContractError, match="image_id collides in 2 rows"):
        checked(Listing(table.withColumn("image_id", doubled.cast("bigint"))))


def _changed(column: str) -> Callable[[Listing], Listing]:
    changes = {
        "image_id": F.col("image_id").bitwiseXOR(1),
        "uri": F.concat("uri", F.lit(" ")),
        "identity": F.coalesce("identity", F.lit("")),
        "size": F.coalesce(F.col("size") + 1, F.lit(0)),
        "modified": F.col("modified") + F.expr("INTERVAL 1 MICROSECOND"),
        "sha256": F.lit(None).cast("string"),
    }
    return lambda table: Listing(table.withColumn(column, changes[column]))


def test_the_key_follows_the_rows_and_nothing_else(spark: SparkSession, tree: Images) -> None:
    for number in range(40):
        Path(tree.root, "p", f"many{number}.jpg").write_bytes(b"%d" % number)
    table = _listing(spark, tree)
    key = listing_key(table)
    assert len(key) == 64
    assert {listing_key(Listing(table.orderBy(F.desc("uri")).repartition(parts))) for parts in (1, 7)} == {key}
    assert listing_key(Listing(table.where("uri != 'p/1.jpg'"))) != key
    for column in LISTING.columns.names:
        assert listing_key(_changed(column)(table)) != key, column
    assert len(listing_key(Listing(table.limit(0)))) == 64
