"""The folder of a report: claimed, cleared of a former report, and written; on a disk or in a store."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable

from facesieve.assess.report_page.script_file import script
from facesieve.core.errors import ConfigError, Fault
from facesieve.images.storage import Storage, why_unwritable

PICTURES, DATA, ASSETS, INDEX = "pictures", "data", "assets", "index.html"
_MARK = ".facesieve-report"
_LARGER = "fiftyone"


def claim(out: str) -> Storage:
    """Return the folder, cleared of a former report. Raises ConfigError for one that holds anything else."""
    target = Storage(out)
    try:
        taken = target.exists() and not target.exists(_MARK) and bool(target.entries())
    except OSError:
        taken = False  # what is wrong with the place is said below
    if taken:
        raise ConfigError([Fault("--out", f"{out} holds something that is no report", "Name a new folder.")])
    problem = why_unwritable(out)
    if problem:
        raise ConfigError([Fault("--out", problem, "Name a folder that this job may write.")])
    target.write(_MARK, b"")
    for name in (INDEX, DATA, PICTURES, ASSETS, _LARGER):
        target.delete_tree(name)
    return target


def write_data(target: Storage, name: str, content: object) -> int:
    """Write a data file of the page; return its size in bytes."""
    text = script(name, content).encode("utf-8")
    target.write(f"{DATA}/{name}.js", text)
    return len(text)


def write_assets(target: Storage) -> None:
    """Copy the page itself, which comes with the package; its index last, so that a page that opens is whole."""
    assets = files(__package__) / ASSETS
    for name, content in _files(assets, ""):
        if name != INDEX:
            target.write(f"{ASSETS}/{name}", content)
    target.write(INDEX, (assets / INDEX).read_bytes())


def picture_path(image_id: int) -> str:
    """Return where the picture of an image lies in the report, spread over 256 folders.

    >>> picture_path(-1), picture_path(255)
    ('pictures/ff/-1.jpg', 'pictures/ff/255.jpg')
    """
    return f"{PICTURES}/{image_id & 0xFF:02x}/{image_id}.jpg"


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, bytes]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif not entry.name.startswith((".", "__")) and not entry.name.endswith(".py"):
            yield f"{prefix}{entry.name}", entry.read_bytes()
