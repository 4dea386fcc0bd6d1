"""The file that `--metrics` names: looked at before the work begins, written whole at its end, however that was."""

from __future__ import annotations

import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facesieve.cli import metrics
from facesieve.cli.exposition import Metric, text_of, value_in
from facesieve.cli.problems import Exit
from facesieve.core.errors import Fault, InvariantError, first_line
from facesieve.core.places import local_path
from facesieve.images.storage import why_unwritable

_log = logging.getLogger(__name__)

_KEY = "--metrics"


@dataclass
class MetricsFile:
    """Where metrics go (empty: nowhere), and what is in them beside how the job ended.

    command: the job's name. figures: asked at the end, however that was; the job says what they are once it knows.
    fault: what keeps the file from being written; then nothing is.
    """

    place: str
    command: str
    figures: Callable[[], Sequence[Metric]] = list
    began: float = field(default_factory=time.time)
    fault: Fault | None = field(init=False)

    def __post_init__(self) -> None:
        self.fault = _fault(self.place) if self.place else None

    def write(self, code: int) -> None:
        """Replace the file; a reader meets the former file or the new one, never a part.

        The time of the last success outlives a failure: it is read in the former file. A file that cannot be written
        any more is a warning: what the job did stands.
        """
        if not self.place or self.fault is not None:
            return
        path, now, labels = self._path(), time.time(), {"command": self.command}
        success = now if code == Exit.DONE else _last_success(path, labels)
        end = metrics.of_end(metrics.End(code, now, now - self.began, success))
        try:
            _replace(path, text_of([*end, *self._figures()], labels))
        except OSError as problem:
            _log.warning(f"{_KEY}: {self.place} could not be written ({first_line(problem.strerror or problem)})")

    @contextmanager
    def of_failure(self, metrics_of: Callable[[Mapping[str, Any]], Sequence[Metric]]) -> Iterator[None]:
        """Tell how far a job had come whose result in here is no proof."""
        try:
            yield
        except InvariantError as problem:
            figures = problem.figures
            self.figures = lambda: metrics_of(figures) if figures else ()
            raise

    def _figures(self) -> Sequence[Metric]:
        """Ask for the figures. How the job ended is told without them: they may come of another version's record."""
        try:
            return self.figures()
        except Exception as problem:
            _log.warning(f"{_KEY}: only how the job ended is told, the figures are not ({first_line(problem)})")
            return []

    def _path(self) -> Path:
        # A link stays a link: what it leads to is replaced.
        return Path(os.path.realpath(local_path(self.place) or self.place))


def _fault(place: str) -> Fault | None:
    local = local_path(place)
    if local is None:
        return Fault(_KEY, f"{place} is no file of this machine", "Name a file where the driver runs.")
    try:
        return _path_fault(place, local)
    except (OSError, ValueError) as problem:  # a folder that may not be searched, a name that is too long
        why = first_line(getattr(problem, "strerror", None) or problem)
        return Fault(_KEY, f"{place!r} cannot be a file ({why})", "Name a file that this job may write.")


def _path_fault(place: str, local: str) -> Fault | None:
    path = Path(os.path.realpath(local))
    if local.endswith("/") or path.is_dir() or (path.exists() and not path.is_file()):
        return Fault(_KEY, f"{place} is no regular file", "Name a file, such as facesieve.prom.")
    if not path.parent.is_dir():
        return Fault(_KEY, f"the folder of {place} does not exist", "Make the folder, or name another file.")
    why = why_unwritable(str(path.parent))
    return Fault(_KEY, why, "Make the folder writable, or name another file.") if why else None


def _last_success(path: Path, labels: dict[str, str]) -> float:
    """Read the time in the former file; 0, as if there never was a success, where it does not say."""
    try:
        former = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    return value_in(former, metrics.LAST_SUCCESS, labels) or 0


def _replace(path: Path, text: str) -> None:
    """Write beside the file and rename. The name does not end in .prom: collectors pass the unfinished file over."""
    unfinished = path.with_name(f".facesieve-{secrets.token_hex(4)}.tmp")
    try:
        # Not by `tempfile`: its files are for their owner alone, and the collector is another user.
        with unfinished.open("x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
