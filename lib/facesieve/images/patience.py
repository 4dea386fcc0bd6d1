"""Patience with a store that does not answer: what passes is tried again, for a bounded time, and an outage is told.

pyarrow tries a request again itself, for 6 seconds or, where nothing is answered at all, for 31 times 3 seconds. That
is too short for a store that says "slow down" to a whole cluster.
"""

from __future__ import annotations

import logging
import os
import random
import time
from collections.abc import Callable
from typing import TypeVar

from facesieve.core.errors import StoreError
from facesieve.images.store_errors import KeysRefused, Unanswered, translated

_log = logging.getLogger(__name__)
Result = TypeVar("Result")

SECONDS = "FACESIEVE_STORE_SECONDS"
"""Environment variable: for how long a request is tried again."""
_SECONDS = 60.0
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 20.0
_OUTAGE = 3
"""So many files in a row that the store does not answer for are an outage, not the fault of a file."""

_unanswered: dict[str, int] = {}
"""By root: files in a row that were not answered for, in this process."""


def patiently(work: Callable[[], Result], place: str) -> Result:
    """Do what asks a store, again while the store does not answer, for a bounded time. Raises OSError as `translated`.

    What `work` does must bear being done twice. `place`: what is asked for, for the message.
    """
    end, wait = time.monotonic() + _seconds(), _FIRST_WAIT
    while True:
        try:
            return work()
        except OSError as problem:
            meant = translated(problem, place)
        pause = wait * random.uniform(0.5, 1.5)  # the tasks of a cluster must not all come back at once
        if not isinstance(meant, Unanswered) or time.monotonic() + pause > end:
            raise meant from None
        _log.info(f"{place} is not answered for now ({meant.strerror}): trying again")
        time.sleep(pause)
        wait = min(2 * wait, _LONGEST_WAIT)


def answered(root: str) -> None:
    """Note that a file below a root was answered for."""
    _unanswered.pop(root, None)


def judge(root: str, problem: OSError, still_there: Callable[[], object]) -> None:
    """Raise StoreError if a file cannot be read because nothing below the root can be, for now; else return.

    still_there: asks for the root; raises OSError if that cannot be told.
    """
    if isinstance(problem, FileNotFoundError):
        answered(root)
        return
    if isinstance(problem, Unanswered):
        _unanswered[root] = _unanswered.get(root, 0) + 1
    if isinstance(problem, KeysRefused) or _unanswered.get(root, 0) >= _OUTAGE:
        raise _outage(root, problem)
    try:
        still_there()
    except OSError as also:
        raise _outage(root, also) from None


def refuse_outage(root: str, problem: Exception) -> None:
    """Raise StoreError if a store did not answer, or refused the keys of the job; what is there is unknown then."""
    if isinstance(problem, (Unanswered, KeysRefused)):
        raise _outage(root, problem)


def _outage(root: str, problem: OSError) -> StoreError:
    why = problem.strerror or type(problem).__name__
    fix = "Renew the keys, then start" if isinstance(problem, KeysRefused) else "Start"
    return StoreError(f"{root} cannot be read any more ({why}). {fix} the same command again: it goes on from here.")


def _seconds() -> float:
    try:
        return float(os.environ.get(SECONDS, ""))
    except ValueError:
        return _SECONDS
