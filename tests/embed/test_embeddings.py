from __future__ import annotations

import dataclasses
import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import stand_in
from PIL import Image
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import Row as SparkRow

from facesieve.core import ids, profiles
from facesieve.core.profiles import Profile
from facesieve.core.sections import Embed
from facesieve.core.sections import Images as ImagesSection
from facesieve.core.tables import EMBEDDINGS, REJECTS
from facesieve.embed import embeddings as faces_of
from facesieve.embed.chunks.vectors import Basis
from facesieve.embed.embeddings import TO_EMBED, Outcomes, ToEmbed
from facesieve.embed.perceptual_hash import FACE_BYTES, perceptual_hash, turned_hash
from facesieve.embed.worker import Plan
from facesieve.images.protocol import Fetch
from facesieve.images.vectors.vector_set import VectorSet, vector_source

MODELS = str(Path(__file__).resolve().parents[2] / "conf" / "models")
Contents = Mapping[str, bytes | None]
Images = dict[str, bytes]


def plan(profile: Profile, fetch: Fetch | None = None, **settings: Any) -> Plan:
    def unreadable(uri: str) -> bytes:
        raise FileNotFoundError(uri)

    embed = Embed(**{"detector": "aligned", **settings})
    return Plan(profile, embed, profiles.model_id(profile, embed), fetch or unreadable)


def rows(spark: SparkSession, contents: Contents, partitions: int = 2) -> ToEmbed:
    """One image per uri: bytes are given as content; None means that the worker has to fetch it."""
    listed = []
    for uri, content in contents.items():
        sha256 = None if content is None else hashlib.sha256(content).hexdigest()
        size = None if content is None else len(content)
        listed.append((ids.image_id(uri, sha256), uri, sha256, size, content))
    return ToEmbed(spark.createDataFrame(listed, TO_EMBED).repartition(partitions, "image_id"))


def by_uri(frame: DataFrame) -> dict[str, SparkRow]:
    return {row.uri: row for row in frame.collect()}


@pytest.fixture(scope="module")
def mobilefacenet(data: Path) -> Profile:
    return profiles.load("mobilefacenet", MODELS)


@pytest.fixture(scope="module")
def lfw(data: Path) -> Images:
    stored = np.load(data / "lfw" / "embeddings.npz")
    chosen = [str(path) for path in stored["paths"][::1_900]]
    return {path: (data / "lfw" / "images" / path).read_bytes() for path in chosen}


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(("name", "file"), [("facenet", "facenet_embeddings"), ("mobilefacenet", "embeddings")])
def test_stored_embeddings_are_reproduced_from_fetched_files(
    spark: SparkSession, data: Path, facenet_weights: Path, lfw: Images, name: str, file: str
) -> None:
    images, root = dict.fromkeys(lfw), str(data / "lfw" / "images")
    settings = plan(profiles.load(name, MODELS), lambda uri: (Path(root) / uri).read_bytes(), batch_images=3)
    rows_of = by_uri(faces_of.embeddings(faces_of.outcomes(rows(spark, images), settings)))
    stored = np.load(data / "lfw" / f"{file}.npz")
    expected = dict(zip(stored["paths"].tolist(), stored["embeddings"], strict=True))
    assert set(rows_of) == set(lfw)
    for uri, row in rows_of.items():
        assert np.dot(row.vector, expected[uri]) / np.linalg.norm(expected[uri]) > 0.999
        assert row.face_id == ids.face_id(row.image_id, settings.model, 0)
        assert (row.face_rank, row.landmarks, row.confidence, row.reasons) == (0, None, None, [])
        assert row.sharpness > 0
        assert settings.profile.crop is not None
        assert (row.box.width, row.model) == (settings.profile.crop.side, settings.model)


