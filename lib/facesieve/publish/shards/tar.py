"""A shard of WebDataset: a tar in which each sample is a picture, its label and what is known of it.

Keys are numbers of nine digits and have no dot, since readers cut a key at its first dot. A tar of equal samples has
equal bytes: no times, owners or modes of this machine.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from facesieve.publish.face_crops import Row
from facesieve.publish.shards.writing import Shard

_DESCRIBED = ("identity", "label", "uri", "image_id", "face_id", "sha256")


@dataclass(frozen=True)
class TarForm:
    """Begins shards whose pictures have the suffix `suffix`: the same for all, since readers ask for a suffix."""

    suffix: str

    @contextmanager
    def __call__(self, file: IO[bytes], path: str) -> Iterator[Shard]:
        """Begin a shard in a local file."""
        with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            yield _Tar(tar, self.suffix)


@dataclass(frozen=True)
class _Tar:
    tar: tarfile.TarFile
    suffix: str

    def add(self, sample: Row, content: bytes) -> None:
        """Write NUMBER.jpg, NUMBER.cls and NUMBER.json."""
        described = json.dumps({name: sample[name] for name in _DESCRIBED}, ensure_ascii=False)
        members = {self.suffix: content, "cls": str(sample["label"]).encode(), "json": described.encode("utf-8")}
        for suffix, member in members.items():
            info = tarfile.TarInfo(f"{sample['number']:09d}.{suffix}")
            info.size, info.mode = len(member), 0o644
            self.tar.addfile(info, io.BytesIO(member))
