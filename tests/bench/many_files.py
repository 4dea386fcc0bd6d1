"""Listing many files or Parquet rows: how long it takes, and what the driver's memory does meanwhile.

    python tests/bench/many_files.py [--files 200000] [--bytes 16] [--folder-of 40] [--flat]
                                     [--parquet FILES | --shards SHARDS [--gzip] [--archives]]

Files of a few bytes are made in folders of `--folder-of` each (`--flat`: all in one folder), then walked and listed
(names, sizes, SHA-256 of each) as the job does. With `--parquet` they are rows of so many Parquet files. With
`--shards` they are samples of so many shards of a WebDataset, and the bytes that are read of each shard are counted.
With `--archives` the same shards are read as archives in a tree of files.
Memory is the greatest resident size of the driver's Python process and of the JVM, above what they had before. The
files go to a temporary folder and are removed.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import shard_reads
from bench_environment import session

from facesieve.core.sections import Images
from facesieve.embed.listing import listing, listing_key
from facesieve.images.sources import source


def make(root: Path, options: argparse.Namespace) -> None:
    """Write the files, each with bytes of its own."""
    noise, folder_of = random.Random(0), options.files if options.flat else options.folder_of
    for number in range(options.files):
        folder = root / f"person-{number // folder_of:07d}"
        if number % folder_of == 0:
            folder.mkdir()
        (folder / f"{number}.jpg").write_bytes(noise.randbytes(options.bytes))


def as_parquet(root: Path, target: Path, files: int) -> None:
    """Write the files below a root as rows of Parquet files."""
    found = sorted(root.rglob("*.jpg"))
    for number in range(files):
        paths = found[number::files]
        columns = {
            "uri": [str(path.relative_to(root)) for path in paths],
            "bytes": [path.read_bytes() for path in paths],
            "identity": [path.parent.name for path in paths],
        }
        pq.write_table(pa.table(columns), target / f"{number:05d}.parquet", row_group_size=1_000)


def resident(pid: int) -> float:
    """Megabytes of memory that a process has."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Watch(threading.Thread):
    """The greatest resident size of some processes, above that at the start."""

    def __init__(self, pids: dict[str, int]) -> None:
        super().__init__(daemon=True)
        self.pids = pids
        self.before = {name: resident(pid) for name, pid in pids.items()}
        self.most = dict(self.before)
        self.over = threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.2):
            for name, pid in self.pids.items():
                self.most[name] = max(self.most[name], resident(pid))

    def summary(self) -> str:
        parts = (f"{name} {self.before[name]:.0f} -> {self.most[name]:.0f} MB" for name in self.pids)
        return ", ".join(parts)


def main() -> None:
    """Make the files, list them twice (the second time digests are known), and print seconds and memory."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--files", type=int, default=200_000)
    arguments.add_argument("--folder-of", type=int, default=40)
    arguments.add_argument("--bytes", type=int, default=16)
    arguments.add_argument("--flat", action="store_true")
    arguments.add_argument("--parquet", type=int, default=0)
    arguments.add_argument("--shards", type=int, default=0)
    arguments.add_argument("--gzip", action="store_true")
    arguments.add_argument("--archives", action="store_true")
    options = arguments.parse_args()
    spark = session()
    java = spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory() as root, tempfile.TemporaryDirectory() as packed:
        make(Path(root), options)
        images, former = Images(root=root), None
        if options.parquet:
            as_parquet(Path(root), Path(packed), options.parquet)
            images = Images(root=packed, format="parquet")
        if options.shards:
            shard_reads.write(Path(root), Path(packed), options.shards, gzip=options.gzip)
            images = Images(root=packed, format="files" if options.archives else "webdataset")
        for name in ("first listing", "again, nothing new"):
            watch = Watch({"driver": os.getpid(), "JVM": java})
            watch.start()
            started = time.perf_counter()
            tree = shard_reads.counted(source(images), Path(root) / "reads") if options.shards else source(images)
            tree.check()
            rows = listing(tree.images(spark), former, images, tree.fetch())
            key = listing_key(rows)
            taken = time.perf_counter() - started
            watch.over.set()
            print(f"{name}: {rows.count():,} images in {taken:.1f} s, {watch.summary()}, key {key[:12]}")
            former = rows
            if options.shards:
                print(shard_reads.summary(Path(root) / "reads", Path(packed)))
    spark.stop()


if __name__ == "__main__":
    main()
