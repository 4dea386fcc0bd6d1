"""A model is trained on what comes out: TensorFlow reads each export for an epoch, and a head learns on the vectors.

    python tests/bench/trains.py [IMAGES]      # LFW's people with ten images and more; 2,000 images by default

Runs the job with all exports and a split by image. Reads each export to its end as a training loop does (decoded, at
160 x 160, batches of 32) and compares the images of each split and label with the manifest. Trains a softmax head on
FaceNet's vectors of `train`, by the labels of the export, and prints the share of `test` that it names rightly. Embeds
some aligned faces of `crops` again: their cosine to the vector of the table says whether they are what the model got.
"""

from __future__ import annotations

import collections
import csv
import io
import shutil
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import tensorflow as tf
from bench_environment import DATA, PROFILES, ROOT, run_job
from PIL import Image
from results import note
from trainers import records

from facesieve import models
from facesieve.core import profiles
from facesieve.core.sections import OUTPUTS

Sample = tuple[bytes, int]
Counts = collections.Counter[tuple[str, int]]

PLACE = ROOT / "build" / "bench" / "trains"
SIDE, BATCH, AGAIN = 160, 32, 256
SPLITS = ("train", "validation", "test")
LEAST = 10
"""Images of a person who is taken."""


def main(arguments: list[str]) -> None:
    """Make the exports, read each, train."""
    if not DATA.exists():
        print(f"skipped: {DATA} does not exist")
        return
    run = exported(int(arguments[0]) if arguments else 2_000)
    expected = counts_of(run / "folders" / "manifest.csv")
    print(f"{expected.total()} images of {len({label for _, label in expected})} people: {by_split(expected)}")
    seconds = {}
    for output, read in READERS.items():
        began, counts = time.monotonic(), Counts()
        for split in SPLITS:
            for label in epoch(partial(read, run, split)):
                counts[split, label] += 1
        seconds[output] = time.monotonic() - began
        agrees = "as in the manifest" if counts == expected else f"NOT as in the manifest: {by_split(counts)}"
        print(f"{output:12} {counts.total()} images in {seconds[output]:.1f} s, {agrees}")
        if counts != expected:
            sys.exit(1)
    right, people = head(run)
    print(f"softmax head: {right:.4f} of test named rightly, one of {people} people by chance {1 / people:.4f}")
    least, mean = cosines(run)
    print(f"crops embedded again: cosine to the table {least:.6f} at least, {mean:.6f} on average")
    to_folders = {f"{output}_to_folders": each / seconds["folders"] for output, each in seconds.items()}
    note("trains", right=right, cosine=least, **to_folders)


def exported(images: int) -> Path:
    """Run the job on some of LFW and return the folder of its exports."""
    shutil.rmtree(PLACE, ignore_errors=True)
    everybody = sorted((DATA / "lfw" / "images").iterdir())
    files = [file for each in everybody if len(own := sorted(each.iterdir())) >= LEAST for file in own[:20]][:images]
    for file in files:
        (PLACE / "images" / file.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, PLACE / "images" / file.parent.name / file.name)
    settings = {
        "lake.root": PLACE / "lake",
        "images.root": PLACE / "images",
        "embed.detector": "aligned",
        "link.scope": "identity",
        "publish.apply": True,
        "publish.export_root": PLACE / "exports",
        "publish.outputs": f"[{','.join(repr(output) for output in OUTPUTS)}]",
        "publish.split": "image",
    }
    record = run_job("sieve", settings)
    print(f"publish: {record['stages']['publish']['seconds']} s for {len(OUTPUTS)} exports")
    return PLACE / "exports" / (PLACE / "exports" / "CURRENT").read_text()


def rows_of(manifest: Path) -> list[dict[str, str]]:
    """The rows of a manifest."""
    with manifest.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def counts_of(manifest: Path) -> Counts:
    """Images by split and label."""
    return Counts((row["split"], int(row["label"])) for row in rows_of(manifest))


def by_split(counts: Counts) -> dict[str, int]:
    """Images by split."""
    return {split: sum(count for (part, _), count in counts.items() if part == split) for split in SPLITS}


