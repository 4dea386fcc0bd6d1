"""Other programs (venv, pip, unearth), whose failures become one sentence."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from layout import Layout
from refusal import SetupError

_REGISTRY = (
    "the package index cannot be reached or lacks it: check the network, or name a mirror in PIP_INDEX_URL, and run "
    "make setup again"
)
_CAUSES = (
    ("No space left on device", "the disk is full: make room (set-up needs about 4 GB) and run make setup again"),
    ("Disk quota exceeded", "the disk quota is used up: make room (about 4 GB) and run make setup again"),
    (
        "DO NOT MATCH THE HASHES",
        "a file has another SHA-256 than the lock file says and was not used: run make setup again, and if that stays "
        "so, do not trust the source it came from",
    ),
    (
        "ensurepip",
        "this Python lacks the venv module: install it (on Debian and Ubuntu the package python3.11-venv) and run "
        "make setup again",
    ),
    ("No module named venv", "this Python lacks the venv module: install it and run make setup again"),
    ("No matching distribution", _REGISTRY),
    ("Could not find a version", _REGISTRY),
    ("No matching candidates", _REGISTRY),
    ("No matching package", _REGISTRY),
    ("Max retries exceeded", _REGISTRY),
    ("ConnectionError", _REGISTRY),
    ("ConnectError", _REGISTRY),
    ("Name or service not known", _REGISTRY),
    ("Temporary failure in name resolution", _REGISTRY),
    ("Read timed out", _REGISTRY),
)


def run(layout: Layout, what: str, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
    """Run a program and return its standard output; raise SetupError with the cause if it fails.

    All that it prints is in `layout.log`.
    """
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
    )
    layout.log.write_text(done.stdout + done.stderr)
    if done.returncode:
        why = cause(done.stdout + done.stderr)
        raise SetupError(f"{what} could not be installed: {why} (all output: {layout.log}).")
    return done.stdout


def cause(output: str) -> str:
    """Return why a program failed, and what to do, from what it printed."""
    for sign, sentence in _CAUSES:
        if sign in output:
            return sentence
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if "ERROR" in line), lines[-1] if lines else "it said nothing")
    return f"{last.rstrip('.')}; correct that and run make setup again"


def pip(layout: Layout, what: str, *arguments: str | Path) -> str:
    """Run the environment's pip, without questions and without updates of itself."""
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_PROGRESS_BAR": "off"}
    return run(layout, what, [layout.python, "-m", "pip", *arguments], {**os.environ, **quiet})
