"""The virtual environment and what is installed in it: the lock's wheels, then PySpark."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import fetching
from archives import spark_wheel
from digests import sha256
from layout import Layout
from pins import PYSPARK
from programs import pip, run
from refusal import SetupError

_ROOM_BYTES = 4_000_000_000


def make_environment(layout: Layout) -> int | None:
    """Make `.venv`; a broken one, one of another Python or one moved from another folder is made anew."""
    if layout.python.exists() and layout.site_packages.is_dir() and _home(layout) in ("", str(layout.root)):
        return None
    if layout.venv.is_symlink():
        # Whatever it leads to would be emptied.
        raise SetupError(f"{layout.venv} is a link: remove it and run make setup again.")
    free = shutil.disk_usage(layout.root).free
    if free < _ROOM_BYTES:
        raise SetupError(
            f"Set-up needs about {_ROOM_BYTES / 1e9:.0f} GB and the disk of {layout.root} has {free / 1e9:.1f} GB "
            "left: make room and run make setup again."
        )
    run(layout, "The virtual environment", [sys.executable, "-m", "venv", "--clear", layout.venv])
    return _size(layout.venv)


def install_locked(layout: Layout) -> int | None:
    """Install exactly what the lock file says, by wheels alone, so that no package's code runs."""
    lock = layout.settings / "requirements.lock"
    wanted = f"{sha256(lock)} {layout.root}\n"
    if _mark(layout).is_file() and _mark(layout).read_text() == wanted:
        return None
    before = _size(layout.site_packages)
    pip(layout, "The Python packages", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes",
        "-r", lock)  # fmt: skip
    _mark(layout).write_text(wanted)
    return _size(layout.site_packages) - before


def install_pyspark(layout: Layout) -> int | None:
    """Install PySpark, which comes as a source archive only, by way of a wheel made of its files."""
    information = layout.site_packages / f"{PYSPARK.name}-{PYSPARK.version}.dist-info"
    if (information / "RECORD").is_file():
        return None
    source = fetching.source_archive(layout, PYSPARK)
    wheel = spark_wheel(source, PYSPARK, layout.downloads)
    try:
        pip(layout, "PySpark", "install", "--quiet", "--no-deps", "--no-index", wheel)
    finally:
        wheel.unlink()
    return source.stat().st_size


def _mark(layout: Layout) -> Path:
    return layout.venv / "facesieve-lock.txt"


def _home(layout: Layout) -> str:
    mark = _mark(layout)
    return mark.read_text().strip().partition(" ")[2] if mark.is_file() else ""


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
