"""What is wrong, as sentences, and the exit code that goes with it."""

from __future__ import annotations

import logging
import os
import re
import traceback
from enum import IntEnum

from py4j.protocol import Py4JJavaError

from facesieve.core.errors import ConfigError, ContractError, FacesieveError, ModelError, Refused
from facesieve.lake.stopped_context import why_stopped

_log = logging.getLogger(__name__)

_MOST = 500
"""Characters of another program's message that are shown."""


class Exit(IntEnum):
    """Exit codes of every job."""

    DONE = 0
    FAILED = 1
    WRONG = 2
    REFUSED = 3
    INTERRUPTED = 130


def explain(problem: Exception) -> Exit:
    """Log what is wrong, one record a fault, and return the exit code."""
    stopped = why_stopped(problem)
    if stopped is not None:
        return _failed(problem, stopped)
    if isinstance(problem, ConfigError):
        for fault in problem.faults:
            _log.error(f"error: {fault}")
        return Exit.WRONG
    if isinstance(problem, (ContractError, ModelError)):
        _log.error(f"error: {problem}")
        return Exit.WRONG
    if isinstance(problem, Refused):
        _log.error(f"refused: {problem}")
        return Exit.REFUSED
    return _failed(problem, str(problem) if isinstance(problem, FacesieveError) else _foreign(problem))


def recorded(problem: Exception, *, words: bool) -> str:
    """Return what the ledger keeps of an error: where it came from, and its words unless these may name somebody."""
    if words:
        return "".join(traceback.format_exception(problem))
    return "".join([*traceback.format_tb(problem.__traceback__), type(problem).__name__])


def _failed(problem: Exception, sentence: str) -> Exit:
    traced = bool(os.environ.get("FACESIEVE_TRACEBACK"))
    _log.error(f"failed: {sentence}", exc_info=problem if traced else None)
    if not traced:
        _log.error("(set FACESIEVE_TRACEBACK=1 to see where; a run's row in the table runs keeps it too)")
    return Exit.FAILED


def _foreign(problem: Exception) -> str:
    """Return what another program's error says; of an error that facesieve raised in a worker the sentence alone."""
    cause = _cause(problem)
    raised = re.fullmatch(r"facesieve\.core\.errors\.\w+: (.+)", cause)
    return raised[1] if raised else f"{type(problem).__name__}: {cause}"


def _cause(problem: Exception) -> str:
    """Pick the line that says most: the last Python error of a worker, else the first line of the innermost cause."""
    text = str(problem)
    if isinstance(problem, Py4JJavaError):
        inner = problem.java_exception
        while inner.getCause() is not None:
            inner = inner.getCause()
        text = f"{text}\n{inner.toString()}" if "Traceback" in text else inner.toString()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(facesieve\.core\.errors\.)?\w*(Error|Exception)\b.*:", line)]
    return (errors[-1] if errors else lines[0] if lines else "no message")[:_MOST]
