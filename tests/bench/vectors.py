"""Vectors without images into the lake: seconds and memory of `jobs/embed.py`, against NumPy and Arrow alone.

    python tests/bench/vectors.py [--vectors 1000000] [--dimension 128] [--identities 50000]

The vectors are random, with a `.meta` file of identities beside them. The peer reads the array, scales it, digests
each row, and writes one Parquet file with the same columns in one process.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import watched
from bench_environment import ROOT
from results import note

from facesieve.core import ids
from facesieve.images.vectors.vector_rows import as_content

BLOCK = 100_000


def make(folder: Path, options: argparse.Namespace) -> None:
    """Write the vectors block by block, and one identity a line."""
    random = np.random.default_rng(0)
    shape = (options.vectors, options.dimension)
    array = np.lib.format.open_memmap(folder / "faces.npy", "w+", np.dtype("<f4"), shape)
    for first in range(0, options.vectors, BLOCK):
        rows = min(BLOCK, options.vectors - first)
        array[first : first + rows] = random.normal(size=(rows, options.dimension))
    array.flush()
    people = random.integers(0, options.identities, options.vectors)
    (folder / "faces.meta").write_text("".join(f"{person}\n" for person in people.tolist()))
    (folder / "mine.toml").write_text(f'form = "vectors"\ndimension = {options.dimension}\n')


def peer(folder: Path) -> float:
    """Do the same in one process; return the seconds."""
    began = time.monotonic()
    array, writer = np.load(folder / "faces.npy", mmap_mode="r"), None
    for first in range(0, len(array), BLOCK):
        vectors = np.array(array[first : first + BLOCK])
        digests = [hashlib.sha256(each).hexdigest() for each in as_content(vectors).to_pylist()]
        uris = [f"faces.npy#{first + row}" for row in range(len(vectors))]
        images = [ids.image_id(*pair) for pair in zip(uris, digests, strict=True)]
        faces = [ids.face_id(image, "mine", 0) for image in images]
        unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(unit.ravel()), unit.shape[1])
        names = ["face_id", "image_id", "uri", "sha256", "vector"]
        table = pa.table([pa.array(faces), pa.array(images), pa.array(uris), pa.array(digests), lists], names)
        writer = writer or pq.ParquetWriter(folder / "peer.parquet", table.schema, compression="zstd")
        writer.write_table(table)
    if writer:
        writer.close()
    return time.monotonic() - began


def main() -> None:
    """Make the vectors, bring them into a lake, and compare."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--vectors", type=int, default=1_000_000)
    arguments.add_argument("--dimension", type=int, default=128)
    arguments.add_argument("--identities", type=int, default=50_000)
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root, "in")
        folder.mkdir()
        make(folder, options)
        seconds = peer(folder)
        settings = {
            "images.root": folder / "faces.npy",
            "images.format": "vectors",
            "embed.model": folder / "mine.toml",
            "lake.root": Path(root, "lake"),
        }
        job = watched.run("embed", settings, ROOT / "build" / "bench" / "events")
        print(job.report("embed"))
        again = watched.run("embed", settings, ROOT / "build" / "bench" / "events")
    print(f"{options.vectors:,} vectors: job {job.seconds:.1f} s, again {again.seconds:.1f} s, peer {seconds:.1f} s")
    note("vectors", seconds=job.seconds, to_peer=job.seconds / seconds, worker_mb=job.worker / 1e6)


if __name__ == "__main__":
    main()
