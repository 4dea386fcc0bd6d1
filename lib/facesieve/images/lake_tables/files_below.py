"""Files that a table names: only what lies below one folder is read, however the table spells it."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from facesieve.core.places import is_uri
from facesieve.images.spelled_uris import spellings
from facesieve.images.storage import Storage

_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class FilesBelow:
    """From a uri of a table to the content of a file: a path below `root`, or a path or URI that leads there.

    It can be pickled. Raises OSError, also for what lies elsewhere, and for links that lead out.
    """

    root: str

    def __call__(self, uri: str) -> bytes:
        """Return the content of a file."""
        if not self.root:
            raise FileNotFoundError(uri)
        name = self._name(uri)
        if not name or is_uri(name) or os.path.isabs(name) or ".." in name.split("/"):
            raise PermissionError(errno.EPERM, "it lies outside images.files")
        storage = Storage(self.root)
        if storage.folder is not None:
            real = os.path.realpath(storage.folder)
            if not os.path.realpath(storage.folder / name).startswith(f"{real.rstrip('/')}/"):
                raise PermissionError(errno.EPERM, "a link leads out of images.files")
        content = storage.content(name.encode(), _MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return content

    def _name(self, uri: str) -> str:
        """Return the name below the root: as the uri is written, unless that leads from elsewhere."""
        if not is_uri(uri) and not os.path.isabs(uri) and not uri.startswith("./"):
            return uri
        same = uri.replace("s3a://", "s3://", 1) if uri.startswith("s3a://") else uri
        root = self.root.replace("s3a://", "s3://", 1) if self.root.startswith("s3a://") else self.root
        return spellings(same, root)[-1]