def test_every_image_is_a_face_or_a_reject_and_none_stops_the_task(
    spark: SparkSession, mobilefacenet: Profile, lfw: Images
) -> None:
    sound = next(iter(lfw.values()))
    bad = {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"not an image at all\n" * 50, "wrong_type"),
        "cut.jpg": (sound[: len(sound) // 2], "undecodable"),
        "gone.jpg": (None, "undecodable"),
        "long.png": (encoded(Image.new("RGB", (500, 20))), "crop_outside"),
        "small.png": (encoded(Image.new("RGB", (60, 60))), "crop_outside"),
        "animated.gif": (encoded(Image.new("L", (250, 250)), "GIF"), "wrong_type"),
    }
    contents = lfw | {uri: content for uri, (content, _) in bad.items()}
    outcome = faces_of.outcomes(rows(spark, contents), plan(mobilefacenet))
    rejected = faces_of.rejects(outcome)
    assert rejected.columns == REJECTS.columns.names
    rows_of = by_uri(rejected)
    assert {uri: row.reason for uri, row in rows_of.items()} == {uri: reason for uri, (_, reason) in bad.items()}
    assert all(row.detail and uri not in row.detail for uri, row in rows_of.items())
    faces = faces_of.embeddings(outcome)
    assert faces.columns == EMBEDDINGS.columns.names
    assert set(by_uri(faces)) == set(lfw)


def test_a_row_tells_the_size_and_the_hash_of_the_whole_upright_image(
    spark: SparkSession, mobilefacenet: Profile, lfw: Images
) -> None:
    picture = Image.open(io.BytesIO(next(iter(lfw.values())))).convert("RGB").crop((0, 10, 230, 250))
    lying, turned = io.BytesIO(), Image.Exif()
    turned[0x0112] = 6  # orientation: to be turned by a quarter
    picture.transpose(Image.Transpose.ROTATE_90).save(lying, "PNG", exif=turned)
    contents = {"upright.png": encoded(picture), "lying.png": lying.getvalue()}
    for row in faces_of.embeddings(faces_of.outcomes(rows(spark, contents), plan(mobilefacenet))).collect():
        assert (row.image_width, row.image_height) == picture.size == (230, 240)
        assert bytes(row.phash) == perceptual_hash(np.asarray(picture))
        assert bytes(row.turned_phash) == turned_hash(np.asarray(picture))
        assert len(row.face_phash) == FACE_BYTES


def test_partitions_and_batches_do_not_matter(spark: SparkSession, mobilefacenet: Profile, lfw: Images) -> None:
    alone = by_uri(faces_of.outcomes(rows(spark, lfw, 1), plan(mobilefacenet, batch_images=32)))
    many = by_uri(faces_of.outcomes(rows(spark, lfw, 5), plan(mobilefacenet, batch_images=2)))
    for uri, row in alone.items():
        np.testing.assert_allclose(row.vector, many[uri].vector, atol=1e-5)
        for column in ("face_id", "sharpness", "phash", "face_phash", "turned_phash"):
            assert row[column] == many[uri][column]


def test_all_faces_of_a_photograph_have_ranks_and_ids_of_their_own(
    spark: SparkSession, data: Path, mobilefacenet: Profile
) -> None:
    file = sorted((data / "lfw_colour" / "images" / "Tony_Blair").glob("*.jpg"))[1]
    side_by_side = Image.new("RGB", (500, 250))
    photograph = Image.open(file).convert("RGB")
    side_by_side.paste(photograph, (0, 0))
    side_by_side.paste(photograph.resize((200, 200)), (275, 25))
    contents = {"two.png": encoded(side_by_side), "grey.png": encoded(Image.new("RGB", (90, 90), "grey"))}
    settings = plan(mobilefacenet, detector="mtcnn", faces="all")
    outcome = Outcomes(faces_of.outcomes(rows(spark, contents), settings).persist())
    faces = sorted(faces_of.embeddings(outcome).collect(), key=lambda row: row.face_rank)
    areas = [row.box.width * row.box.height for row in faces]
    assert len(faces) >= 2
    assert [row.face_rank for row in faces] == list(range(len(faces)))
    assert areas == sorted(areas, reverse=True)
    assert len({row.face_id for row in faces}) == len(faces)
    assert np.dot(faces[0].vector, faces[1].vector) > 0.8
    assert {(row.image_width, row.image_height) for row in faces} == {(500, 250)}
    assert len({bytes(row.phash) for row in faces}) == 1
    assert len({bytes(row.face_phash) for row in faces}) == len(faces)
    assert [(row.uri, row.reason) for row in faces_of.rejects(outcome).collect()] == [("grey.png", "no_face")]


def test_a_small_face_in_a_large_photograph_is_cut_out_of_all_its_pixels(
    spark: SparkSession, data: Path, mobilefacenet: Profile
) -> None:
    file = sorted((data / "lfw_colour" / "images" / "Tony_Blair").glob("*.jpg"))[1]
    photograph = Image.open(file).convert("RGB")
    large = Image.new("RGB", (4_000, 3_000), "grey")
    large.paste(photograph, (3_001, 1_003))
    contents = {"large.jpg": encoded(large, "JPEG"), "small.png": encoded(photograph)}
    settings = plan(mobilefacenet, detector="mtcnn")
    rows_of = by_uri(faces_of.embeddings(faces_of.outcomes(rows(spark, contents), settings)))
    small, other = rows_of["large.jpg"], rows_of["small.png"]
    assert (small.image_width, small.image_height) == (4_000, 3_000)
    assert abs(small.box.x - 3_001 - other.box.x) < 8
    assert abs(small.box.y - 1_003 - other.box.y) < 8
    assert np.dot(small.vector, other.vector) > 0.9
    assert small.sharpness > 0.6 * other.sharpness, "reduced pixels would be blurred"


def test_a_decoder_that_crashes_hangs_or_devours_costs_one_image_each(
    spark: SparkSession, mobilefacenet: Profile, lfw: Images
) -> None:
    spark.sparkContext.addPyFile(stand_in.__file__)
    bad = {
        "crash.jpg": (stand_in.CRASH, "the decoder crashed (SIGSEGV)"),
        "hang.jpg": (stand_in.HANG, "decoding took longer than embed.max_seconds (1)"),
        "abort.jpg": (stand_in.ABORT, "the decoder crashed (SIGABRT)"),
        "devour.jpg": (stand_in.DEVOUR, "decoding takes more than embed.max_memory (268435456 bytes)"),
    }
    sound = list(lfw.items())
    contents = dict(sound[:2]) | {uri: content for uri, (content, _) in bad.items()} | dict(sound[2:])
    settings = plan(mobilefacenet, max_seconds=1.0, max_memory=1 << 28)
    crashing = dataclasses.replace(settings, decode="stand_in:decode")
    outcome = Outcomes(faces_of.outcomes(rows(spark, contents, 1), crashing).persist())
    assert {uri: row.detail for uri, row in by_uri(faces_of.rejects(outcome)).items()} == {
        uri: detail for uri, (_, detail) in bad.items()
    }
    assert set(by_uri(faces_of.embeddings(outcome))) == set(lfw)
    outcome.unpersist()


def test_an_altered_model_stops_the_job_with_its_digest(
    spark: SparkSession, mobilefacenet: Profile, lfw: Images
) -> None:
    altered = dataclasses.replace(mobilefacenet, sha256="f" * 64)
    with pytest.raises(PythonException, match="SHA-256"):
        faces_of.outcomes(rows(spark, lfw), plan(altered)).collect()


def test_vectors_scaled_where_they_are_read_are_those_that_are_sent_there(spark: SparkSession, tmp_path: Path) -> None:
    array = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    array[3], array[4, 2] = 0, np.nan
    np.save(tmp_path / "a.npy", array)
    vectors, basis = vector_source(str(tmp_path), ImagesSection(root=str(tmp_path), format="vectors")), Basis(8, "m")
    assert isinstance(vectors, VectorSet)
    there = by_uri(faces_of.scaled_where_read(vectors, spark, basis))
    assert there == by_uri(faces_of.embedded(faces_of.unlisted_images(vectors.images(spark)), basis))
    assert (len(there), [uri for uri, row in there.items() if row.reason]) == (50, ["a.npy#3", "a.npy#4"])
