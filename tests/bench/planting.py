"""Faults planted among people whose folders are clean: impostors, flips, identities cut in two.

The people are those with MANY images and more (158 in LFW); all others are outside and lend the foreign faces. No face
is there twice. Foreign faces of a folder, `share` of what it then holds:

- half (rounded up) random impostors: images of the outside people, drawn without regard to whom they show;
- half one other person: an outside person with SOME images and more (at least as many as are needed), drawn at
  random; smallest folders choose first. Nobody outside has MANY images, so a folder that needs more gets the whole of
  the person with the most images left, then of the next, until it has enough: several other people, each with all that
  there is of them.

Nobody is both another person and a random impostor.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.int64]
Random = np.random.Generator

GOOD, STRANGER, OTHER_PERSON, FLIP = "good", "impostor", "other_person", "flip"
MANY, SOME = 10, 5

CROWD_SHARE, CROWD_FLIPS, CROWD_CUTS = 0.1, 200, 20


@dataclass(frozen=True)
class Source:
    """Embeddings as they are stored: vectors [N, D], the person's number of each, its file, and names by number."""

    vectors: Vectors
    labels: Numbers
    paths: list[str]
    names: list[str]


@dataclass(frozen=True)
class Planted:
    """Images after planting, one per row, the folders' own in the order of the source, then the foreign ones.

    vectors [N, D]; uri (unique: the folder and the file); identity: the folder it is in now; truth: the person shown;
    kind: good, impostor, other_person or flip; row: in the source; person_of: the person a folder is named for.
    """

    vectors: Vectors
    uri: list[str]
    identity: list[str]
    truth: list[str]
    kind: list[str]
    row: Numbers
    person_of: dict[str, str]

    def belongs(self, folders: Iterable[str | None]) -> npt.NDArray[np.bool_]:
        """Say of each image whether it shows the person of the folder given for it (None: of no folder)."""
        people = [self.person_of.get(folder) if folder is not None else None for folder in folders]
        return np.array([person == truth for person, truth in zip(people, self.truth, strict=True)], np.bool_)

    def are(self, kind: str) -> npt.NDArray[np.bool_]:
        """Say of each image whether it is of that kind."""
        return np.array([each == kind for each in self.kind], np.bool_)


@dataclass(frozen=True)
class _Plan:
    """Which row of the source is in which folder, and why."""

    row: Numbers
    folder: list[str]
    kind: list[str]
    person_of: dict[str, str]

    def members(self) -> dict[str, list[int]]:
        found = defaultdict(list)
        for place, folder in enumerate(self.folder):
            found[folder].append(place)
        return dict(found)


def clean(source: Source) -> Planted:
    """The people's folders as they are."""
    return _planted(source, _folders(source))


def noise(source: Source, share: float, seed: int) -> Planted:
    """Give every folder so many foreign faces that they are `share` of it (rounded to whole images)."""
    return _planted(source, _noisy(source, _folders(source), share, np.random.default_rng((seed, 0))))


def flips(source: Source, count: int, seed: int) -> Planted:
    """Move `count` images to a random other folder; at most a third of any folder leaves."""
    return _planted(source, _flipped(_folders(source), count, np.random.default_rng((seed, 1))))


def cut(source: Source, count: int, seed: int) -> Planted:
    """Cut `count` identities at random in two halves, named NAME-1 and NAME-2."""
    return _planted(source, _halved(_folders(source), count, np.random.default_rng((seed, 2))))


def crowd(source: Source, seed: int) -> Planted:
    """Everything at once: identities cut in two, then flips among the folders there are then, then foreign faces."""
    halved = _halved(_folders(source), CROWD_CUTS, np.random.default_rng((seed, 3)))
    flipped = _flipped(halved, CROWD_FLIPS, np.random.default_rng((seed, 4)))
    return _planted(source, _noisy(source, flipped, CROWD_SHARE, np.random.default_rng((seed, 5))))


def _folders(source: Source) -> _Plan:
    inside = np.bincount(source.labels, minlength=len(source.names)) >= MANY
    rows = np.flatnonzero(inside[source.labels])
    names = [source.names[label] for label in source.labels[rows]]
    return _Plan(rows, names, [GOOD] * len(rows), {name: name for name in names})


