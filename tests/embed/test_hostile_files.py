"""Whatever lies below the root: each file is a face, a reject with its reason, or ignored and counted."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import hostile
import numpy as np
import pytest
import stand_in
import tiny_model
from pyspark.sql import SparkSession

from facesieve.core.profiles import Crop, Profile
from facesieve.core.reasons import REJECTING
from facesieve.core.sections import Embed, Images
from facesieve.embed import embeddings as faces_of
from facesieve.embed.decoder_client import Decoder
from facesieve.embed.embeddings import Outcomes, ToEmbed
from facesieve.embed.listing import listing
from facesieve.embed.picture import Picture, Unusable
from facesieve.embed.worker import Plan
from facesieve.images.sources import source

EVERY = Embed(formats=hostile.FORMATS, detector="aligned")
MUTATED, SECONDS, MOST_SECONDS, SIDE = 2_000, 1.0, 5.0, 250
LONGEST_DETAIL = 120
FOLDER = "d\N{PILE OF POO}\n"

REFUSED = {
    "60000x60000-claim.png": "too_large: more pixels, embed.max_pixels is 50000000",
    "60000x60000-claim.jpg": "too_large: more pixels, embed.max_full_pixels is 250000000",
    "60000x60000-claim.bmp": "too_large: more pixels, embed.max_pixels is 50000000",
    "60000x60000-claim.gif": "too_large: more pixels, embed.max_pixels is 50000000",
    "60000x60000-claim.ppm": "too_large: more pixels, embed.max_pixels is 50000000",
    "60000x60000-claim.webp": "too_large: more pixels, embed.max_pixels is 50000000",
    "60000x1-claim.png": "bad_aspect: 60000 x 1 pixels",
    "7000x7000-claim.ppm": "undecodable: PPM: truncated: the last rows",
    "scans-1500.jpg": "undecodable: JPEG: more than 100 scans",
    "text-bomb.png": "undecodable: ValueError Decompressed data too large",
    "text-bombs.png": "undecodable: ValueError Too much memory used in text chunks",
    "profile-bomb.png": "undecodable: ValueError Decompressed data too large",
    "0x0-claim.png": "undecodable: PNG: the header is damaged",
    "0x0-claim.ppm": "undecodable: PPM: the header is damaged",
    "0x0-claim.jpg": "undecodable: JPEG: the header is damaged",
    "pointer.jpg": "wrong_type: no image format known here",
    "html.jpg": "wrong_type: no image format known here",
    "page.png": "wrong_type: no image format known here",
    "empty.jpg": "empty: 0 bytes",
    "none.jpg": "undecodable: JPEG: the header is damaged",
    "none.png": "undecodable: PNG: the header is damaged",
    "animated-cut.webp": "undecodable: ",
}
DECODED = {
    "scans-20.jpg": (600, 600),
    "chunks.png": (20, 20),
    "texts.png": (20, 20),
    "pixel-chunks.png": (20, 20),
    "exif.png": (20, 20),
    "exif.jpg": (120, 90),
    "profile.jpg": (120, 90),
    "comments.jpg": (120, 90),
    "doubled.jpg": (120, 90),
    "video-behind.jpg": (120, 90),
    "palette-short.png": (4, 4),
    "animated.gif": (60, 40),
    "animated.webp": (60, 40),
}
SAYING = {
    "say-2.jpg": (stand_in.CRASH, "undecodable: the decoder crashed (SIGSEGV)"),
    "say-4.jpg": (stand_in.HANG, "undecodable: decoding took longer than embed.max_seconds (1)"),
    "say-6.jpg": (stand_in.DEVOUR, "too_large: decoding takes more than embed.max_memory (268435456 bytes)"),
    "say-8.jpg": (stand_in.ABORT, "undecodable: the decoder crashed (SIGABRT)"),
}
BETWEEN = tuple(f"say-{place}.jpg" for place in (1, 3, 5, 7, 9))
NAMES = (
    "new\nline.jpg",
    "tab\tand\rreturn.jpg",
    "\N{GRINNING FACE}\N{ZERO WIDTH JOINER}.jpg",
    "\N{RIGHT-TO-LEFT OVERRIDE}gpj.jpg",
    "x" * 251 + ".jpg",
    "\N{GRINNING FACE}" * 62 + "xyz.jpg",
    "-rf ..jpg",
    " .jpg",
    "%2e%2e%2f#?&=+.jpg",
    "back\\slash'quote\"$(x)`y`;.jpg",
    "combining e\N{COMBINING ACUTE ACCENT}.jpg",
    "composed \N{LATIN SMALL LETTER E WITH ACUTE}.jpg",
)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    made = Decoder(EVERY)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def same_child(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever a test gives the decoder, its process lives from the first image to the last."""
    if "decoder" not in request.fixturenames:
        yield
        return
    made: Decoder = request.getfixturevalue("decoder")
    made.decode(hostile.sound()["00.jpg"])
    first = made._child
    yield
    assert first is not None
    assert made._child is first
    assert first.poll() is None


def outcome(decoder: Decoder, file: hostile.File) -> Picture | Unusable:
    """What becomes of a file; why it is unusable must be a reason of the vocabulary and one line without its name."""
    answer: Picture | Unusable
    try:
        answer = decoder.decode(file.content)
    except Unusable as why:
        answer = why
    if isinstance(answer, Unusable):
        assert answer.reason in REJECTING
        assert 0 < len(answer.detail) <= LONGEST_DETAIL
        assert answer.detail.isprintable(), f"{file.name}: {answer.detail!r}"
        assert file.name not in answer.detail
    else:
        assert answer.pixels.shape[2:] == (3,)
        assert 0 < answer.width * answer.height <= EVERY.max_full_pixels
        assert answer.pixels.size <= 3 * EVERY.max_pixels
    return answer


