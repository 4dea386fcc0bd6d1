"""The same benchmark in another checkout of the project, set up: what this build is compared with."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path


def seconds(checkout: Path, script: str, arguments: list[str], line: str) -> list[float]:
    """Run a benchmark of `checkout`, and return the seconds of the lines `line: <seconds> s`, or `line <seconds> s`.

    What the benchmark prints is shown. SystemExit if it fails or prints no such line.
    """
    root = checkout.resolve()
    command = [str(root / ".venv/bin/python"), f"tests/bench/{script}.py", *arguments]
    ended = subprocess.run(command, cwd=root, env=environment_of(root), stdout=subprocess.PIPE, text=True, check=False)
    print(*(f"    {each}" for each in ended.stdout.splitlines()), sep="\n", flush=True)
    found = [float(number) for number in re.findall(rf"{re.escape(line)}:? ([\d.]+) s", ended.stdout)]
    if ended.returncode or not found:
        raise SystemExit(f"{' '.join(command)} ended with exit code {ended.returncode}, {len(found)} lines of {line!r}")
    return found


def environment_of(checkout: Path) -> dict[str, str]:
    """Return the variables of this process, with those of another checkout by which Spark finds its parts."""
    places = {"PYTHONPATH": "lib", "SPARK_CONF_DIR": "conf/spark", "PYSPARK_PYTHON": ".venv/bin/python"}
    return os.environ | {name: str(checkout / place) for name, place in places.items()}
