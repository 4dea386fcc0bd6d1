"""Shards of the export `webdataset` without the samples of a subject; an emptied shard stays, with no member."""

from __future__ import annotations

import tarfile
from collections.abc import Collection
from functools import partial
from typing import IO, BinaryIO

from facesieve.erasure.exported.manifest import Manifest
from facesieve.erasure.exported.own_files import opened
from facesieve.images.storage import Storage
from facesieve.publish.exports import whole_file


def take_from_tars(folder: Storage, manifest: Manifest) -> None:
    """Write the shards anew that hold the subject. Raises OSError, or one of NOT_WHOLE."""
    for path in manifest.paths:
        with opened(folder, path) as former, whole_file(folder, path) as new:
            _copy(former, new, manifest.numbers(path))


def _copy(former: BinaryIO, new: IO[bytes], without: Collection[int]) -> None:
    """Copy a shard member by member, but for some samples: a sample's members are called by its number."""
    writing = partial(tarfile.open, mode="w", format=tarfile.USTAR_FORMAT)
    with tarfile.open(fileobj=former, mode="r:") as whole, writing(fileobj=new) as tar:
        for member in whole:
            if int(member.name.partition(".")[0]) not in without:
                tar.addfile(member, whole.extractfile(member))
