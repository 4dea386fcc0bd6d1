"""An erasure by photographs of a person: how many of the person's images are near, and how many of other people.

    python tests/bench/probes.py       # some ten seconds; needs the development data (FACESIEVE_DATA)

50 people of LFW with at least 10 images are drawn (seed 0), and of each one photograph, then three. The stored
embeddings of FaceNet are compared with all 13,233 as `jobs/erase.py --probe` does, at three cosines. Recall is the mean
share of a person's other images that are near. The false share is that of other people's among all images near the 50.
`expected` is the false share that the command would tell, from the same impostor lines.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from bench_environment import DATA, LFW_EMBEDDINGS, PROFILES
from results import note

from facesieve.core import profiles
from facesieve.core.sections import Link
from facesieve.faces.blocks import Faces
from facesieve.faces.vectors import hits
from facesieve.link.collection import LINE_FACES, impostor_line
from facesieve.link.threshold_check import forecast

PEOPLE, FEWEST, SEED = 50, 10, 0
COSINES = (0.5, 0.6, 0.7)
Halves = npt.NDArray[np.float16]
Numbers = npt.NDArray[np.int64]


class Near(NamedTuple):
    """Of each person: share of the other images that are near, images near, and those of other people among them."""

    recall: list[float]
    near: list[int]
    false: list[int]


def drawn(people: Numbers, photographs: int) -> list[Numbers]:
    """Draw the people, and of each the rows of some photographs; one photograph is also among three."""
    chance = np.random.default_rng(SEED)
    many = np.flatnonzero(np.bincount(people) >= FEWEST)
    chosen = np.sort(chance.choice(many, PEOPLE, replace=False))
    return [chance.permutation(np.flatnonzero(people == each))[:photographs] for each in chosen]


def asked(vectors: Halves, people: Numbers, probes: list[Numbers], cosine: float) -> Near:
    """Compare each person's probe with all images but the probe's own."""
    answer = Near([], [], [])
    for rows in probes:
        near = np.setdiff1d(hits(vectors, vectors[rows], cosine)[0], rows)
        own = people[near] == people[rows[0]]
        others = int((people == people[rows[0]]).sum()) - len(rows)
        answer.recall.append(float(own.sum()) / others)
        answer.near.append(len(near))
        answer.false.append(int((~own).sum()))
    return answer


def main() -> None:
    stored = np.load(DATA / "lfw" / LFW_EMBEDDINGS["facenet"])
    vectors, people = stored["embeddings"].astype(np.float16), stored["labels"].astype(np.int64)
    order = np.random.default_rng(SEED).permutation(len(vectors))[:LINE_FACES]
    line = impostor_line(Faces(order, people[order] + 1, vectors[order]))
    profile = profiles.load("facenet", PROFILES)
    print("photographs cosine recall least_recall near_each false_each false_share expected below")
    for photographs in (1, 3):
        probes = drawn(people, photographs)
        for cosine in COSINES:
            answer = asked(vectors, people, probes, cosine)
            expects = forecast(cosine, Link(min_n=1), profile, len(vectors), line)
            expected = [min(1.0, photographs * (expects.false_matches or 0) / max(1, near)) for near in answer.near]
            near, false = sum(answer.near), sum(answer.false)
            row: tuple[float, ...] = (
                photographs,
                cosine,
                float(np.mean(answer.recall)),
                min(answer.recall),
                near / PEOPLE,
                false / PEOPLE,
            )
            row += (false / near, float(np.average(expected, weights=answer.near)), expects.genuine_below or 0.0)
            print(" ".join(f"{each:.3f}" for each in row))
            name = f"of_{photographs}_at_{cosine:g}".replace(".", "_")
            note("probes", **{f"recall_{name}": float(np.mean(answer.recall)), f"false_share_{name}": false / near})


if __name__ == "__main__":
    main()
