"""Other spellings of a uri that people write in side tables: absolute, `./`, with `file://`, with backslashes.

Where the root is an archive, the path inside it is enough.

A uri is literal: an image that bears it as it is written always comes first. Only where there is none, the row means
the image that the other spelling leads to.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Mapping

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from facesieve.core.frames import broadcast_if_few
from facesieve.core.places import is_uri, local_path
from facesieve.images.packs.archive_uris import MARK, is_archive, member_of, without_suffix


def spellings(uri: str, root: str) -> tuple[str, ...]:
    """Return the uris that a cell of a side table may mean, the literal one first. `root` is `images.root`.

    >>> spellings("./a/1.jpg", "/data"), spellings("/data/a/1.jpg", "/data"), spellings("a/1.jpg", "/data")
    (('./a/1.jpg', 'a/1.jpg'), ('/data/a/1.jpg', 'a/1.jpg'), ('a/1.jpg',))
    >>> spellings("1.jpg", "/data/b.zip")
    ('1.jpg', 'b.zip!/1.jpg', 'b.zip!/b/1.jpg')
    """
    slashed = uri.replace("\\", "/")
    below = [each for each in (_below(each, root) for each in (uri, slashed)) if each]
    return tuple(dict.fromkeys([uri, *below, *(inside for each in below for inside in _inside(each, root))]))


def listed_uris(written: Collection[str], images: DataFrame, root: str) -> Mapping[str, str]:
    """Return of the uris in a side table those that are spelled otherwise, and the uri of `images` that each means.

    images: a frame with the column uri. A uri that an image bears as it is written is not in the answer, nor is one
    that leads to no image. Where all are plain, no Spark job runs.
    """
    ways = {uri: spellings(uri, root) for uri in written}
    rows = [(uri, place, way) for uri, each in ways.items() if len(each) > 1 for place, way in enumerate(each)]
    if not rows:
        return {}
    wanted = images.sparkSession.createDataFrame(rows, "written string, place int, uri string")
    meant = images.select("uri").join(broadcast_if_few(wanted, len(rows)), "uri", how="inner").groupBy("written")
    matched = meant.agg(F.min_by("uri", "place").alias("uri")).where("uri <> written").collect()
    return {row["written"]: row["uri"] for row in matched}


def _inside(path: str, root: str) -> tuple[str, ...]:
    """Return the members that a path may mean where the root is an archive: also one below a folder of its name."""
    archive = posixpath.basename(root.partition("?")[0].rstrip("/"))
    if not is_archive(archive) or member_of(path):
        return ()
    return f"{archive}{MARK}{path}", f"{archive}{MARK}{without_suffix(archive)}/{path}"


def _below(uri: str, root: str) -> str | None:
    """Return the path relative to the root that another spelling leads to; None where it does not lie below it."""
    path = local_path(uri)
    if path is None:
        return _after(uri, root) if is_uri(root) else None
    if posixpath.isabs(path):
        folder = local_path(root)
        places = () if folder is None else (os.path.abspath(folder), os.path.realpath(folder))
        return next(filter(None, (_after(posixpath.normpath(path), place) for place in places)), None)
    normal = posixpath.normpath(path)
    return None if normal in (".", "..") or normal.startswith("../") else normal


def _after(path: str, root: str) -> str | None:
    folder = root.rstrip("/") + "/"
    return path.removeprefix(folder) or None if path.startswith(folder) else None
