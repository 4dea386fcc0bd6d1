"""What the choice of crop does to recognition: all pairs of 100 photographs of ten people, for each kind of margin.

    python tests/bench/alignment.py [--models facenet mobilefacenet] [--draws 2000]

For each model and margin: area under the ROC curve and best accuracy over the pairs, with 95 % intervals by a bootstrap
that draws people, not pairs (pairs of one person are no independent evidence); and the difference of the area against
the box with a fifth of room, bootstrapped with the same draws. The last line of a model is the profile's fixed crop of
the aligned grey copies of the same photographs. Needs FACESIEVE_DATA and FACESIEVE_MODELS.
"""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

import numpy as np
import numpy.typing as npt
from bench_environment import DATA, PROFILES, one_thread

from facesieve import models
from facesieve.core import profiles
from facesieve.core.profiles import Margin, Profile
from facesieve.core.sections import Embed
from facesieve.embed.crops import cut, faces
from facesieve.embed.decode import picture
from facesieve.embed.picture import Unusable

Floats = npt.NDArray[np.float64]
REFERENCE = "box 0.2"
MARGINS = (
    {REFERENCE: Margin("box", 0.2)}
    | {f"box {share:g}": Margin("box", share) for share in (0.0, 0.1, 0.3, 0.4)}
    | {f"facenet {pixels}": Margin("facenet", pixels=pixels) for pixels in (32, 44)}
    | {f"five_point {share:g}": Margin("five_point", share) for share in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)}
)
ALIGNED = "aligned copy"
SIZE = 32


def vectors(files: list[Path], profile: Profile, embed: Embed) -> tuple[Floats, list[bool]]:
    """Unit vectors of the images in which a face is found, and in which it is."""
    height, width = profile.input
    pictures = [picture(file.read_bytes(), embed) for file in files]
    found = faces(pictures, profile, embed)
    crops = [
        cut(image, one[0], (height, width))
        for image, one in zip(pictures, found, strict=True)
        if not isinstance(one, Unusable)
    ]
    model = models.load(dataclasses.replace(profile, margin=None, name="measured"))
    parts = [model.embed(np.stack(crops[first : first + SIZE])) for first in range(0, len(crops), SIZE)]
    return np.concatenate(parts).astype(np.float64), [not isinstance(one, Unusable) for one in found]


class Pairs:
    """All pairs of faces: their cosines, sorted, and how often each counts when people are drawn."""

    def __init__(self, faces_of: Floats, people: npt.NDArray[np.int_]) -> None:
        left, right = np.triu_indices(len(people), 1)
        cosines = (faces_of @ faces_of.T)[left, right]
        order = np.argsort(-cosines, kind="stable")
        self.left, self.right = people[left[order]], people[right[order]]
        self.same = self.left == self.right
        self.cosines = cosines[order]

    def scores(self, drawn: npt.NDArray[np.int_]) -> tuple[float, float]:
        """Area under the curve and best accuracy; `drawn` says how often each person is drawn."""
        weight = np.where(self.same, drawn[self.left], drawn[self.left] * drawn[self.right])
        hits, alarms = np.cumsum(weight * self.same), np.cumsum(weight * ~self.same)
        ranked_below = alarms[-1] - alarms
        area = (weight * self.same * ranked_below).sum() / (hits[-1] * alarms[-1])
        return float(area), float((hits + ranked_below).max() / weight.sum())


def line(name: str, pairs: Pairs, draws: npt.NDArray[np.int_], reference: Floats) -> Floats:
    """Print a choice; return its area in every draw."""
    area, accuracy = pairs.scores(np.ones(draws.shape[1], dtype=int))
    drawn = np.array([pairs.scores(row) for row in draws])
    low, high = np.percentile(drawn, [2.5, 97.5], axis=0)
    print(f"  {name:15} AUC {area:.4f} [{low[0]:.4f}, {high[0]:.4f}]", end="  ")
    print(f"accuracy {accuracy:.4f} [{low[1]:.4f}, {high[1]:.4f}]", end="  ")
    areas: Floats = drawn[:, 0]
    if len(reference):
        difference = np.percentile(areas - reference, [2.5, 50, 97.5])
        print("AUC against the first {1:+.4f} [{0:+.4f}, {2:+.4f}]".format(*difference), end="  ")
    same, impostors = (pairs.cosines[pairs.same == kind] for kind in (True, False))
    print(f"cosines {same.mean():.3f} / {impostors.mean():.3f}", flush=True)
    return areas


def measure(model: str, data: Path, draws: int) -> None:
    """Print the table of one model."""
    files = sorted((data / "lfw_colour" / "images").rglob("*.jpg"))
    grey = [data / "lfw" / "images" / file.parent.name / file.name for file in files]
    names, people = np.unique([file.parent.name for file in files], return_inverse=True)
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=draws)
    drawn = drawn[(drawn > 0).sum(axis=1) > 1]
    profile = profiles.load(model, PROFILES)
    print(f"{model}: {len(files)} images of {len(names)} people")
    reference: Floats = np.empty(0)
    for name, margin in [*MARGINS.items(), (ALIGNED, None)]:
        embed = Embed(detector="mtcnn" if margin else "aligned")
        faces_of, kept = vectors(files if margin else grey, dataclasses.replace(profile, margin=margin), embed)
        areas = line(name, Pairs(faces_of, people[kept]), drawn, reference)
        reference = reference if len(reference) else areas
        if not all(kept):
            print(f"  {'':15} no face in {kept.count(False)}")


def main() -> None:
    """Measure, or say what is missing."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--models", nargs="+", default=["facenet", "mobilefacenet"])
    arguments.add_argument("--draws", type=int, default=2_000)
    one_thread()
    options = arguments.parse_args()
    data = DATA
    if not (data / "lfw_colour" / "images").is_dir():
        print("The photographs are not here: set FACESIEVE_DATA to the folder that holds lfw_colour and lfw.")
        return
    for model in options.models:
        measure(model, data, options.draws)


if __name__ == "__main__":
    main()
