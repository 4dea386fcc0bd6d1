"""Log records made visible: one handler for people, one for machines.

Modules log to `logging.getLogger(__name__)`, all below the logger `facesieve`. Level INFO holds counts and seconds: no
names, paths or vectors.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass
from typing import TextIO

ROOT = "facesieve"
FORMATS = ("text", "json")
_CHATTY = ("", "py4j", "pyspark")
"""Loggers of others that report an interrupted call in a dozen lines; py4j does so through the root logger too.

The job itself says what it was.
"""


@dataclass
class Place:
    """Where the process is: the run and the step that records are of. None before the first, and between steps."""

    run: str | None = None
    step: str | None = None


PLACE = Place()
"""The place of this process. `cli.main` sets it; `set_up` empties it."""


class ForPeople(logging.Formatter):
    """A line with the time of day; WARNING is named. An error is a sentence that stands alone."""

    def format(self, record: logging.LogRecord) -> str:
        """Return `08:15:00  link: 3 rows in`, `08:15:00  WARNING: ...`, or an error's text as it is."""
        text = _with_traceback(self, record)
        if record.levelno >= logging.ERROR:
            return text
        level = "" if record.levelno < logging.WARNING else f"{record.levelname}: "
        return f"{time.strftime('%H:%M:%S', time.localtime(record.created))}  {level}{text}"


class ForMachines(logging.Formatter):
    """One JSON object a line: ts (seconds since 1970), level, logger, msg, run, step."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        shown = {"ts": round(record.created, 3), "level": record.levelname, "logger": record.name}
        return json.dumps(shown | {"msg": _with_traceback(self, record), "run": PLACE.run, "step": PLACE.step})


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
    PLACE.run = PLACE.step = None
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    return handler


def _with_traceback(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    text = record.getMessage()
    return f"{text}\n{formatter.formatException(record.exc_info)}" if record.exc_info else text
