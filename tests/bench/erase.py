"""Twenty people are erased from a lake of LFW one by one; the job is killed in a part of each erasure, then finished.

    python tests/bench/erase.py [--people 60] [--subjects 20] [--kills 20] [--seed 0]

Two real runs, the second with more images, make a lake with all seven exports. Each subject is erased with
`--with-source`, and the job is killed once: of so many subjects by SIGKILL, a drawn part of a second after a part has
begun; of the others by an exception as the part begins, which is cheaper. Then the same command finishes the work. The
proof must have found nothing, and neither may a search that shares no code with the proof. All rows of others must be
equal to the bit, but for clusters that had a face of the subject. A run halfway and a run at the end go on; what these
give must be equal to a lake that never had the subjects and had as many runs (votes go on from former clusters),
clusters equal but for ids. Needs FACESIEVE_DATA. Exit code 1 if anything differs.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import killable
from bench_environment import CONFIG, DATA, ROOT
from killable import Commands
from published import NothingPublished, Row, newest
from searched import Sought

PARTS = ("tombstones", "tables", "the table clusters", "versions", "exports", "scratch", "source", "proof")
STEP = 3
"""The parts follow each other by this step, so that the first few are not of one kind."""
FEWEST, MOST, LATE = 4, 8, 0.8
"""Images of each person; seconds after the begin of a part within which SIGKILL comes."""
TABLES = (
    *("listing", "embeddings", "rejects", "edges", "votes", "clusters", "decisions", "cleaned", "identity_links"),
)
EVERY = 'publish.outputs=["parquet","folders","crops","webdataset","huggingface","recordio","clean_list"]'
Tables = dict[str, list[Row]]


@dataclass(frozen=True)
class Series:
    """A folder with images and the lake that was made of them."""

    folder: Path

    def arguments(self, *sets: str) -> list[str]:
        """Return the arguments of every command on this lake."""
        settings = {
            "lake.root": self.folder / "lake",
            "images.root": self.folder / "images",
            "embed.detector": "aligned",
            "decide.min_faces": 3,
            "publish.export_root": self.folder / "export",
            "publish.max_change": 1,
            "publish.max_gone": 1,
            "erase.key_file": self.folder / "erase.key",
        }
        pairs = [*(f"{name}={value}" for name, value in settings.items()), *sets]
        return ["--config", CONFIG, *(part for pair in pairs for part in ("--set", pair))]

    def sieve(self, commands: Commands, name: str) -> None:
        """Run all steps, with all exports."""
        code = commands.run("sieve", *self.arguments("publish.apply=true", EVERY), "--run", name)
        if code:
            raise SystemExit(f"the run {name} ended with exit code {code}")

    def rows(self) -> Tables:
        """Read all tables as the newest run, or the newest erasure, has left them."""
        read: Tables = {}
        for table in TABLES:
            try:
                read[table] = newest(self.folder / "lake").rows(table, "*")
            except NothingPublished:
                read[table] = []
        return read

    def files(self) -> Iterator[Path]:
        """Yield what a search must look through."""
        for root in (self.folder / "lake", self.folder / "export"):
            yield from (file for file in sorted(root.rglob("*")) if file.is_file())


def sought(rows: Tables, name: str) -> Sought:
    """Return what the lake knows of a person."""
    mine = [row for row in rows["listing"] if row["identity"] == name]
    images = {row["image_id"] for row in mine}
    faces = [row for row in rows["embeddings"] if row["image_id"] in images]
    return Sought(
        (name, *(row["uri"] for row in mine), *(row["sha256"] for row in mine)),
        (*images, *(row["face_id"] for row in faces)),
        tuple(tuple(row["vector"]) for row in faces),
    )


def changed(before: Tables, after: Tables, gone: Sought) -> list[str]:
    """Name the tables in which rows of others are not as they were."""
    ids, names = set(gone.ids), {gone.texts[0]}
    touched = {_cluster(row) for row in before["clusters"] if row["face_id"] in ids}
    differ = []
    for table in TABLES:
        staying = [_without_references(row, ids) for row in before[table] if not _names(row, ids, names)]
        there = list(after[table])
        if table == "clusters":
            staying, there = ([row for row in rows if _cluster(row) not in touched] for rows in (staying, there))
        elif table == "decisions":
            renamed = {row["image_id"] for row in before[table] if row["cluster_id"] in ids}
            staying, there = (_without_clusters(rows, renamed) for rows in (staying, there))
        if sorted(map(str, staying)) != sorted(map(str, there)):
            differ.append(table)
    return differ


def _names(row: Row, ids: set[int], names: set[str]) -> bool:
    values = [row.get(name) for name in ("image_id", "face_id", "src", "dst", "identity_a", "identity_b")]
    return any(value in ids or value in names for value in values)


def _cluster(row: Row) -> tuple[Any, ...]:
    return row["scope"], row["cluster_id"]


def _without_references(row: Row, ids: set[int]) -> Row:
    """A copy that was kept, and a nearest face, become null with the subject."""
    evidence = row.get("evidence")
    if evidence and evidence["nearest_face"] in ids:
        row = row | {"evidence": evidence | {"nearest_face": None}}
    return row | {"kept_image_id": None} if row.get("kept_image_id") in ids else row


def _without_clusters(rows: list[Row], images: set[int]) -> list[Row]:
    """A cluster that bore the id of a face of the subject has another one."""
    return [row | {"cluster_id": None} if row["image_id"] in images else row for row in rows]


def results(rows: Tables) -> dict[str, Any]:
    """Return what must be equal to a lake that never had the subjects: people, verdicts, pairs, what is published."""
    people: dict[tuple[Any, ...], set[int]] = {}
    for row in rows["clusters"]:
        people.setdefault(_cluster(row), set()).add(row["face_id"])
    return {
        "clusters": {(scope, frozenset(faces)) for (scope, _), faces in people.items()},
        "verdicts": {(row["uri"], row["verdict"], *row["reasons"], row["moved_to"]) for row in rows["decisions"]},
        "edges": {(row["scope"], row["src"], row["dst"]) for row in rows["edges"]},
        "published": {(row["uri"], row["identity"], row["sha256"]) for row in rows["cleaned"]},
    }


def erased(series: Series, commands: Commands, name: str, part: str, late: float | None) -> list[str]:
    """Erase one person, killed once; return what is wrong."""
    before, proof = series.rows(), series.folder / "proof.json"
    gone = sought(before, name)
    here = len(gone.hits(series.files()))
    command = ["--identity", name, "--apply", "--with-source", "--proof", str(proof)]
    began = time.monotonic()
    at = commands.killed(f"erase: {part}", late, "erase", *series.arguments(), *command)
    middle = time.monotonic()
    code = commands.run("erase", *series.arguments(), *command)
    ended = time.monotonic()
    left = gone.hits(series.files())
    faults = {
        "the search did not see the person before": not here,
        f"exit code {code}": code,
        f"an independent search finds {len(left)} files": left,
        "files of the source are left": list((series.folder / "images").glob(f"{name}/*")),
        "rows of others changed": changed(before, series.rows(), gone),
    }
    wrong = [f"{fault} {value if isinstance(value, list) else ''}" for fault, value in faults.items() if value]
    print(
        f"{name}: {len(gone.vectors)} faces in {here} files; killed {_how(late)} in {at!r},"
        f" {middle - began:.1f} s; finished in {ended - middle:.1f} s: {'; '.join(wrong) or 'right'}",
        flush=True,
    )
    return [f"{name}: {each}" for each in wrong]


def _how(late: float | None) -> str:
    return "by an exception" if late is None else f"by SIGKILL {late:.2f} s late"


def lay_out(folder: Path, people: int, chance: random.Random) -> list[str]:
    """Copy the images of people who are drawn, and return their names."""
    folders = sorted((DATA / "lfw" / "images").iterdir())
    sizes = {each: len(list(each.glob("*.jpg"))) for each in folders}
    drawn = chance.sample([each for each in folders if FEWEST <= sizes[each] <= MOST], people)
    for each in drawn:
        shutil.copytree(each, folder / each.name)
    return sorted(each.name for each in drawn)


def set_aside(images: Path, aside: Path) -> None:
    """Move the last image of each person away, or back if it is away."""
    for person in sorted(images.iterdir()):
        (aside / person.name).mkdir(parents=True, exist_ok=True)
        last = max(person.glob("*.jpg"))
        shutil.move(last, aside / person.name / last.name)


def begin(series: Series, commands: Commands) -> None:
    """Make two runs, the second with one more image of each person."""
    aside = series.folder / "aside"
    set_aside(series.folder / "images", aside)
    series.sieve(commands, "first")
    shutil.copytree(aside, series.folder / "images", dirs_exist_ok=True)
    series.sieve(commands, "second")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--people", type=int, default=60)
    arguments.add_argument("--subjects", type=int, default=20)
    arguments.add_argument("--kills", type=int, default=20)
    arguments.add_argument("--seed", type=int, default=0)
    options = arguments.parse_args()
    if not DATA.exists():
        print("skipped: FACESIEVE_DATA is not there")
        return 0
    base, chance = ROOT / "build" / "bench" / "erase", random.Random(options.seed)
    shutil.rmtree(base, ignore_errors=True)
    series, never = Series(base / "lake"), Series(base / "never")
    people = lay_out(series.folder / "images", options.people, chance)
    subjects = chance.sample(people, options.subjects)
    shutil.copytree(series.folder / "images", never.folder / "images")
    for name in subjects:
        shutil.rmtree(never.folder / "images" / name)
    wrong: list[str] = []
    with killable.commands(base / "log") as commands:
        begin(series, commands)
        for number, name in enumerate(subjects):
            late = chance.uniform(0, LATE) if number < options.kills else None
            wrong += erased(series, commands, name, PARTS[number * STEP % len(PARTS)], late)
            if number + 1 == len(subjects) // 2:
                series.sieve(commands, "halfway")
        series.sieve(commands, "after")
        commands.close()  # a session keeps the lake that it began with
        begin(never, commands)
        for name in ("halfway", "after"):
            never.sieve(commands, name)
    ours, theirs = results(series.rows()), results(never.rows())
    for name, values in ours.items():
        print(f"{name}: {len(values)}, against the lake that never had them: {len(values ^ theirs[name])} differ")
        wrong += [f"{name} differ"] if values != theirs[name] else []
    print(f"{len(subjects)} of {len(people)} people erased: {'; '.join(wrong) or 'all right'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
