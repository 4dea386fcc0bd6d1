"""Folders of made-up faces at scale, with what link and cluster would have found of them, drawn block by block.

Image n is in folder n // PER_FOLDER; its face shows the folder's person, but for

- impostors, one image in 33: somebody who is nowhere else, alone in both scopes;
- flips, one in 200: the person of another folder, alone in its folder and in that person's cluster of the collection;
- cut identities: of every 200 folders two bear one person under two names;
- copies, one in 200 with the bytes of the image before, and one in 200 near duplicates of it.

Faces of one person have cosines from 0.6 to 0.95. Edges join what is above LINK in the collection and above FOLDER_LINK
in a folder, with the cosines that the vectors have. Three more per face lead to random impostors, just above LINK
(their cosines are made up). Everything follows from the image's number and the seed, so tasks share nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from synthetic import face_ids

Numbers = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

PER_FOLDER, DIMENSION = 20, 128
LINK, FOLDER_LINK = 0.75, 0.40
IMPOSTORS_PER_FACE, ABOVE = 3, 0.02
CUT_EVERY, COPY_EVERY, COPY, NEAR_COPY = 200, 200, 7, 13
STRANGER_SHARE, FLIP_SHARE = 0.03, 0.005
CLOSE = 0.002
"""Noise of a near duplicate against the one it is like."""

_FACES, _COLLECTION, _FOLDERS = 1 << 40, 1 << 41, 1 << 42
_PEOPLE, _KINDS, _OF_FOLDER, _OF_EDGES = range(4)


@dataclass(frozen=True)
class Pairs:
    """Pairs of images by number [E], and their cosines [E]."""

    one: Numbers
    other: Numbers
    cosine: Vectors

    def above(self, cosine: float) -> Pairs:
        """Return those at or above a cosine."""
        kept = self.cosine >= np.float32(cosine)
        return Pairs(self.one[kept], self.other[kept], self.cosine[kept])


@dataclass(frozen=True)
class Folders:
    """All folders; arrays over all images [N] hold numbers only, vectors are drawn for a few folders at a time."""

    folders: int
    seed: int = 0

    @property
    def images(self) -> int:
        return self.folders * PER_FOLDER

    @cached_property
    def people(self) -> Numbers:
        """Number of the person in each image [N]: of a folder, or above all folders for whoever is nowhere else."""
        number = np.arange(self.images)
        home = self.owners[number // PER_FOLDER]
        random = np.random.default_rng((self.seed, _KINDS))
        draw, target = random.random(self.images), self.owners[random.integers(0, self.folders, self.images)]
        person = np.where(draw < FLIP_SHARE, target, home)
        person = np.where((draw >= FLIP_SHARE) & (draw < FLIP_SHARE + STRANGER_SHARE), self.folders + number, person)
        copy = self.copies | self.near_copies
        return np.where(copy | np.append(copy[1:], False), home, person)

    @cached_property
    def owners(self) -> Numbers:
        """The person each folder is named for: the second of two that bear one person has the first one's."""
        folder = np.arange(self.folders)
        return np.where(folder % CUT_EVERY == 1, folder - 1, folder)

    @cached_property
    def copies(self) -> Flags:
        """Images with the bytes of the image before."""
        return np.equal(np.arange(self.images) % COPY_EVERY, COPY)

    @cached_property
    def near_copies(self) -> Flags:
        """Images that are nearly the image before."""
        return np.equal(np.arange(self.images) % COPY_EVERY, NEAR_COPY)

    @cached_property
    def centres(self) -> Vectors:
        """Unit vector of each folder's person [folders, D]."""
        drawn = np.random.default_rng((self.seed, _PEOPLE)).standard_normal((self.folders, DIMENSION), np.float32)
        return _unit(drawn)

    def vectors(self, folder: int) -> Vectors:
        """Unit vectors of one folder's images [PER_FOLDER, D]."""
        random = np.random.default_rng((self.seed, _OF_FOLDER, folder))
        apart = _unit(random.standard_normal((PER_FOLDER, DIMENSION), np.float32))
        near: Vectors = random.uniform(0.6, 0.95, (PER_FOLDER, 1)).astype(np.float32)
        numbers = slice(folder * PER_FOLDER, (folder + 1) * PER_FOLDER)
        people = self.people[numbers]
        named = people < self.folders
        rows = apart.copy()
        shared: Vectors = np.sqrt(near[named]) * self.centres[people[named]]
        own: Vectors = np.sqrt(1 - near[named]) * apart[named]
        rows[named] = _unit(shared + own)
        for number in np.flatnonzero(self.copies[numbers]):
            rows[number] = rows[number - 1]
        for number in np.flatnonzero(self.near_copies[numbers]):
            rows[number] = _unit((rows[number - 1] + CLOSE * apart[number])[None])[0]
        return rows

    def within(self, block: range) -> Pairs:
        """Pairs inside each folder of the block, all of them."""
        rows = np.stack([self.vectors(folder) for folder in block])
        one, other = np.triu_indices(PER_FOLDER, 1)
        cosine = (rows @ rows.transpose(0, 2, 1))[:, one, other].ravel()
        start = np.array(block)[:, None] * PER_FOLDER
        return Pairs((start + one).ravel(), (start + other).ravel(), cosine)

    def across(self, block: range) -> Pairs:
        """Pairs of one person in two folders: flips with the person's own folders, and the two of a cut identity."""
        asked = np.arange(block.start * PER_FOLDER, block.stop * PER_FOLDER)
        # The person's number is that of a folder of hers; a face of the second folder of hers is away as well.
        away = asked[(self.people[asked] < self.folders) & (self.people[asked] != asked // PER_FOLDER)]
        return _joined([self._with_folder(int(number), int(self.people[number])) for number in away])

    def impostor_pairs(self, block: range) -> Pairs:
        """Random pairs of two people, just above LINK."""
        random = np.random.default_rng((self.seed, _OF_EDGES, block.start))
        count = len(block) * PER_FOLDER * IMPOSTORS_PER_FACE // 2
        one = random.integers(block.start * PER_FOLDER, block.stop * PER_FOLDER, count)
        other = random.integers(0, self.images, count)
        cosine = (LINK + random.exponential(ABOVE, len(one)).clip(0, 0.2)).astype(np.float32)
        apart = (self.people[one] != self.people[other]) & (one // PER_FOLDER != other // PER_FOLDER)
        return Pairs(one[apart], other[apart], cosine[apart])

    def clusters(self, scope: str) -> tuple[Numbers, Numbers, Flags]:
        """Cluster id, its size and whether the face is its medoid [N], for `identity` or `collection`."""
        numbers = np.arange(self.images)
        folder = numbers // PER_FOLDER
        at_home = self.people == self.owners[folder]
        names = np.where(at_home, face_ids(_FOLDERS + folder), faces(numbers))
        if scope == "global":
            names = face_ids(_COLLECTION + self.people)
        _, first, group, size = np.unique(names, return_index=True, return_inverse=True, return_counts=True)
        return names, size[group], numbers == first[group]

    def _with_folder(self, number: int, folder: int) -> Pairs:
        start = folder * PER_FOLDER
        there = np.arange(start, start + PER_FOLDER)
        alike = (self.people[there] == self.people[number]) & (there != number)
        own = self.vectors(number // PER_FOLDER)[number % PER_FOLDER]
        cosine = self.vectors(folder)[alike] @ own
        return Pairs(np.full(alike.sum(), number), there[alike], cosine)


def faces(numbers: Numbers) -> Numbers:
    """Face ids of images by number."""
    return face_ids(_FACES + numbers)


def _unit(rows: Vectors) -> Vectors:
    return np.asarray(rows / np.linalg.norm(rows, axis=1)[:, None], np.float32)


def _joined(parts: list[Pairs]) -> Pairs:
    parts = [Pairs(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32)), *parts]
    return Pairs(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("one", "other", "cosine")))
