"""Models that were fetched, once for all processes of a node: a folder that is this user's alone, by digest.

Nothing in the folder is trusted: the digest of what is read there is compared each time, and what differs is fetched
anew. Where the folder cannot be used (a full disk, a folder of somebody else), every process fetches for itself.
"""

from __future__ import annotations

import fcntl
import functools
import logging
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from facesieve.core.errors import ModelError, first_line
from facesieve.models.files import ModelFiles, digest, read

_log = logging.getLogger(__name__)

_LONGEST_WAIT = 900.0
"""Seconds for which a process waits for another one that fetches the same model; then it fetches for itself."""
_SINGLE, _TREE = "file", "directory"


def cached(sha256: str, fetch: Callable[[], ModelFiles]) -> ModelFiles:
    """Return the model of a digest, from this node if it is there; else what `fetch` returns, which is stored.

    What `fetch` returns may have another digest: then it is not stored, and the caller refuses it.
    """
    folder = cache_folder()
    if folder is None:
        return fetch()
    with _turn(folder / f"{sha256}.lock") as mine:
        stored = _stored(folder / sha256)
        if stored is not None and digest(stored) == sha256:
            return stored
        files = fetch()
        if mine and digest(files) == sha256:
            _store(files, folder, sha256)
        return files


def cache_folder() -> Path | None:
    """Return the folder of this node and user, made if need be; None if there is none that nobody else can write."""
    folder = Path(tempfile.gettempdir()) / f"facesieve-models-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        state = folder.lstat()
    except OSError as problem:
        _warn(folder, first_line(problem.strerror or problem))
        return None
    own = stat.S_ISDIR(state.st_mode) and state.st_uid == os.getuid() and not state.st_mode & 0o022
    if not own:
        _warn(folder, "it is a link, or others own it or may write to it")
    return folder if own else None


@functools.cache
def _warn(folder: Path, why: str) -> None:
    """Say once a process that models are fetched for it alone."""
    _log.warning(f"models: {folder} is not used ({why}): each process fetches the model for itself")


@contextmanager
def _turn(lock: Path) -> Iterator[bool]:
    """Wait until no other process has the lock; give whether this one has it, which a full disk may prevent."""
    try:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError:
        yield False
        return
    try:
        yield _locked(handle)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    end = time.monotonic() + _LONGEST_WAIT
    while time.monotonic() < end:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.1)
        except OSError:
            return False
    return False


def _stored(place: Path) -> ModelFiles | None:
    """Read what is stored, whatever it is; None if that is no model."""
    try:
        single = sorted((place / _SINGLE).iterdir()) if (place / _SINGLE).is_dir() else []
        return read(single[0] if single else place / _TREE)
    except (ModelError, OSError):
        return None


def _store(files: ModelFiles, folder: Path, sha256: str) -> None:
    """Store a model under its digest: whole or not at all. A disk that is full is no fault of the run."""
    aside = folder / f"{sha256}.part"
    try:
        shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed: no other one is here
        for name, content in files.contents.items():
            file = aside / (_TREE if files.directory else _SINGLE) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        shutil.rmtree(folder / sha256, ignore_errors=True)
        aside.rename(folder / sha256)
    except OSError:
        shutil.rmtree(aside, ignore_errors=True)
