import dataclasses
import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
import stand_in
from PIL import Image
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

from facesieve.core import ids, profiles
from facesieve.core.config import Embed
from facesieve.core.tables import EMBEDDINGS, REJECTS
from facesieve.embed import embeddings as stage
from facesieve.embed.perceptual_hash import perceptual_hash

MODELS = str(Path(__file__).resolve().parents[2] / "conf" / "models")
COLUMNS = "image_id bigint, uri string, sha256 string, size bigint, content binary"


def plan(profile, fetch=None, **settings):
    def unreadable(uri):
        raise FileNotFoundError(uri)

    embed = Embed(**{"detector": "aligned", **settings})
    return stage.Plan(profile, embed, profiles.model_id(profile, embed), fetch or unreadable)


def rows(spark, contents, partitions=2):
    """One image per uri: bytes are given as content; None means that the worker has to fetch it."""
    listed = []
    for uri, content in contents.items():
        sha256 = None if content is None else hashlib.sha256(content).hexdigest()
        size = None if content is None else len(content)
        listed.append((ids.image_id(uri, sha256), uri, sha256, size, content))
    return spark.createDataFrame(listed, COLUMNS).repartition(partitions, "image_id")


def by_uri(frame):
    return {row.uri: row for row in frame.collect()}


@pytest.fixture(scope="module")
def mobilefacenet(data: Path):
    return profiles.load("mobilefacenet", MODELS)


@pytest.fixture(scope="module")
def lfw(data: Path):
    stored = np.load(data / "lfw" / "embeddings.npz")
    chosen = [str(path) for path in stored["paths"][::1_900]]
    return {path: (data / "lfw" / "images" / path).read_bytes() for path in chosen}


def encoded(image, kind="PNG"):
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(("name", "file"), [("facenet", "facenet_embeddings"), ("mobilefacenet", "embeddings")])
def test_stored_embeddings_are_reproduced_from_fetched_files(
    spark: SparkSession, data: Path, facenet_weights: Path, lfw, name: str, file: str
) -> None:
    images, root = dict.fromkeys(lfw), str(data / "lfw" / "images")
    given = plan(profiles.load(name, MODELS), lambda uri: (Path(root) / uri).read_bytes(), batch_images=3)
    found = by_uri(stage.embeddings(stage.outcomes(rows(spark, images), given)))
    stored = np.load(data / "lfw" / f"{file}.npz")
    expected = dict(zip(stored["paths"].tolist(), stored["embeddings"], strict=True))
    assert set(found) == set(lfw)
    for uri, row in found.items():
        assert np.dot(row.vector, expected[uri]) / np.linalg.norm(expected[uri]) > 0.999
        assert row.face_id == ids.face_id(row.image_id, given.model, 0)
        assert (row.face_rank, row.landmarks, row.confidence, row.reasons) == (0, None, None, [])
        assert row.sharpness > 0
        assert (row.box.width, row.model) == (given.profile.crop.side, given.model)


