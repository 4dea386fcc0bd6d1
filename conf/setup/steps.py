"""The steps of set-up in their order, each reported in one line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import jars
import java
import packages
from layout import Layout
from refusal import SetupError, in_words

import faces

Step = Callable[[Layout], int | None]
"""Makes one thing; returns the bytes it fetched or wrote, or None if the thing was in place."""

STEPS: tuple[tuple[str, Step], ...] = (
    ("virtual environment", packages.make_environment),
    ("Python packages", packages.install_locked),
    ("PySpark", packages.install_pyspark),
    ("Java", java.choose),
    ("Iceberg jar", jars.place_iceberg),
    ("GraphFrames jar", jars.place_graphframes),
    ("FaceNet and photographs", faces.place),
)


def run_all() -> int:
    """Run every step for the project that this file belongs to; return the exit code."""
    layout = Layout(Path(__file__).resolve().parents[2])
    started = time.monotonic()
    try:
        layout.cache.mkdir(exist_ok=True)
        for name, step in STEPS:
            _report(name, step, layout)
        layout.stamp.touch()
    except SetupError as refusal:
        return _give_up(str(refusal), 1)
    except OSError as problem:
        return _give_up(in_words(problem), 1)
    except KeyboardInterrupt:
        return _give_up("Interrupted: run make setup again, it goes on where it stopped.", 130)
    print(f"Set-up is complete ({time.monotonic() - started:.1f} s).")
    return 0


def _report(name: str, step: Step, layout: Layout) -> None:
    started = time.monotonic()
    print(f"{name:<24}", end="", flush=True)
    size = step(layout)
    print("in place" if size is None else f"{size / 1e6:,.0f} MB, {time.monotonic() - started:.1f} s", flush=True)


def _give_up(sentence: str, code: int) -> int:
    print("failed", flush=True)
    print(sentence, file=sys.stderr)
    return code
