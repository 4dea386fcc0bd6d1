"""Kill the driver with SIGKILL in every stage, start the same command again at once, and compare with a quiet run.

    python tests/bench/killed.py            # needs `make demo` to have laid out build/demo/images

One lake is killed in the listing, then in embed (after its first committed chunk), link, cluster, decide and publish;
each start resumes what the one before left. At the end the rows of every table after `embeddings` must equal those of
a lake whose run nobody disturbed. Prints what each start found to do.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "demo"))

from published import newest  # noqa: E402

PLACES = (
    ("listing", "tasks at once", 4.0),
    ("embed", "embed: ", 1.0),
    ("link", " rows in, 120 rows out", 3.0),
    ("cluster", "superstep 3", 0.3),
    ("decide", "cluster: ", 2.0),
    ("publish", "decide: ", 1.5),
)
TABLES = ("edges", "votes", "clusters", "decisions", "cleaned")


def main() -> None:
    """Kill, resume, compare; exit 1 if the tables differ."""
    base = ROOT / "build" / "bench" / "killed"
    shutil.rmtree(base, ignore_errors=True)
    quiet, hurt = base / "quiet", base / "hurt"
    print(f"undisturbed: exit {_start(quiet).wait()}")
    for stage, marker, delay in PLACES:
        _kill_in(hurt, stage, marker, delay)
    last = _start(hurt)
    print(f"last start: exit {last.wait()}")
    calm, shaken = newest(quiet / "lake"), newest(hurt / "lake")
    same = [table for table in TABLES if _sorted(calm.rows(table, "*")) == _sorted(shaken.rows(table, "*"))]
    print(f"equal tables: {', '.join(same)} ({len(same)} of {len(TABLES)})")
    sys.exit(0 if len(same) == len(TABLES) else 1)


def _start(lake: Path) -> subprocess.Popen[str]:
    overlay = ["--overlay", "conf/env/demo.toml", "--set", f"lake.root={lake}/lake"]
    sets = ["--set", f"publish.export_root={lake}/export", "--set", "embed.chunk_images=32"]
    command = [str(ROOT / ".venv/bin/spark-submit"), "jobs/sieve.py", "--config", "conf/pipeline.toml", *overlay, *sets]
    lake.mkdir(parents=True, exist_ok=True)
    log = (lake / "log").open("a")
    return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, text=True, start_new_session=True)


def _kill_in(lake: Path, stage: str, marker: str, delay: float) -> None:
    lake.mkdir(parents=True, exist_ok=True)
    log = lake / "log"
    log.touch()
    seen = log.stat().st_size
    running = _start(lake)
    while marker not in log.read_text()[seen:] and running.poll() is None:
        time.sleep(0.05)
    time.sleep(delay)
    alive = running.poll() is None
    if alive:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
    said = [line for line in log.read_text()[seen:].splitlines() if "rows out" in line or "embed:" in line]
    print(f"killed in {stage}: {'yes' if alive else 'TOO LATE'}; it had said: {said}")


def _sorted(rows: list[dict]) -> list[str]:
    return sorted(map(str, rows))


if __name__ == "__main__":
    main()
