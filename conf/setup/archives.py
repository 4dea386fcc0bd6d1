"""Source archives as data: safe members, and a wheel made of PySpark's files without running its setup code."""

from __future__ import annotations

import base64
import hashlib
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from digests import whole
from pins import Archive
from refusal import SetupError

_WHEEL = "Wheel-Version: 1.0\nGenerator: facesieve set-up\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
_FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_FOLDERS = {
    "PKG-INFO": ["{package}.dist-info/METADATA"],
    "lib/": ["pyspark/python/lib/"],
    "deps/examples/": ["pyspark/examples/src/main/python/"],
    "deps/bin/": ["pyspark/bin/", "{package}.data/scripts/"],
    "deps/": ["pyspark/"],
    "pyspark/find_spark_home.py": ["pyspark/find_spark_home.py", "{package}.data/scripts/find_spark_home.py"],
    "pyspark/": ["pyspark/"],
}
"""What PySpark's setup.py declares (`package_dir`, `scripts`); the first prefix that fits holds."""


def plain_files(tar: tarfile.TarFile) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Yield each regular file with its path below the archive's single top folder.

    Links and devices are left out; a path that leads outside (absolute, or with `..`) refuses the whole archive.
    """
    for member in tar:
        path = PurePosixPath(member.name)
        if path.is_absolute() or ".." in path.parts or "\\" in member.name:
            raise SetupError(f"The archive holds the unsafe path {member.name!r} and was not used: do not trust it.")
        if member.isfile() and len(path.parts) > 1:
            yield PurePosixPath(*path.parts[1:]).as_posix(), member


def wheel_paths(path: str, package: str) -> list[str]:
    """Return where a file of PySpark's source archive belongs in its wheel: none, one or two paths."""
    for folder, targets in _FOLDERS.items():
        if path.startswith(folder):
            return [target.format(package=package) + path.removeprefix(folder) for target in targets]
    return []


def spark_wheel(source: Path, pin: Archive, folder: Path) -> Path:
    """Write PySpark's wheel from its source archive into `folder` and return its path."""
    package = f"{pin.name}-{pin.version}"
    target = folder / f"{package}-py3-none-any.whl"
    with whole(target) as out, zipfile.ZipFile(out, "w") as wheel, tarfile.open(source) as tar:
        record: list[str] = []
        for path, member in plain_files(tar):
            for name in wheel_paths(path, package):
                stream = tar.extractfile(member)
                if stream is not None:
                    _add(wheel, record, name, stream.read(), member.mode)
        _add(wheel, record, f"{package}.dist-info/WHEEL", _WHEEL.encode(), 0o644)
        listing = "\n".join([*record, f"{package}.dist-info/RECORD,,", ""])
        wheel.writestr(_entry(f"{package}.dist-info/RECORD", 0o644), listing)
    return target


def _add(wheel: zipfile.ZipFile, record: list[str], name: str, content: bytes, mode: int) -> None:
    wheel.writestr(_entry(name, mode), content)
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    record.append(f"{name},sha256={digest},{len(content)}")


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _FIRST_ZIP_DATE)
    entry.external_attr = (stat.S_IFREG | (0o755 if mode & 0o100 else 0o644)) << 16
    return entry
