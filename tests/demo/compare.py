"""Print what was planted beside what the job found, kind by kind, and where to look.

    python tests/demo/compare.py [--demo build/demo]

Reads DEMO/planted.csv and the tables that the job published in DEMO/lake, nothing else of the job. Ends with 0 if every
planted fault was found, 1 if one was not (it says which, and what the table tells), 2 if there is nothing to read.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faults import Kind
from published import NothingPublished, Published, Row, newest

ABSENT: Row = {"verdict": "no row", "reasons": [], "identity": None, "face_id": None, "moved_to": None}


@dataclass(frozen=True)
class Planted:
    """One planted fault: where it is, and the photograph it was made of."""

    kind: Kind
    uri: str
    origin: str


@dataclass(frozen=True)
class Finding:
    """What the table `decisions` tells of a planted fault."""

    fault: Planted
    detected: bool
    summary: str


Decisions = Mapping[str, Row]
"""The row of `decisions` for each uri."""


Rule = Callable[[Planted, Decisions], tuple[bool, Sequence[str]]]
"""Tells whether a fault was found, and the uris whose rows tell so."""


def _wrong_folder(fault: Planted, decisions: Decisions) -> tuple[bool, Sequence[str]]:
    return _row(decisions, fault.uri)["verdict"] in ("drop", "move", "quarantine"), (fault.uri,)


def _copy_beside(fault: Planted, decisions: Decisions) -> tuple[bool, Sequence[str]]:
    _, dropped = sorted((fault.uri, fault.origin), key=str.encode)  # the one with the smallest uri is kept
    return _says(_row(decisions, dropped), "drop", "duplicate"), (dropped,)


def _copy_elsewhere(fault: Planted, decisions: Decisions) -> tuple[bool, Sequence[str]]:
    both = (fault.origin, fault.uri)
    return all(_says(_row(decisions, uri), "quarantine", "two_identities") for uri in both), both


def _fails(reason: str) -> Rule:
    return lambda fault, decisions: (_says(_row(decisions, fault.uri), "fail", reason), (fault.uri,))


RULES: Mapping[Kind, tuple[str, Rule]] = {
    Kind.MOVED: ("photograph in another person's folder", _wrong_folder),
    Kind.COPY_BESIDE: ("byte-identical copy beside its original", _copy_beside),
    Kind.COPY_ELSEWHERE: ("byte-identical copy in another's folder", _copy_elsewhere),
    Kind.CUT: ("JPEG cut in the middle", _fails("undecodable")),
    Kind.TEXT: ("text file named .jpg", _fails("wrong_type")),
    Kind.BOMB: ("PNG that claims 60,000 x 60,000 pixels", _fails("too_large")),
    Kind.FACELESS: ("picture without a face", _fails("no_face")),
}
"""Per kind: what it is called, and when it counts as found."""


def findings(planted: Iterable[Planted], decisions: Decisions) -> list[Finding]:
    """Look up every planted fault."""
    results = []
    for fault in planted:
        detected, uris = RULES[fault.kind][1](fault, decisions)
        summaries = dict.fromkeys(_summary(_row(decisions, uri)) for uri in uris)
        results.append(Finding(fault, detected, " / ".join(summaries)))
    return results


def faults_table(results: Sequence[Finding]) -> Iterator[tuple[str, ...]]:
    """Planted beside found, kind by kind."""
    yield "Planted", "planted", "found", "the job's verdict and reason"
    for kind, (name, _) in RULES.items():
        of_kind = [finding for finding in results if finding.fault.kind == kind]
        summaries = Counter(finding.summary for finding in of_kind).most_common()
        verdicts = ", ".join(f"{text} ({count})" if len(summaries) > 1 else text for text, count in summaries)
        yield name, str(len(of_kind)), str(sum(finding.detected for finding in of_kind)), verdicts
    yield "all", str(len(results)), str(sum(finding.detected for finding in results)), ""


def others_table(planted: Sequence[Planted], decisions: Decisions) -> Iterator[tuple[str, ...]]:
    """What was not planted and yet is not kept: verdict and reasons, and how often."""
    hit = {uri for fault in planted for uri in (fault.uri, fault.origin if fault.kind != Kind.CUT else "")}
    others = Counter(_summary(row) for uri, row in decisions.items() if uri not in hit and row["verdict"] != "keep")
    yield "Not planted, yet not kept", "images"
    yield from ((summary, str(count)) for summary, count in others.most_common())
    yield "all", str(others.total())


def people_table(
    person: Mapping[str, str], decisions: Decisions, clusters: Mapping[int, int]
) -> Iterator[tuple[str, ...]]:
    """Per person: images, kept ones, kept under another name, and how the global clusters hold the faces.

    `person` tells who is in an image (by uri), `clusters` the global cluster of a face.
    """
    yield "Person", "images", "kept", "under another name", "faces per global cluster"
    for name in sorted(set(person.values())):
        own = [decisions[uri] for uri, whose in person.items() if whose == name and uri in decisions]
        under = [row["moved_to"] or row["identity"] for row in own if row["verdict"] in ("keep", "move")]
        sizes = Counter(clusters[row["face_id"]] for row in own if row["face_id"] in clusters).most_common()
        wrong = len(under) - under.count(name)
        yield name, str(len(own)), str(len(under)), str(wrong), ", ".join(str(size) for _, size in sizes)


def mixed(person: Mapping[str, str], decisions: Decisions, clusters: Mapping[int, int]) -> int:
    """Count the global clusters that hold faces of more than one person."""
    people: dict[int, set[str]] = defaultdict(set)
    for uri, whose in person.items():
        face = decisions.get(uri, ABSENT)["face_id"]
        if face in clusters:
            people[clusters[face]].add(whose)
    return sum(len(names) > 1 for names in people.values())


def in_picture(planted: Iterable[Planted], decisions: Decisions) -> dict[str, str]:
    """Tell who is in an image, by uri: the folder's name, except where something was planted."""
    origins = {fault.uri: fault.origin for fault in planted}
    whose = {uri: origins.get(uri, uri) for uri in decisions}
    return {uri: origin.split("/")[0] for uri, origin in whose.items() if origin}