def test_mutated_files_cost_neither_the_decoder_nor_time(decoder: Decoder) -> None:
    seconds, found = [], Counter[str]()
    for file in hostile.mutated(MUTATED):
        started = time.perf_counter()
        answer = outcome(decoder, file)
        seconds.append(time.perf_counter() - started)
        found["refused" if isinstance(answer, Unusable) else "decoded"] += 1
    assert found.total() == MUTATED
    assert min(found["refused"], found["decoded"]) > MUTATED / 4, "the corpus should be neither sound nor hopeless"
    assert np.quantile(seconds, 0.99) <= SECONDS
    assert max(seconds) < MOST_SECONDS


def test_bombs_are_refused_by_what_they_say_and_oddities_are_decoded(decoder: Decoder) -> None:
    answers = {file.name: outcome(decoder, file) for file in hostile.bombs(large=False)}
    refused = {name: f"{why.reason.value}: {why.detail}" for name, why in answers.items() if isinstance(why, Unusable)}
    assert {name: refused.get(name, "decoded")[: len(said)] for name, said in REFUSED.items()} == REFUSED
    sizes = {name: (one.width, one.height) for name, one in answers.items() if isinstance(one, Picture)}
    assert {name: sizes.get(name, refused.get(name)) for name in DECODED} == DECODED
    assert not [name for name, said in refused.items() if "max_seconds" in said]


def test_the_corpus_is_the_same_for_the_same_seed() -> None:
    assert list(hostile.mutated(60, 1)) == list(hostile.mutated(60, 1)) != list(hostile.mutated(60, 2))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with damaged files, some that kill the stand-in, sound ones of odd names, and links that leave it."""
    root = tmp_path / "images"
    (root / FOLDER).mkdir(parents=True)
    sound = hostile.encoded(hostile.scene(SIDE, SIDE), "JPEG")
    for file in [*hostile.mutated(48, 3), *(one for one in hostile.bombs(large=False) if len(one.content) < 300_000)]:
        (root / file.name).write_bytes(file.content)
    for name in (*BETWEEN, *(f"{FOLDER}/{name}" for name in NAMES)):
        (root / name).write_bytes(sound)
    for name, (content, _) in SAYING.items():
        (root / name).write_bytes(content)
    (tmp_path / "outside.jpg").write_bytes(sound)
    links: dict[str, str | Path] = {
        "out.jpg": tmp_path / "outside.jpg",
        "up.jpg": "../outside.jpg",
        "folder.jpg": tmp_path,
    }
    links |= {"loop": ".", "self.jpg": "self.jpg", "gone.jpg": "nothing.jpg", "in.jpg": Path(FOLDER) / NAMES[0]}
    for name, target in links.items():
        (root / name).symlink_to(target)
    Path(os.fsdecode(os.fsencode(str(root)) + b"/\xff\xfe.jpg")).write_bytes(sound)
    return root


@pytest.fixture
def tiny(tmp_path: Path) -> Profile:
    return tiny_model.written(tmp_path, Crop(100.0, SIDE / 2, SIDE / 2))


def test_each_file_below_the_root_is_accounted_for(spark: SparkSession, root: Path, tiny: Profile) -> None:
    """In one task, so that every image comes after another in the same worker; a task that fails ends a local job."""
    spark.sparkContext.addPyFile(stand_in.__file__)
    images = Images(root=str(root))
    tree = source(images)
    listed = listing(tree.images(spark), None, images, tree.fetch())
    embed = Embed(detector="aligned", max_seconds=1.0, max_memory=1 << 28)
    plan = Plan(tiny, embed, "any", tree.fetch(), "stand_in:decode")
    rows = faces_of.listed_images(listed, tree).repartition(1).sortWithinPartitions("uri")
    outcome = Outcomes(faces_of.outcomes(ToEmbed(rows), plan).persist())
    embedded, rejected = faces_of.embeddings(outcome).collect(), faces_of.rejects(outcome).collect()
    uris = sorted(row.uri for row in listed.collect())
    assert sorted(row.uri for row in embedded + rejected) == uris
    faces = {row.uri: row.vector for row in embedded}
    refused = {row.uri: f"{row.reason}: {row.detail}" for row in rejected}
    below = [path for path in root.rglob("*") if path.is_symlink() or path.is_file()]
    assert len(uris) + tree.ignored(spark).files == len(below)
    assert {name: refused.get(name) for name in SAYING} == {name: said for name, (_, said) in SAYING.items()}
    assert {f"{FOLDER}/{name}" for name in NAMES} | {"in.jpg", *BETWEEN} <= set(faces)
    assert all(len(faces[name]) == tiny.dimension and faces[name] == faces["in.jpg"] for name in BETWEEN)
    assert not {"out.jpg", "up.jpg", "folder.jpg"} & set(uris), "links out of the root are ignored"
    assert all("cannot be read" in refused[name] for name in ("gone.jpg", "self.jpg") if name in uris)
    assert {"gone.jpg", "self.jpg"} & set(uris)
    assert not [uri for uri, said in refused.items() if uri in said]
    outcome.unpersist()
