"""Names of people and files made fit to be names on any file system, distinct ones staying distinct.

A name is kept as it is wherever that is safe. What cannot stand in a file name is percent-encoded. Where two names
would meet (file systems may ignore case and Unicode form), or where a name is too long, it gets a mark that is its own:
`~` and 16 hex digits. A name that looks marked already gets a mark too, so none can pose as another's.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import urllib.parse

RESERVED = frozenset({"manifest.csv", "readme.md", "_success"})
"""Names, folded, that an export needs for itself."""

_UNSAFE = re.compile(r'[%/\\<>:"|?*\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|^[.]|[. ]$')
_MARKED = re.compile(r"~[0-9a-f]{16}$")
_PICTURE = re.compile(
    r"(?<=.)\.(jpe?g|jpe|jfif|png|webp|bmp|p[bgnp]m|gif|tiff?|avif|hei[cf]|jp2|j2k|jxl)$", re.IGNORECASE
)
_LONGEST = 200
"""Bytes of a plain name; file systems allow 255, and a mark and a suffix must fit."""
_LONGEST_SUFFIX = 16


def plain(name: str) -> str:
    """Percent-encode what is unsafe in a file name; never empty, never a path, never hidden.

    >>> plain("Ann Li"), plain("../x"), plain("")
    ('Ann Li', '%2E.%2Fx', '%')
    """
    return _UNSAFE.sub(_encoded, name) or "%"


def fold(name: str) -> str:
    """What is left of the plain name where case and Unicode form do not count: equal folds may meet on a disk.

    >>> fold("ANN") == fold("ann")
    True
    """
    once = unicodedata.normalize("NFKC", plain(name)).casefold()
    return unicodedata.normalize("NFKC", once)


def folder(identity: str, crowded: bool) -> str:
    """Name the folder of an identity; `crowded` says that another identity has the same fold.

    >>> folder("Ann", False), folder("Ann", True)
    ('Ann', 'Ann~17239b6e25011033')
    """
    mark = hashlib.sha256(_octets(identity)).hexdigest()[:16]
    return _marked(plain(identity), "", mark, crowded)


def file(uri: str, image_id: int, crowded: bool) -> str:
    """Name the copy of an image by its base name; `crowded` says that the folder has another with the same fold.

    >>> file("a/x.jpg", -1, False), file("a/x.jpg", -1, True)
    ('x.jpg', 'x~ffffffffffffffff.jpg')
    """
    stem, dot, suffix = plain(base(uri)).rpartition(".")
    if not stem or len(_octets(suffix)) > _LONGEST_SUFFIX:
        stem, dot, suffix = plain(base(uri)), "", ""
    return _marked(stem, dot + suffix, f"{image_id % 2**64:016x}", crowded)


def base(uri: str) -> str:
    """Return the last part of a uri.

    >>> base("a/x.jpg")
    'x.jpg'
    """
    return uri.rpartition("/")[2]


def crop(uri: str, suffix: str) -> str:
    """Name the aligned face of an image: its base name, with the suffix of what is written in place of a picture's.

    >>> crop("a/x.JPG", "png"), crop("a/x.parquet#0", "png")
    ('x.png', 'x.parquet#0.png')
    """
    return f"{_PICTURE.sub('', base(uri))}.{suffix}"


def _marked(stem: str, suffix: str, mark: str, crowded: bool) -> str:
    whole = stem + suffix
    taken = _MARKED.search(fold(stem)) or fold(whole) in RESERVED
    if not (crowded or taken or len(_octets(whole)) > _LONGEST):
        return whole
    short = _octets(stem)[: _LONGEST - _LONGEST_SUFFIX].decode("utf-8", errors="ignore")
    return f"{short}~{mark}{suffix}"


def _encoded(unsafe: re.Match[str]) -> str:
    return urllib.parse.quote(_octets(unsafe.group()), safe="").replace(".", "%2E")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogatepass")