def test_every_image_is_a_face_or_a_reject_and_none_stops_the_task(spark: SparkSession, mobilefacenet, lfw) -> None:
    sound = next(iter(lfw.values()))
    bad = {
        "empty.jpg": (b"", "empty"),
        "text.jpg": (b"not an image at all\n" * 50, "wrong_type"),
        "cut.jpg": (sound[: len(sound) // 2], "undecodable"),
        "gone.jpg": (None, "undecodable"),
        "long.png": (encoded(Image.new("RGB", (500, 20))), "bad_aspect"),
        "small.png": (encoded(Image.new("RGB", (60, 60))), "no_face"),
        "animated.gif": (encoded(Image.new("L", (250, 250)), "GIF"), "wrong_type"),
    }
    contents = lfw | {uri: content for uri, (content, _) in bad.items()}
    outcome = stage.outcomes(rows(spark, contents), plan(mobilefacenet))
    rejected = stage.rejects(outcome)
    assert rejected.columns == REJECTS.columns.names
    found = by_uri(rejected)
    assert {uri: row.reason for uri, row in found.items()} == {uri: reason for uri, (_, reason) in bad.items()}
    assert all(row.detail and uri not in row.detail for uri, row in found.items())
    faces = stage.embeddings(outcome)
    assert faces.columns == EMBEDDINGS.columns.names
    assert set(by_uri(faces)) == set(lfw)


def test_a_row_tells_the_size_and_the_hash_of_the_whole_upright_image(spark: SparkSession, mobilefacenet, lfw) -> None:
    picture = Image.open(io.BytesIO(next(iter(lfw.values())))).convert("RGB").crop((0, 10, 230, 250))
    lying, turned = io.BytesIO(), Image.Exif()
    turned[0x0112] = 6  # orientation: to be turned by a quarter
    picture.transpose(Image.Transpose.ROTATE_90).save(lying, "PNG", exif=turned)
    contents = {"upright.png": encoded(picture), "lying.png": lying.getvalue()}
    for row in stage.embeddings(stage.outcomes(rows(spark, contents), plan(mobilefacenet))).collect():
        assert (row.image_width, row.image_height) == picture.size == (230, 240)
        assert bytes(row.phash) == perceptual_hash(np.asarray(picture))


def test_partitions_and_batches_do_not_matter(spark: SparkSession, mobilefacenet, lfw) -> None:
    one = by_uri(stage.outcomes(rows(spark, lfw, 1), plan(mobilefacenet, batch_images=32)))
    many = by_uri(stage.outcomes(rows(spark, lfw, 5), plan(mobilefacenet, batch_images=2)))
    for uri, row in one.items():
        np.testing.assert_allclose(row.vector, many[uri].vector, atol=1e-5)
        assert (row.face_id, row.sharpness, row.phash) == (many[uri].face_id, many[uri].sharpness, many[uri].phash)


def test_all_faces_of_a_photograph_have_ranks_and_ids_of_their_own(
    spark: SparkSession, data: Path, mobilefacenet
) -> None:
    file = sorted((data / "lfw_colour" / "images" / "Tony_Blair").glob("*.jpg"))[1]
    side_by_side = Image.new("RGB", (500, 250))
    photograph = Image.open(file).convert("RGB")
    side_by_side.paste(photograph, (0, 0))
    side_by_side.paste(photograph.resize((200, 200)), (275, 25))
    contents = {"two.png": encoded(side_by_side), "grey.png": encoded(Image.new("RGB", (90, 90), "grey"))}
    given = plan(mobilefacenet, detector="mtcnn", faces="all")
    outcome = stage.outcomes(rows(spark, contents), given).persist()
    faces = sorted(stage.embeddings(outcome).collect(), key=lambda row: row.face_rank)
    areas = [row.box.width * row.box.height for row in faces]
    assert len(faces) >= 2
    assert [row.face_rank for row in faces] == list(range(len(faces)))
    assert areas == sorted(areas, reverse=True)
    assert len({row.face_id for row in faces}) == len(faces)
    assert np.dot(faces[0].vector, faces[1].vector) > 0.8
    assert {(row.image_width, row.image_height) for row in faces} == {(500, 250)}
    assert len({bytes(row.phash) for row in faces}) == 1
    assert [(row.uri, row.reason) for row in stage.rejects(outcome).collect()] == [("grey.png", "no_face")]


def test_a_small_face_in_a_large_photograph_is_cut_out_of_all_its_pixels(
    spark: SparkSession, data: Path, mobilefacenet
) -> None:
    file = sorted((data / "lfw_colour" / "images" / "Tony_Blair").glob("*.jpg"))[1]
    photograph = Image.open(file).convert("RGB")
    large = Image.new("RGB", (4_000, 3_000), "grey")
    large.paste(photograph, (3_001, 1_003))
    contents = {"large.jpg": encoded(large, "JPEG"), "small.png": encoded(photograph)}
    given = plan(mobilefacenet, detector="mtcnn")
    found = by_uri(stage.embeddings(stage.outcomes(rows(spark, contents), given)))
    one, other = found["large.jpg"], found["small.png"]
    assert (one.image_width, one.image_height) == (4_000, 3_000)
    assert abs(one.box.x - 3_001 - other.box.x) < 8
    assert abs(one.box.y - 1_003 - other.box.y) < 8
    assert np.dot(one.vector, other.vector) > 0.9
    assert one.sharpness > 0.6 * other.sharpness, "reduced pixels would be blurred"


def test_a_decoder_that_crashes_hangs_or_devours_costs_one_image_each(spark: SparkSession, mobilefacenet, lfw) -> None:
    spark.sparkContext.addPyFile(stand_in.__file__)
    bad = {
        "crash.jpg": (stand_in.CRASH, "the decoder crashed (SIGSEGV)"),
        "hang.jpg": (stand_in.HANG, "decoding took longer than embed.max_seconds (1)"),
        "abort.jpg": (stand_in.ABORT, "the decoder crashed (SIGABRT)"),
        "devour.jpg": (stand_in.DEVOUR, "decoding takes more than embed.max_memory (268435456 bytes)"),
    }
    sound = list(lfw.items())
    contents = dict(sound[:2]) | {uri: content for uri, (content, _) in bad.items()} | dict(sound[2:])
    given = plan(mobilefacenet, max_seconds=1.0, max_memory=1 << 28)
    outcome = stage.outcomes(rows(spark, contents, 1), dataclasses.replace(given, decode="stand_in:decode")).persist()
    assert {uri: row.detail for uri, row in by_uri(stage.rejects(outcome)).items()} == {
        uri: said for uri, (_, said) in bad.items()
    }
    assert set(by_uri(stage.embeddings(outcome))) == set(lfw)
    outcome.unpersist()


def test_an_altered_model_stops_the_job_with_its_digest(spark: SparkSession, mobilefacenet, lfw) -> None:
    altered = dataclasses.replace(mobilefacenet, sha256="f" * 64)
    with pytest.raises(PythonException, match="SHA-256"):
        stage.outcomes(rows(spark, lfw), plan(altered)).collect()
