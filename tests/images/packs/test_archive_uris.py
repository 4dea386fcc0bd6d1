from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from facesieve.images.packs.archive_uris import (
    as_folders,
    clean_name,
    home,
    in_turn,
    is_in_gzip,
    is_in_tar,
    is_tar,
    member_of,
)
from facesieve.images.uris import to_uri

NAMES = st.text(alphabet="ab./!\\é", max_size=12)
ARCHIVES = st.sampled_from(("a.zip", "x/b.TAR", "c.tar.gz", "d!/e.tgz"))


@given(ARCHIVES, NAMES)
def test_archive_and_name_come_apart_again(archive: str, name: str) -> None:
    member = member_of(f"{archive}!/{name}")
    assert member is not None
    assert (member.archive, member.name) == (archive, name)


def test_what_only_looks_like_an_archive_is_none() -> None:
    assert [member_of(uri) for uri in ("a.zip/1.jpg", "zip!/1.jpg", ".zip!/1.jpg", "a/.tar!/1.jpg", "a.gz!/1")] == [
        None
    ] * 5
    assert (is_tar("a.zip"), is_tar("a.TGZ")) == (False, True)


def test_an_archive_counts_as_a_folder_and_the_root_as_none() -> None:
    assert as_folders("a.zip!/b.zip!/1.jpg") == "a/b.zip!/1.jpg"
    assert as_folders("a.zip!/1.jpg", "s3://bucket/a.zip") == "1.jpg"
    assert as_folders("a.zip!/1.jpg", "/data/other.zip") == "a/1.jpg"


@given(st.binary(max_size=12))
def test_a_clean_name_never_leaves_and_keeps_all_else(raw: bytes) -> None:
    name, leaves = clean_name(raw)
    assert leaves or not {"", ".", ".."} & set(name.split("/")[:-1])
    if b"/" not in raw and raw not in (b"", b".", b".."):
        assert name == to_uri(raw)


def test_spark_tells_the_archive_as_python_does(spark: SparkSession) -> None:
    uris = ["a.zip!/1.jpg", "x/b.TAR.GZ!/c.zip!/1.jpg", "a/1.jpg", "line\n.tgz!/1", ".zip!/1.jpg"]
    rows = spark.createDataFrame([(uri,) for uri in uris], "uri string").select("uri", home(), is_in_gzip()).collect()
    assert {row[0]: row[1] for row in rows} == {uri: (member_of(uri) or [uri])[0] for uri in uris}
    assert [row[0] for row in rows if row[2]] == [uris[1], uris[3]]


def test_what_follows_in_a_tar_follows_in_its_texts_and_all_else_is_scattered(spark: SparkSession) -> None:
    uris = ["a.tar!/2.jpg", "a.tar!/1.jpg", "b.TGZ!/2.jpg", "b.TGZ!/1.jpg", "c.zip!/1.jpg", "c.zip!/2.jpg", "d.jpg"]
    frame = spark.createDataFrame([(uri,) for uri in uris], "uri string")
    rows = frame.select("uri", in_turn().alias("text"), is_in_tar().alias("in_tar")).collect()
    assert [row.uri for row in rows if row.in_tar] == uris[:4]
    texts = {row.uri: row.text for row in rows}
    assert [texts[uri] for uri in uris[:4]] == [*uris[:2], "b.TGZ", "b.TGZ"]
    assert len({text[:4] for uri, text in texts.items() if uri in uris[4:]}) == 3
