"""The images of the source: deleted only if that is asked for, and only files with the bytes that were embedded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from pyarrow.fs import FileSelector, FileSystem, FileType

from facesieve.core.hidden_paths import is_hidden
from facesieve.core.places import absolute
from facesieve.erasure.subject import Subject
from facesieve.images.storage import Storage
from facesieve.lake.side_job import SideJob


def delete_source(job: SideJob, subject: Subject) -> int:
    """Delete the files of the subject below `images.root`; return how many went. Raises OSError."""
    settings = job.config.images
    if settings.format != "files" or not settings.root:
        job.warn(f"erase: images of the format {settings.format} are no files of their own: delete them yourself")
        return 0
    root, deleted = Storage(absolute(settings.root)), 0
    for uri in subject.uris:
        if is_hidden(uri) or not root.exists(uri):
            continue
        if hashlib.sha256(root.read(uri)).hexdigest() in subject.digests:
            root.delete_tree(uri)
            deleted += 1
        else:
            job.warn("erase: a file of the source has changed since it was listed, and stays")
    _delete_emptied(root, subject.uris)
    return deleted


def _delete_emptied(root: Storage, uris: Iterable[str]) -> None:
    """Delete the folders of files that are empty: their names may be names of people."""
    folders = {str(each) for uri in uris if not is_hidden(uri) for each in PurePosixPath(uri).parents}
    for folder in sorted(folders - {"."}, key=len, reverse=True):
        if root.ask(folder, _is_empty):
            root.delete_tree(folder)


def _is_empty(files: FileSystem, path: str) -> bool:
    """Whether there is such a folder, and nothing in it; a link is left alone."""
    if files.get_file_info(path).type != FileType.Directory or Path(path).is_symlink():
        return False
    return not files.get_file_info(FileSelector(path))
