"""The GraphFrames and Iceberg jars, in the folder whose jars Spark loads by itself."""

from __future__ import annotations

import hashlib
import io
import shutil
import zipfile
from pathlib import Path

import fetching
from digests import check, has_digest, whole
from layout import Layout
from pins import GRAPHFRAMES, ICEBERG, STORE_JARS
from refusal import SetupError

_PACKAGES = ("org/graphframes/", "org/apache/spark/graphframes/", "org/apache/spark/sql/graphframes/")
_LICENCE = "META-INF/LICENSE"
_FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)


def place_iceberg(layout: Layout) -> int | None:
    """Put Iceberg's Spark runtime in place, from the cache or from the Maven repository."""
    target = layout.spark_jars / ICEBERG.file
    if has_digest(target, ICEBERG.sha256):
        return None
    cached = layout.cache / "jars" / ICEBERG.file
    if not has_digest(cached, ICEBERG.sha256):
        fetching.download(fetching.jar_url(layout, ICEBERG), ICEBERG.sha256, cached, "The Iceberg jar")
    _copy(cached, target)
    return target.stat().st_size


def store_jars(layout: Layout) -> list[Path]:
    """Return the jars for S3 and SQLite in the cache, fetched if need be; Spark does not load them by itself."""
    cached = [(jar, layout.cache / "jars" / jar.file) for jar in STORE_JARS]
    for jar, file in cached:
        if not has_digest(file, jar.sha256):
            fetching.download(fetching.jar_url(layout, jar), jar.sha256, file, f"The jar {jar.file}")
    return [file for _, file in cached]


def place_graphframes(layout: Layout) -> int | None:
    """Put GraphFrames in place: its own jar if the Maven repository has it, else the same classes out of a wheel."""
    target = layout.spark_jars / GRAPHFRAMES.file
    if _holds_graphframes(target):
        return None
    cached = layout.cache / "jars" / GRAPHFRAMES.file
    if not _holds_graphframes(cached):
        classes = keep_graphframes(_own_jar(layout) or _jar_of_wheel(layout))
        check(digest(classes), GRAPHFRAMES.sha256, "The GraphFrames jar")
        with whole(cached) as out:
            out.write(classes)
    _copy(cached, target)
    return target.stat().st_size


def keep_graphframes(jar: bytes) -> bytes:
    """Return a jar of the GraphFrames classes in `jar` and the licence: same bytes out for the same content in."""
    classes = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(jar)) as source, zipfile.ZipFile(classes, "w") as target:
        for name in sorted(set(source.namelist())):
            if name == _LICENCE or (name.startswith(_PACKAGES) and not name.endswith("/")):
                target.writestr(zipfile.ZipInfo(name, _FIRST_ZIP_DATE), source.read(name))
    return classes.getvalue()


def digest(jar: bytes) -> str:
    """Return the SHA-256 of the sorted lines `digest  name` of the GraphFrames files in a jar, the licence left out.

    So one pin holds for every jar that carries the same classes, whatever else is in it and however it was packed.
    """
    with zipfile.ZipFile(io.BytesIO(jar)) as opened:
        names = sorted({n for n in opened.namelist() if n.startswith(_PACKAGES) and not n.endswith("/")})
        lines = [f"{hashlib.sha256(opened.read(name)).hexdigest()}  {name}\n" for name in names]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _holds_graphframes(file: Path) -> bool:
    try:
        return file.is_file() and digest(file.read_bytes()) == GRAPHFRAMES.sha256
    except zipfile.BadZipFile:
        return False


def _own_jar(layout: Layout) -> bytes | None:
    """The jar of the Maven repository, or None if that does not have it or has other classes (mirrors are partial)."""
    try:
        jar = fetching.fetch(fetching.jar_url(layout, GRAPHFRAMES), "The GraphFrames jar")
        return jar if digest(jar) == GRAPHFRAMES.sha256 else None
    except (SetupError, zipfile.BadZipFile):
        return None


def _jar_of_wheel(layout: Layout) -> bytes:
    file = fetching.wheel(layout, "graphframes", "The GraphFrames jar")
    with zipfile.ZipFile(file) as wheel:
        carriers = [name for name in wheel.namelist() if name.startswith("zingg/jars/") and name.endswith(".jar")]
        jar = max((wheel.read(name) for name in carriers), key=len)
    file.unlink()
    return jar


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as stream, whole(target) as out:
        shutil.copyfileobj(stream, out)
