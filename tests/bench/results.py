"""Results of benchmarks as JSON, and the thresholds that they are held to.

    python tests/bench/results.py      # what `make bench-check` runs: exits 1 if a threshold is missed

A benchmark notes ratios (`note`) in build/bench/NAME.json, with the machine and the commit. tests/bench/targets.toml
has a table for each benchmark: the most, or the least, that a ratio may be. A ratio that was not measured is told.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER, TARGETS = ROOT / "build" / "bench", Path(__file__).with_name("targets.toml")


def note(benchmark: str, **measured: float) -> None:
    """Write what a benchmark has measured, beside what was noted of it before; print it too."""
    path = FOLDER / f"{benchmark}.json"
    former = json.loads(path.read_text())["measured"] if path.exists() else {}
    rounded = {name: round(value, 4) for name, value in measured.items()}
    document = {"measured": former | rounded, "machine": machine(), "commit": commit()}
    document["at"] = datetime.now(UTC).isoformat(timespec="seconds")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n")
    print(f"{benchmark}: " + ", ".join(f"{name} {value:g}" for name, value in rounded.items()), flush=True)


def machine() -> dict[str, object]:
    """Describe the machine: cores, memory in GiB, processor, Python."""
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = names[0] if names else platform.processor()
    return {"cores": os.cpu_count(), "gib": round(memory), "cpu": processor, "python": platform.python_version()}


def commit() -> str:
    """Return the commit that was measured; with a plus if files differ from it."""
    asked = ["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--untracked-files=no"]
    name, changes = (subprocess.check_output(["git", *each], cwd=ROOT, text=True).strip() for each in asked)
    return name + ("+" if changes else "")


def misses(targets: dict[str, dict[str, dict[str, float]]], folder: Path = FOLDER) -> list[str]:
    """Compare what is noted with the targets (benchmark -> ratio -> at_most or at_least): a line for each miss."""
    lines = []
    for benchmark, ratios in targets.items():
        path = folder / f"{benchmark}.json"
        measured = json.loads(path.read_text())["measured"] if path.exists() else {}
        for ratio, limits in ratios.items():
            if ratio not in measured:
                print(f"{benchmark}.{ratio}: not measured (python tests/bench/{benchmark}.py)")
                continue
            value = measured[ratio]
            low, high = limits.get("at_least", value), limits.get("at_most", value)
            if not low <= value <= high:
                lines.append(f"{benchmark}.{ratio}: {value:g}, target {limits}")
    return lines


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines() if Path(path).exists() else []


if __name__ == "__main__":
    missed = misses(tomllib.loads(TARGETS.read_text()))
    print(*missed, sep="\n")
    sys.exit(bool(missed))