def epoch(samples: Callable[[], Iterator[Sample]]) -> Iterator[int]:
    """Let TensorFlow decode and batch the samples, and yield the labels of what came out."""

    def decoded(content: tf.Tensor, label: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        image = tf.io.decode_image(content, channels=3, expand_animations=False)
        return tf.image.resize(image, (SIDE, SIDE)), label

    signature = (tf.TensorSpec((), tf.string), tf.TensorSpec((), tf.int64))
    data = tf.data.Dataset.from_generator(samples, output_signature=signature)
    for images, labels in data.map(decoded, num_parallel_calls=tf.data.AUTOTUNE).batch(BATCH).prefetch(2):
        if images.shape[1:] != (SIDE, SIDE, 3):
            raise ValueError(images.shape)
        yield from labels.numpy().tolist()


def from_folders(run: Path, split: str, output: str = "folders") -> Iterator[Sample]:
    """By the manifest."""
    for row in rows_of(run / output / "manifest.csv"):
        if row["split"] == split:
            yield (run / output / row["path"]).read_bytes(), int(row["label"])


def from_crops(run: Path, split: str) -> Iterator[Sample]:
    """By the manifest."""
    return from_folders(run, split, "crops")


def from_webdataset(run: Path, split: str) -> Iterator[Sample]:
    """Shard by shard, member by member."""
    for shard in sorted((run / "webdataset" / split).glob("*.tar")):
        with tarfile.open(shard, "r|") as tar:
            picture = b""
            for member in tar:
                content = (tar.extractfile(member) or io.BytesIO()).read()
                if member.name.endswith(".jpg"):
                    picture = content
                elif member.name.endswith(".cls"):
                    yield picture, int(content)


def from_huggingface(run: Path, split: str) -> Iterator[Sample]:
    """Row group by row group."""
    for file in sorted((run / "huggingface" / "data").glob(f"{split}-*.parquet")):
        for batch in pq.ParquetFile(file).iter_batches(BATCH, columns=["image", "label"]):
            for row in batch.to_pylist():
                yield row["image"]["bytes"], row["label"]


def from_recordio(run: Path, split: str) -> Iterator[Sample]:
    """By the index."""
    for record in records(run / "recordio", split):
        yield record.content, int(record.label)


def from_clean_list(run: Path, split: str) -> Iterator[Sample]:
    """The files where they are, by the names of labels.csv."""
    labels = {row["identity"]: int(row["label"]) for row in rows_of(run / "labels.csv")}
    for line in (run / "clean_list" / f"{split}.txt").read_text(encoding="utf-8").splitlines():
        identity, uri = line.split("\t")
        yield (PLACE / "images" / uri).read_bytes(), labels[identity]


READERS: dict[str, Callable[[Path, str], Iterator[Sample]]] = {
    "folders": from_folders,
    "crops": from_crops,
    "webdataset": from_webdataset,
    "huggingface": from_huggingface,
    "recordio": from_recordio,
    "clean_list": from_clean_list,
}


def head(run: Path) -> tuple[float, int]:
    """Train a softmax layer on the vectors of `train`; return the share of `test` it names rightly, and the people."""
    data = vectors(run)
    people = int(data["label"].max()) + 1
    part = {split: data["split"] == split for split in SPLITS}
    tf.keras.utils.set_random_seed(0)
    layer = tf.keras.Sequential([tf.keras.layers.Rescaling(10.0), tf.keras.layers.Dense(people)])
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    layer.compile("adam", loss, metrics=["accuracy"])
    x, y = data["vector"], data["label"]
    held_out = (x[part["validation"]], y[part["validation"]])
    layer.fit(x[part["train"]], y[part["train"]], BATCH, epochs=20, verbose=0, validation_data=held_out)
    return float(layer.evaluate(x[part["test"]], y[part["test"]], verbose=0)[1]), people


def vectors(run: Path) -> dict[str, npt.NDArray[Any]]:
    """What the Parquet export has: split, label, face_id, vector."""
    table = ds.dataset(run / "parquet", format="parquet").to_table(["split", "label", "face_id", "vector"])
    columns = {name: np.array(table[name].to_pylist()) for name in ("split", "label", "face_id")}
    return columns | {"vector": np.array(table["vector"].to_pylist(), np.float32)}


def cosines(run: Path) -> tuple[float, float]:
    """Embed some crops again: the least and the mean cosine to the vectors of the table."""
    embedder = models.load(profiles.load("facenet", PROFILES))
    data = vectors(run)
    of_face = dict(zip(data["face_id"].tolist(), data["vector"], strict=True))
    rows = rows_of(run / "crops" / "manifest.csv")[:AGAIN]
    crops = [np.asarray(Image.open(run / "crops" / row["path"]), np.float32) for row in rows]
    embedded = np.concatenate([embedder.embed(np.stack(crops[at : at + BATCH])) for at in range(0, len(crops), BATCH)])
    same = (embedded * np.stack([of_face[int(row["face_id"])] for row in rows])).sum(axis=1)
    return float(same.min()), float(same.mean())


if __name__ == "__main__":
    main(sys.argv[1:])