def _planted(source: Source, plan: _Plan) -> Planted:
    # The folder leads the file's name, so that no two files of a folder are named alike after a flip.
    files = [source.paths[row].replace("/", "-") for row in plan.row]
    uri = [f"{folder}/{file}" for folder, file in zip(plan.folder, files, strict=True)]
    truth = [source.names[label] for label in source.labels[plan.row]]
    return Planted(source.vectors[plan.row], uri, plan.folder, truth, plan.kind, plan.row, plan.person_of)


def _halved(plan: _Plan, count: int, random: Random) -> _Plan:
    members, folder = plan.members(), list(plan.folder)
    person_of = dict(plan.person_of)
    for name in random.choice(sorted(members), count, replace=False).tolist():
        shuffled = random.permutation(members[name])
        person = person_of.pop(name)
        for number, half in enumerate(np.array_split(shuffled, 2), 1):
            person_of[f"{name}-{number}"] = person
            for place in half:
                folder[place] = f"{name}-{number}"
    return replace(plan, folder=folder, person_of=person_of)


def _flipped(plan: _Plan, count: int, random: Random) -> _Plan:
    leaving = dict.fromkeys(plan.person_of, 0)
    sizes = {name: len(places) for name, places in plan.members().items()}
    names, folder, kind = sorted(plan.person_of), list(plan.folder), list(plan.kind)
    wanted = count
    for place in random.permutation(len(folder)).tolist():
        home = folder[place]
        if wanted and leaving[home] + 1 <= sizes[home] / 3:
            others = [name for name in names if plan.person_of[name] != plan.person_of[home]]
            folder[place], kind[place] = others[int(random.integers(len(others)))], FLIP
            leaving[home] += 1
            wanted -= 1
    if wanted:
        raise ValueError(f"{count} images cannot leave their folders without a third of one leaving")
    return replace(plan, folder=folder, kind=kind)


def _noisy(source: Source, plan: _Plan, share: float, random: Random) -> _Plan:
    sizes = {name: len(places) for name, places in plan.members().items()}
    foreign = {name: round(size * share / (1 - share)) for name, size in sizes.items()}
    outside = _outside(source)
    others = {
        name: _others(outside, foreign[name] // 2, random) for name in sorted(foreign, key=lambda n: (foreign[n], n))
    }
    left = random.permutation(sorted(row for rows in outside.values() for row in rows)).tolist()
    added: list[tuple[int, str, str]] = []
    for name in sorted(foreign):
        added += [(row, name, OTHER_PERSON) for row in others[name]]
        impostors = foreign[name] - len(others[name])
        if impostors > len(left):
            raise ValueError("there are not enough faces outside to plant so many")
        added += [(left.pop(), name, STRANGER) for _ in range(impostors)]
    rows, folders, kinds = zip(*added, strict=True) if added else ((), (), ())
    return replace(
        plan,
        row=np.append(plan.row, np.array(rows, np.int64)),
        folder=[*plan.folder, *folders],
        kind=[*plan.kind, *kinds],
    )


def _outside(source: Source) -> dict[int, list[int]]:
    """Rows of each outside person."""
    few = np.bincount(source.labels, minlength=len(source.names)) < MANY
    found = defaultdict(list)
    for row in np.flatnonzero(few[source.labels]).tolist():
        found[int(source.labels[row])].append(row)
    return dict(found)


def _others(outside: dict[int, list[int]], needed: int, random: Random) -> list[int]:
    """Take the rows of one other person, or of as few as will do; whoever is taken is outside no longer."""
    found: list[int] = []
    while len(found) < needed:
        more = needed - len(found)
        enough = sorted(person for person, rows in outside.items() if len(rows) >= max(more, SOME))
        most = max(outside, key=lambda one: (len(outside[one]), -one), default=None)
        if most is None:
            raise ValueError("there are not enough people outside to plant so many")
        person = enough[int(random.integers(len(enough)))] if enough else most
        found += random.permutation(outside.pop(person)).tolist()[:more]
    return found