def _row(decisions: Decisions, uri: str) -> Row:
    return decisions.get(uri, ABSENT)


def _says(row: Row, verdict: str, reason: str) -> bool:
    return row["verdict"] == verdict and reason in row["reasons"]


def _summary(row: Row) -> str:
    return " ".join([row["verdict"], ", ".join(row["reasons"])]).strip()


def aligned(rows: Iterable[tuple[str, ...]]) -> str:
    """Lay rows out under a ruled head: text to the left, columns of figures to the right."""
    table = list(rows)
    columns = list(zip(*table, strict=True))
    widths = [max(map(len, column)) for column in columns]
    figures = [all(cell.isdigit() for cell in column[1:]) for column in columns]

    def line(row: Iterable[str]) -> str:
        cells = zip(row, widths, figures, strict=True)
        return "  ".join(cell.rjust(width) if right else cell.ljust(width) for cell, width, right in cells).rstrip()

    head, *body = table
    return "\n".join([line(head), line("-" * width for width in widths), *map(line, body)])


def report(planted: Sequence[Planted], published: Published, demo: Path) -> bool:
    """Print everything; return whether all that was planted was found."""
    columns = ("uri", "identity", "verdict", "reasons", "face_id", "moved_to")
    decisions = {row["uri"]: {**row, "reasons": row["reasons"] or []} for row in published.rows("decisions", *columns)}
    faces = published.rows("clusters", "scope", "face_id", "cluster_id")
    clusters = {row["face_id"]: row["cluster_id"] for row in faces if row["scope"] == "global"}
    results, person = findings(planted, decisions), in_picture(planted, decisions)
    verdicts = Counter(row["verdict"] for row in decisions.values()).most_common()
    print(
        f"\nRun {published.run}: {len(decisions)} images: " + ", ".join(f"{count} {name}" for name, count in verdicts)
    )
    for rows in (
        faults_table(results),
        others_table(planted, decisions),
        people_table(person, decisions, clusters),
    ):
        print(f"\n{aligned(rows)}")
    print(f"Global clusters with faces of more than one person: {mixed(person, decisions, clusters)}")
    print(f"\n{aligned(places(demo))}\n")
    missed = [finding for finding in results if not finding.detected]
    for finding in missed:
        origin = f" (from {finding.fault.origin})" if finding.fault.origin else ""
        print(f"NOT FOUND: {RULES[finding.fault.kind][0]}: {finding.fault.uri}{origin}: {finding.summary}")
    print("Not all that was planted was found." if missed else "Everything that was planted was found.")
    return not missed


def places(demo: Path) -> Iterator[tuple[str, ...]]:
    """Where to look."""
    yield "Where to look", ""
    yield "the input, and what was planted in it", f"{demo / 'images'}, {demo / 'planted.csv'}"
    yield "every image's verdict and reasons", f"{demo / 'lake/faces/decisions'} (Iceberg)"
    yield "the other tables", ", ".join(path.name for path in sorted((demo / "lake/faces").iterdir()))
    current = demo / "export" / "CURRENT"
    if current.is_file():
        export = current.with_name(current.read_text().strip())
        yield "the cleaned people, one folder each", str(export / "folders")
        yield "where each file came from", str(export / "folders" / "manifest.csv")
        yield "the same as plain Parquet", str(export / "parquet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare; see the module for the exit codes."""
    parser = argparse.ArgumentParser(description="Print what was planted beside what the job found.")
    parser.add_argument("--demo", type=Path, default=Path("build/demo"))
    demo = parser.parse_args(arguments).demo
    try:
        with (demo / "planted.csv").open(encoding="utf-8", newline="") as listed:
            planted = [Planted(Kind(row["kind"]), row["uri"], row["origin"]) for row in csv.DictReader(listed)]
        complete = report(planted, newest(demo / "lake"), demo)
    except (FileNotFoundError, NothingPublished) as problem:
        print(f"Nothing to compare ({problem}). Run make demo.", file=sys.stderr)
        return 2
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
