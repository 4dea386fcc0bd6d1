"""Lay out the demonstration: photographs of a few people in one folder each, with faults planted among them.

    python tests/demo/plant.py [--photographs .cache/demo] [--out build/demo] [--seed N]

Writes OUT/images/PERSON/* and OUT/planted.csv (kind, uri, origin). The seed alone tells which photographs are hit.
A complete set is left untouched, modification times included, so that a second run of the job finds nothing to do.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import faults
from faults import Kind

SEED = 2
MOVED_PER_PERSON = 2
COPIES_BESIDE = 3
_NEEDED_PER_PERSON = MOVED_PER_PERSON + 3
_JPEG = b"\xff\xd8\xff"


@dataclass
class Layout:
    """What is to be written: content by uri, and what was planted (kind, uri, origin)."""

    images: dict[str, bytes]
    planted: list[tuple[Kind, str, str]] = field(default_factory=list)

    def plant(self, kind: Kind, uri: str, content: bytes, origin: str = "") -> None:
        """Add an image as a planted fault. Raises ValueError if there is one of that name."""
        if uri in self.images:
            raise ValueError(f"{uri} is there already")
        self.images[uri] = content
        self.planted.append((kind, uri, origin))


def read(photographs: Path) -> dict[str, bytes]:
    """Read train/PERSON/* and val/PERSON/* into one folder per person: content by uri. Equal names never overwrite."""
    merged: dict[str, bytes] = {}
    for part in ("train", "val"):
        for path in sorted((photographs / part).glob("*/*.jpg")):
            uri = f"{path.parent.name}/{path.name}"
            merged[uri if uri not in merged else f"{path.parent.name}/{part}_{path.name}"] = path.read_bytes()
    return merged


def lay_out(photographs: dict[str, bytes], seed: int) -> Layout:
    """Plant all faults; no photograph is hit by two of them."""
    draw = random.Random(seed)
    layout = Layout(dict(photographs))
    people = sorted({uri.split("/")[0] for uri in photographs})
    untouched = _move(layout, people, draw)
    for _ in range(COPIES_BESIDE):
        origin = untouched.pop()
        stem, _, suffix = origin.rpartition(".")
        layout.plant(Kind.COPY_BESIDE, f"{stem}_copy.{suffix}", photographs[origin], origin)
    origin = untouched.pop()
    layout.plant(Kind.COPY_ELSEWHERE, _elsewhere(origin, people, draw), photographs[origin], origin)
    origin = next(uri for uri in reversed(untouched) if photographs[uri].startswith(_JPEG))
    layout.plant(Kind.CUT, f"{origin.rpartition('.')[0]}_cut.jpg", faults.cut(photographs[origin]), origin)
    layout.plant(Kind.TEXT, f"{draw.choice(people)}/notes.jpg", faults.text())
    layout.plant(Kind.BOMB, f"{draw.choice(people)}/poster.png", faults.bomb())
    layout.plant(Kind.FACELESS, f"{draw.choice(people)}/evening.jpg", faults.faceless())
    return layout


def _move(layout: Layout, people: Sequence[str], draw: random.Random) -> list[str]:
    """Move some photographs of each person into other people's folders; return the others, in random order."""
    untouched: list[str] = []
    for person in people:
        own = sorted(uri for uri in layout.images if uri.startswith(f"{person}/"))
        own = [uri for uri in own if all(uri != moved for _, moved, _ in layout.planted)]
        draw.shuffle(own)
        untouched += own[MOVED_PER_PERSON:]
        for origin in own[:MOVED_PER_PERSON]:
            layout.plant(Kind.MOVED, _elsewhere(origin, people, draw), layout.images.pop(origin), origin)
    draw.shuffle(untouched)
    return untouched


def _elsewhere(uri: str, people: Sequence[str], draw: random.Random) -> str:
    person, _, name = uri.partition("/")
    return f"{draw.choice([other for other in people if other != person])}/{name}"


def write(layout: Layout, out: Path) -> int:
    """Write what is missing or differs below `out`; return how many images were written.

    Files that are not of the layout stay, unless the list of what was planted differs: then all is laid out anew.
    """
    listed, images = out / "planted.csv", out / "images"
    rows = _as_csv(layout)
    if listed.exists() and listed.read_bytes() != rows:
        shutil.rmtree(images, ignore_errors=True)
    written = 0
    for uri, content in layout.images.items():
        target = images / uri
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        written += 1
    if not listed.exists() or listed.read_bytes() != rows:
        listed.write_bytes(rows)
    return written


def _as_csv(layout: Layout) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("kind", "uri", "origin"))
    rows.writerows((kind.value, uri, origin) for kind, uri, origin in layout.planted)
    return text.getvalue().encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Lay out the demonstration; 2 if there are no photographs to lay out."""
    parser = argparse.ArgumentParser(description="Lay out the demonstration's photographs with planted faults.")
    parser.add_argument("--photographs", type=Path, default=Path(".cache/demo"), help="holds train/ and val/")
    parser.add_argument("--out", type=Path, default=Path("build/demo"))
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(arguments)
    photographs = read(options.photographs)
    folders = [uri.split("/")[0] for uri in photographs]
    if len(set(folders)) < 2 or min(map(folders.count, folders)) < _NEEDED_PER_PERSON:
        print(f"{options.photographs} does not hold the demonstration's photographs. Run make setup.", file=sys.stderr)
        return 2
    layout = lay_out(photographs, options.seed)
    written = write(layout, options.out)
    people, planted = len(set(folders)), len(layout.planted)
    state = f"{written} written" if written else "unchanged"
    print(
        f"{len(layout.images)} images of {people} people, {planted} faults planted, {state}: {options.out / 'images'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
