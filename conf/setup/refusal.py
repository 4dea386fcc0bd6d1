"""Why set-up stops: always one sentence that ends with the way out."""

from __future__ import annotations

import errno


class SetupError(Exception):
    """Set-up cannot go on; the message is one sentence for the person who called it."""


def in_words(problem: OSError) -> str:
    """Return the sentence for an error of the operating system (a full disk, a folder that cannot be written)."""
    where = f" at {problem.filename}" if problem.filename else ""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full{where}: make room (set-up needs about 4 GB) and run make setup again."
    reason = problem.strerror or str(problem)
    return f"Set-up cannot write or read what it needs{where} ({reason}): correct that and run make setup again."
