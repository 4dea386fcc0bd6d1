"""The files of a model, read once into memory: what was digested is what is parsed.

A model is one file or a directory. Of a directory every file below it counts, so that none can be altered or added
unseen; what could point elsewhere (links, devices, names that are not plain) is refused.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from facesieve.core.errors import ModelError

MOST_BYTES = 2_000_000_000
"""Largest model that is read, all its files together. FaceNet has 91 MB; a graph beyond 2 GB TensorFlow cannot load."""
_MOST_FILES = 1_000
"""A checkpoint directory of a long training has some hundred files; more are not a model."""


@dataclass(frozen=True)
class ModelFiles:
    """A model's files: relative path -> content; a single file has the one key of its base name."""

    root: PurePath
    contents: Mapping[str, bytes]
    directory: bool = False

    @property
    def single(self) -> bytes:
        """The content, where the model is one file. Raises ModelError for a directory."""
        if self.directory:
            raise ModelError(f"{self.root} is a directory, one file is meant")
        return next(iter(self.contents.values()))

    @contextmanager
    def on_disk(self) -> Iterator[Path]:
        """Write the contents to a private temporary directory, for what reads files only.

        Gives the path that stands for `root`: the file, or the directory. It is gone after the block.
        """
        with tempfile.TemporaryDirectory(prefix="facesieve-model-") as name:
            folder = Path(name)
            for relative, content in self.contents.items():
                file = folder / relative
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            yield folder if self.directory else folder / next(iter(self.contents))


def read(path: Path, most_bytes: int = MOST_BYTES) -> ModelFiles:
    """Read a model's file, or all files of its directory.

    Raises ModelError if it is missing, empty, larger than `most_bytes`, or holds what is not a plain file.
    """
    try:
        if path.is_dir():
            return _directory(path, most_bytes)
        return ModelFiles(path, {path.name: _content(path, most_bytes, most_bytes)})
    except OSError as problem:
        raise ModelError(f"{path} cannot be read ({problem.strerror})") from None


def digest(files: ModelFiles) -> str:
    r"""Return the SHA-256 that a profile states, 64 hex digits.

    A single file: its own, as `sha256sum FILE` prints. A directory: that of the sorted lines `digest  relative/path`:

        (cd DIR && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | LC_ALL=C sort | sha256sum)
    """
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.contents.items()}
    if not files.directory:
        return next(iter(digests.values()))
    lines = sorted(f"{sha256}  {name}\n".encode() for name, sha256 in digests.items())
    return hashlib.sha256(b"".join(lines)).hexdigest()


def _directory(root: Path, most_bytes: int) -> ModelFiles:
    contents: dict[str, bytes] = {}
    left = most_bytes
    for file in _walked(root):
        contents[file.relative_to(root).as_posix()] = content = _content(file, left, most_bytes)
        left -= len(content)
    if not contents:
        raise ModelError(f"{root} is an empty directory")
    return ModelFiles(root, contents, directory=True)


def _walked(root: Path) -> list[Path]:
    """List the plain files below a directory, sorted; refuse whatever is neither that nor a directory."""
    entries: list[Path] = []
    for folder, names, files in os.walk(root):
        for name in [*names, *files]:
            entry = Path(folder) / name
            _check_entry(entry, root)
            if name in files:
                entries.append(entry)
        check_count(len(entries), str(root))
    return sorted(entries)


def _check_entry(entry: Path, root: Path) -> None:
    relative = entry.relative_to(root).as_posix()
    check_name(relative, str(root))
    shown = repr(relative)
    mode = entry.lstat().st_mode
    if stat.S_ISLNK(mode):
        raise ModelError(f"{root} holds {shown}, a link: put the file itself there")
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ModelError(f"{root} holds {shown}, which is not a plain file: take it away")


def check_count(files: int, root: str) -> None:
    """Raise ModelError if there are more files below `root` than a model has."""
    if files > _MOST_FILES:
        raise ModelError(f"{root} holds more than {_MOST_FILES} files: it is not a model's directory")


def check_name(relative: str, root: str) -> None:
    """Raise ModelError if a file below `root` may not be there, by its name."""
    name, shown = relative.rpartition("/")[2], repr(relative)
    if name.startswith("."):
        raise ModelError(f"{root} holds {shown}, a hidden file: take it away, only the model's files may be there")
    if not name.isprintable() or "\\" in name:
        raise ModelError(f"{root} holds {shown}: rename it, control characters and backslashes are not accepted")


def _content(file: Path, left: int, most_bytes: int) -> bytes:
    """Read a plain file, never more than is left of the bound, whatever its size is said to be."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise ModelError(f"{file} is not a plain file")
    with file.open("rb") as stream:
        content = stream.read(left + 1)
    check_size(len(content), left, str(file), most_bytes)
    return content


def check_size(size: int, left: int, file: str, most_bytes: int = MOST_BYTES) -> None:
    """Raise ModelError if a file is larger than what is left of the bound of the whole model."""
    if size > left:
        raise ModelError(f"{file} makes the model larger than {most_bytes:,} bytes, which is the bound")
