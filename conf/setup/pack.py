"""Pack what executors import, and nothing else, as an archive for `spark-submit --archives`.

    python conf/setup/pack.py

Makes dist/facesieve-env.tar.gz, a virtual environment that may be unpacked anywhere. Its Python is a link to the base
Python of this environment, so the nodes need the same Python at the same path. Spark brings PySpark itself, and
`--py-files` the project.
"""

from __future__ import annotations

import gzip
import io
import platform
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from refusal import SetupError

NAME = "facesieve-env.tar.gz"
_PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
_LEFT_OUT = frozenset(("libclang", "matplotlib", "pip", "pyspark"))
"""What packages require and no worker imports; PySpark comes with Spark."""
_FOLDERS_LEFT_OUT = frozenset(("__pycache__", "include", "tests", "xla_aot_runtime_src"))
_SUFFIXES_LEFT_OUT = frozenset((".a", ".h", ".lib", ".pxd", ".pyc", ".pyi", ".pyx"))


def packages(root: Path) -> dict[str, Distribution]:
    """Return the installed packages that workers need, by name. Raises SetupError for one that is not installed."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    pending = [_name(line) for line in project["dependencies"]]
    needed: dict[str, Distribution] = {}
    while pending:
        name = pending.pop()
        if name in needed or name in _LEFT_OUT:
            continue
        needed[name] = _installed(name)
        pending.extend(_name(line) for line in needed[name].requires or () if _applies(line))
    return needed


def members(package: Distribution) -> Iterator[tuple[Path, str]]:
    """Return the files of a package that are imported or read: where each lies, and its path in site-packages."""
    for file in package.files or ():
        path = PurePosixPath(file)
        beside = ".." in path.parts or path.is_absolute()  # programs and manuals, for which workers have no use
        if not beside and not _FOLDERS_LEFT_OUT & set(path.parts[:-1]) and path.suffix not in _SUFFIXES_LEFT_OUT:
            yield Path(str(file.locate())), str(path)


def pack(root: Path, target: Path) -> int:
    """Write the archive and return its size in bytes; equal bytes for an equal environment."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        target.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        _add_python(archive)
        folder = f"lib/{_PYTHON}/site-packages"
        for _, package in sorted(packages(root).items()):
            for source, path in sorted(members(package)):
                archive.add(source, f"{folder}/{path}", recursive=False, filter=_plain)
    return target.stat().st_size


def base_python() -> Path:
    """Return the Python that the environment's Python stands for; it must be at this path on every node."""
    return Path(sys.base_prefix) / "bin" / _PYTHON


def _add_python(archive: tarfile.TarFile) -> None:
    for name in ("python", "python3"):
        link = tarfile.TarInfo(f"bin/{name}")
        link.type, link.linkname = tarfile.SYMTYPE, str(base_python())
        archive.addfile(link)
    settings = f"home = {base_python().parent}\ninclude-system-site-packages = false\n"
    written = tarfile.TarInfo("pyvenv.cfg")
    written.size = len(settings.encode())
    archive.addfile(written, io.BytesIO(settings.encode()))


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who packed when."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


def _installed(name: str) -> Distribution:
    for each in (name, f"{name}-cpu"):  # the smaller TensorFlow stands for TensorFlow where there is one
        try:
            return distribution(each)
        except PackageNotFoundError:
            continue
    raise SetupError(f"The package {name} is not installed: run make setup.")


def _name(requirement: str) -> str:
    return canonicalize_name(Requirement(requirement).name)


def _applies(requirement: str) -> bool:
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate({"extra": ""})


def main() -> int:
    """Pack into `dist/`; return the exit code."""
    root = Path(__file__).resolve().parents[2]
    target = root / "dist" / NAME
    try:
        size = pack(root, target) / 1e6
    except SetupError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    print(f"dist/{NAME}: {size:.0f} MB, for {platform.system()} on {platform.machine()}, Python at {base_python()}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
