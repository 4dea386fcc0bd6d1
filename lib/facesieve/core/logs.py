"""Log records made visible: one handler for people, one for machines.

Modules log to `logging.getLogger(__name__)`, all below the logger `facesieve`. Counts and seconds only: no names, paths
or vectors at level INFO.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TextIO

ROOT = "facesieve"
FORMATS = ("text", "json")
_CHATTY = ("py4j", "pyspark")
"""Loggers of others that report an interrupted call in a dozen lines; what it was is told by the job itself."""


class ForPeople(logging.Formatter):
    """A line with the time of day; the level is named from WARNING on."""

    def format(self, record: logging.LogRecord) -> str:
        """Return `08:15:00  link: 3 rows in`, or `08:15:00  WARNING: ...`."""
        level = "" if record.levelno < logging.WARNING else f"{record.levelname}: "
        return f"{time.strftime('%H:%M:%S', time.localtime(record.created))}  {level}{record.getMessage()}"


class ForMachines(logging.Formatter):
    """One JSON object a line: ts (seconds since 1970), level, logger, msg, run, step."""

    def __init__(self) -> None:
        super().__init__()
        self.run: str | None = None
        self.step: str | None = None

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        shown = {"ts": round(record.created, 3), "level": record.levelname, "logger": record.name}
        return json.dumps(shown | {"msg": record.getMessage(), "run": self.run, "step": self.step})


def set_up(form: str = "text", stream: TextIO | None = None) -> logging.Handler:
    """Send what `facesieve` logs to `stream` (None: standard error), once, in one of FORMATS; return the handler."""
    logger = logging.getLogger(ROOT)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(ForMachines() if form == "json" else ForPeople())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return handler
