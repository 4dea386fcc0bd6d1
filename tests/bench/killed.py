"""Kill the driver with SIGKILL in every stage, start the same command again at once, and compare with a quiet run.

    python tests/bench/killed.py            # needs `make demo` to have laid out build/demo/images

One lake is killed in the listing, then in embed (after its first committed chunk), link, cluster, decide and publish;
each start resumes what the one before left. At the end every verdict must equal that of a lake whose run nobody
disturbed. Then the same embeddings are taken through all later stages again, on one core: every later table must be
equal to the bit. Prints what each start had done when it was killed.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from bench_environment import ROOT
from published import newest

PLACES = (
    ("listing", "tasks at once", 4.0),
    ("embed", "embed: ", 1.0),
    ("link", "embed: 126 rows in", 2.0),
    ("cluster", "superstep 3", 0.3),
    ("decide", "cluster: 2", 1.0),
    ("publish", "decide: ", 2.0),
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
    print(f"last start: exit {_start(hurt).wait()}")
    same = _verdicts(quiet) == _verdicts(hurt)
    print(f"verdicts equal those of the undisturbed run: {same}")
    before = {table: _rows(hurt, table) for table in TABLES}
    other = ("--master", "local[1]")
    print(f"later stages again: exit {_start(hurt, other, ('--full',)).wait()}")
    equal = [table for table in TABLES if _rows(hurt, table) == before[table]]
    print(f"equal to the bit: {', '.join(equal)} ({len(equal)} of {len(TABLES)})")
    sys.exit(0 if same and len(equal) == len(TABLES) else 1)


def _start(lake: Path, conf: tuple[str, ...] = (), extra: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    overlay = ["--overlay", "conf/env/demo.toml", "--set", f"lake.root={lake}/lake"]
    sets = ["--set", f"publish.export_root={lake}/export", "--set", "embed.chunk_images=32"]
    submit = [str(ROOT / ".venv/bin/spark-submit"), *conf, "jobs/sieve.py", "--config", "conf/pipeline.toml"]
    command = [*submit, *overlay, *sets, *extra]
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
    progress = [line for line in log.read_text()[seen:].splitlines() if "rows out" in line or "embed:" in line]
    print(f"killed in {stage}: {'yes' if alive else 'TOO LATE'}; its progress: {progress}")


def _verdicts(lake: Path) -> list[str]:
    rows = newest(lake / "lake").rows("decisions", "uri", "verdict", "reasons", "kept_image_id", "cluster_id")
    return sorted(map(str, rows))


def _rows(lake: Path, table: str) -> list[str]:
    return sorted(map(str, newest(lake / "lake").rows(table, "*")))


if __name__ == "__main__":
    main()
