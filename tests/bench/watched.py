"""A job in a process of its own: seconds, memory of all its processes, and what its tasks did, by Spark's event log."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench_environment import ROOT

MEGA = 1e6


@dataclass
class Watched:
    """One job: its record, seconds of the whole command, and peaks in bytes.

    together: sum of the resident sizes of all processes; jvm; worker: the largest Python worker on its own (what it
    shares with its siblings counts); task_peak: the largest execution memory of a task in the JVM.
    times: seconds of a processor by process id, up to the last look.
    """

    record: dict[str, Any]
    seconds: float
    together: int = 0
    jvm: int = 0
    worker: int = 0
    task_peak: int = 0
    spilled: int = 0
    times: dict[int, float] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def processor(self) -> float:
        """Seconds of all processors together, which other work on the machine hardly changes."""
        return sum(self.times.values())

    def report(self, name: str, most: int = 8) -> str:
        """Write what it took, and the stages that took most task time."""
        peaks = ", ".join(f"{part} {getattr(self, part) / MEGA:,.0f} MB" for part in ("together", "jvm", "worker"))
        stage = self.record["stages"][name]["seconds"]
        lines = [
            f"{name}: stage {stage:.1f} s, command {self.seconds:.1f} s; peak memory: {peaks},"
            f" a task's in the JVM {self.task_peak / MEGA:,.0f} MB, spilled {self.spilled / MEGA:,.0f} MB"
        ]
        return "\n".join([*lines, *self.stage_lines(most)])

    def stage_lines(self, most: int) -> list[str]:
        """Write the stages that took most task time, one a line."""
        total = sum(each["seconds"] for each in self.stages)
        return [
            f"  {each['seconds']:8.1f} s of {total:.1f}, {each['tasks']:3} tasks, longest {each['longest']:.1f} s,"
            f" read {each['read'] / MEGA:6.0f} MB, shuffled {each['shuffled'] / MEGA:6.0f} MB,"
            f" peak {each['peak'] / MEGA:6.0f} MB: {each['what']}"
            for each in sorted(self.stages, key=lambda each: -each["seconds"])[:most]
        ]


def run(job: str, settings: Mapping[str, object], log: Path, more: Sequence[str] = ()) -> Watched:
    """Run `jobs/<job>.py` with these keys set, event log in the folder `log`; SystemExit if it fails."""
    log.mkdir(parents=True, exist_ok=True)
    known = set(log.iterdir())
    spark = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": log.as_uri(), "spark.eventLog.compress": "false"}
    command = [str(ROOT / ".venv/bin/spark-submit"), *(f"--conf={key}={value}" for key, value in spark.items())]
    command += [f"jobs/{job}.py", "--config", "conf/pipeline.toml", "--json", *more]
    for key, value in settings.items():
        command += ["--set", f"{key}={str(value).lower() if isinstance(value, bool) else value}"]
    began, watched = time.monotonic(), Watched({}, 0)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, start_new_session=True) as process:
        while process.poll() is None:
            _look(process.pid, watched)
            time.sleep(0.2)
        output = process.stdout.read() if process.stdout else b""
    watched.seconds = time.monotonic() - began
    if process.returncode:
        raise SystemExit(f"{job} ended with exit code {process.returncode}")
    watched.record = json.loads(output)
    for file in set(log.iterdir()) - known:
        _read(file, watched)
    return watched


def _look(session: int, watched: Watched) -> None:
    """Measure once. By session: Python's workers have a process group of their own."""
    sizes: dict[str, int] = defaultdict(int)
    together = 0
    for process in (each for each in Path("/proc").iterdir() if each.name.isdigit()):
        looked = _process(process, session)
        if looked is not None:
            size, command, watched.times[int(process.name)] = looked
            kind = "worker" if "pyspark.daemon" in command else "jvm" if "java" in command[:200] else "rest"
            sizes[kind], together = max(sizes[kind], size), together + size
    watched.together = max(watched.together, together)
    watched.jvm, watched.worker = max(watched.jvm, sizes["jvm"]), max(watched.worker, sizes["worker"])


def _process(process: Path, session: int) -> tuple[int, str, float] | None:
    """Return the bytes in memory of a process, its command, and the seconds that it computed; None of other sessions.

    Fields of /proc/PID/stat behind the name: session 3, user and system time 11 and 12, pages in memory 21 (proc(5)).
    """
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
        command = (process / "cmdline").read_text(errors="replace").replace("\0", " ")
    except OSError:  # it has ended
        return None
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return (int(fields[21]) * os.sysconf("SC_PAGE_SIZE"), command, seconds) if int(fields[3]) == session else None


def _read(file: Path, watched: Watched) -> None:
    """Sum up the tasks of each stage."""
    tasks: dict[int, list[dict[str, Any]]] = defaultdict(list)
    names: dict[int, str] = {}
    described: dict[int, str] = {}
    for line in file.open(encoding="utf-8"):
        event = json.loads(line)
        if event["Event"].endswith("SQLExecutionStart"):
            described[event["executionId"]] = event["description"]
        if event["Event"] == "SparkListenerStageSubmitted":
            info = event["Stage Info"]
            query = (event.get("Properties") or {}).get("spark.sql.execution.id")
            names[info["Stage ID"]] = f"query {query} ({described.get(int(query), '')[:60]})" if query else "no query"
            scopes = [json.loads(rdd["Scope"])["name"] for rdd in info["RDD Info"] if rdd.get("Scope")]
            names[info["Stage ID"]] += ": " + ", ".join(dict.fromkeys(sorted(scopes)))[:220]
        if event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
            tasks[event["Stage ID"]].append(event)
    for stage, ended in tasks.items():
        watched.stages.append(_stage(names.get(stage, ""), ended))
    watched.task_peak = max((each["peak"] for each in watched.stages), default=0)
    watched.spilled = sum(each["spilled"] for each in watched.stages)


def _stage(what: str, ended: list[dict[str, Any]]) -> dict[str, Any]:
    times = [(each["Task Info"]["Finish Time"] - each["Task Info"]["Launch Time"]) / 1000 for each in ended]
    measured = [each["Task Metrics"] for each in ended]
    return {
        "what": what,
        "tasks": len(ended),
        "seconds": sum(times),
        "longest": max(times),
        "peak": max(each.get("Peak Execution Memory", 0) for each in measured),
        "spilled": sum(each["Memory Bytes Spilled"] for each in measured),
        "read": sum(each["Input Metrics"]["Bytes Read"] for each in measured),
        "shuffled": sum(each["Shuffle Write Metrics"]["Shuffle Bytes Written"] for each in measured),
    }
