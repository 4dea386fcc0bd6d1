"""Archives of a source by their uris: opened where they lie, never unpacked to a disk, and a few of them kept open."""

from __future__ import annotations

import io
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, TypeVar

from facesieve.images.packs import members as words
from facesieve.images.packs.archive_uris import is_archive, member_of
from facesieve.images.packs.gzip_stream import GzipStream
from facesieve.images.packs.members import Archive
from facesieve.images.packs.tar_archive import TarArchive
from facesieve.images.packs.zip_archive import ZipArchive
from facesieve.images.patience import answered, judge, patiently
from facesieve.images.protocol import BadContent
from facesieve.images.storage import Storage
from facesieve.images.uris import to_name

Answer = TypeVar("Answer")

_GZIP, _ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MOST_OPEN = 8


class _State(NamedTuple):
    """Which content a file has, as far as its state tells; elsewhere than on this machine a job asks once."""

    size: int = 0
    modified: int = 0


class _Opened(NamedTuple):
    state: _State
    archive: Archive


_open = OrderedDict[tuple[str, str], _Opened]()
"""The archives that this process has open, by root and uri, the last used at the end."""
_lock = threading.Lock()


def opened(storage: Storage, uri: str) -> Archive:
    """Open an archive, by its content whatever its suffix. Raises OSError; what is wrong inside, it tells itself."""
    file = storage.opened(to_name(uri))
    try:
        head = file.read(4)
        file.seek(0)
        return _of_kind(file, head, uri)
    except BaseException:
        file.close()
        raise


def with_archive(storage: Storage, uri: str, ask: Callable[[Archive], Answer]) -> Answer:
    """Return what `ask` does with an archive that stays open for the next question. Raises OSError.

    Elsewhere than on this machine it is done with patience, on an archive opened anew.
    """

    def asked() -> Answer | BadContent:
        try:
            return ask(_cached(storage, uri))
        except BadContent as problem:
            return problem
        except OSError:
            _forget(storage, uri)
            raise

    remote = storage.folder is None
    with _lock:
        answer = patiently(asked, f"{storage.root.rstrip('/')}/{uri}") if remote else asked()
    if isinstance(answer, BadContent):
        raise answer
    return answer


@dataclass(frozen=True)
class ArchiveFetch:
    """From a uri to the content, of a file of its own or of a member of an archive. It can be pickled.

    archives: in how many the images lie, as far as the tree was walked.
    """

    storage: Storage
    archives: int = 0

    def __call__(self, uri: str) -> bytes:
        """Return the content. Raises BadContent with what is wrong with a member, or with the archive of this uri."""
        member = member_of(uri)
        if member is not None and self._is_file(member.archive):
            return self._ask(member.archive, lambda archive: self.member(archive, member.name))
        if is_archive(uri):
            raise BadContent(self._ask(uri, lambda archive: archive.fault()))
        return self.storage.content(to_name(uri))

    def member(self, archive: Archive, name: str) -> bytes:
        """Return the content of a member; a name with `#2` and the like is that of a second one."""
        member = archive.find(name)
        if member is not None:
            return archive.content(member)
        first, _, number = name.rpartition("#")
        if number.isdigit() and archive.find(first) is not None:
            raise BadContent(words.TWICE)
        raise FileNotFoundError(name)

    def _ask(self, uri: str, ask: Callable[[Archive], Answer]) -> Answer:
        """Ask an archive. Raises StoreError where nothing can be read there any more."""
        try:
            answer = with_archive(self.storage, uri, ask)
        except OSError as problem:
            if self.storage.folder is None and not isinstance(problem, BadContent):
                judge(self.storage.root, problem, self.storage.kind)
            raise
        if self.storage.folder is None:
            answered(self.storage.root)
        return answer

    def _is_file(self, uri: str) -> bool:
        """Say whether the part before the mark is an archive: a name of a folder may look like that."""
        return self.storage.folder is None or os.path.isfile(self.storage.local(to_name(uri)))


def _of_kind(file: BinaryIO, head: bytes, uri: str) -> Archive:
    if head.startswith(_GZIP):
        return TarArchive(GzipStream(file))
    if head.startswith(_ZIP) or uri.lower().endswith(".zip"):
        return ZipArchive(file)
    return TarArchive(file)


def _cached(storage: Storage, uri: str) -> Archive:
    key, state = (storage.root, uri), _state(storage, uri)
    if key in _open and _open[key].state == state:
        _open.move_to_end(key)
        return _open[key].archive
    _forget(storage, uri)
    _open[key] = _Opened(state, opened(storage, uri))
    while len(_open) > _MOST_OPEN:
        _close(_open.popitem(last=False)[1].archive)
    return _open[key].archive


def _state(storage: Storage, uri: str) -> _State:
    if storage.folder is None:
        return _State()
    state = os.stat(storage.local(to_name(uri)))
    return _State(state.st_size, state.st_mtime_ns)


def _forget(storage: Storage, uri: str) -> None:
    before = _open.pop((storage.root, uri), None)
    if before is not None:
        _close(before.archive)


def _close(archive: Archive) -> None:
    with suppress(OSError, io.UnsupportedOperation):
        archive.close()
