"""Shards of a WebDataset, and how many bytes of each are read, by which processes: helpers of `many_files.py`."""

from __future__ import annotations

import io
import os
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

from facesieve.images.files import FileTree, Packs
from facesieve.images.protocol import Fetch, Source
from facesieve.images.rules import Rules
from facesieve.images.storage import Storage
from facesieve.images.walk import Entry


def write(root: Path, target: Path, shards: int, *, gzip: bool) -> None:
    """Write the files below a root as samples with their folder as label, dealt to shards in turn.

    Keys are numbers of nine digits, as the package's writers number them, so that they stand in the order of names.
    """
    files = sorted(root.rglob("*.jpg"), key=lambda file: int(file.stem))
    suffix, mode = (".tar.gz", "w:gz") if gzip else (".tar", "w")
    for number in range(shards):
        with tarfile.open(target / f"{number:06d}{suffix}", mode) as shard:  # type: ignore[call-overload]
            for file in files[number::shards]:
                _add(shard, f"{int(file.stem):09d}.jpg", file.read_bytes())
                _add(shard, f"{int(file.stem):09d}.cls", file.parent.name.encode())


def counted(origin: Source, log: Path) -> FileTree:
    """Return a source of archives that writes down what it reads."""
    if not isinstance(origin, FileTree):
        raise TypeError("no source of archives")
    log.unlink(missing_ok=True)
    packs = origin.packs
    entries, fetch = partial(_entries, packs, str(log)), partial(_fetch, packs, str(log))
    return FileTree(origin.root, origin.rules, origin.archive, Packs(entries, fetch, packs.loose))


def summary(log: Path, target: Path) -> str:
    """Say how often each shard was read, by its bytes, and by how many processes."""
    total, processes = defaultdict[tuple[str, str], int](int), defaultdict[str, set[str]](set)
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else ():
        why, process, name, size = line.split()
        total[why, name] += int(size)
        processes[why].add(process)
    sizes = {file.name: file.stat().st_size for file in target.iterdir()}
    parts = []
    for why in sorted(processes):
        times = [total[why, name] / size for name, size in sizes.items()]
        parts.append(f"{why}: {min(times):.2f} to {max(times):.2f} of each shard in {len(processes[why])} processes")
    every = [sum(total[why, name] for why in processes) / size for name, size in sizes.items()]
    return "; ".join([*parts, f"all: at most {max(every, default=0):.2f} of a shard"])


class _File(io.FileIO):
    """A file that writes down how many bytes were read of it, every hundred reads and at the end."""

    def __init__(self, path: bytes, log: str, why: str) -> None:
        super().__init__(path)
        self._log, self._why, self._path = log, why, path
        self._bytes = self._reads = 0

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        self._bytes, self._reads = self._bytes + len(part), self._reads + 1
        if self._reads % 100 == 0:
            self._write()
        return part

    def close(self) -> None:
        if not self.closed:
            self._write()
        super().close()

    def _write(self) -> None:
        with open(self._log, "a", encoding="utf-8") as log:
            log.write(f"{self._why} {os.getpid()} {os.path.basename(self._path).decode()} {self._bytes}\n")
        self._bytes = 0


@dataclass(frozen=True)
class _Counted(Storage):
    log: str
    why: str

    def opened(self, name: bytes) -> BinaryIO:
        return cast(BinaryIO, _File(self.local(name), self.log, self.why))


def _entries(packs: Packs, log: str, storage: Storage, file: Entry, rules: Rules) -> Iterator[Entry]:
    return packs.entries(_Counted(storage.root, log, "listed"), file, rules)


def _fetch(packs: Packs, log: str, storage: Storage, archives: int) -> Fetch:
    return packs.fetch(_Counted(storage.root, log, "fetched"), archives)


def _add(shard: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    shard.addfile(info, io.BytesIO(content))
