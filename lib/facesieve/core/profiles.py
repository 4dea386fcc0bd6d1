"""Model profiles: what an embedding model is, and what its cosines mean. One TOML file per model.

`load` finds `conf/models/NAME.toml` (or a path), checks it strictly and expands environment variables in `file`.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from facesieve.core.config_schema import at_least, between, build, key, one_of
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.places import expanded
from facesieve.core.sections import VECTORS, Embed

_NO_MODEL = {"file": "", "sha256": "0" * 64, "input": [8, 8], "normalisation": "none"}
"""What a profile of the form `vectors` need not say: it tells what cosines mean of vectors without images."""
FORMS = ("keras_h5", "keras", "saved_model", "frozen_graph", "checkpoint", "tflite", "onnx")
_WITHOUT_EFFECT_ON_FACES = frozenset({"model", "chunk_images", "batch_images", "rehash", "max_rejects"})


def _digest(value: str) -> str | None:
    return None if re.fullmatch(r"[0-9a-f]{64}", value) else "Give the 64 lower-case hex digits that sha256sum prints."


def _side_pair(value: tuple[int, ...]) -> str | None:
    fine = len(value) == 2 and all(8 <= side <= 4096 for side in value)
    return None if fine else "Give [height, width], each from 8 to 4096."


@dataclass(frozen=True)
class Crop:
    """A fixed square crop of aligned images: side length and centre.

    In unit `pixels` they are pixels of the full image. In unit `share` the side is a share of the shorter side of the
    image, centre_x of the width and centre_y of the height.
    """

    side: float = key(check=between(0, 10_000, open_low=True))
    centre_x: float = key(check=at_least(0))
    centre_y: float = key(check=at_least(0))
    unit: str = key("pixels", one_of("pixels", "share"))

    def box(self, width: int, height: int) -> tuple[float, float, float, float]:
        """Return the crop of an image of width x height pixels: x, y, width, height in pixels.

        >>> Crop(0.5, 0.5, 0.5, "share").box(200, 100)
        (75.0, 25.0, 50.0, 50.0)
        """
        across, down, side = (width, height, min(width, height)) if self.unit == "share" else (1, 1, 1)
        length = self.side * side
        return self.centre_x * across - length / 2, self.centre_y * down - length / 2, length, length

    def made_of(self) -> dict[str, float | str]:
        """Return what the model id is made of: the unit counts only where it is not pixels, as it always was."""
        return {name: value for name, value in vars(self).items() if value != "pixels"}


def _five_points(value: tuple[float, ...]) -> str | None:
    points = set(zip(value[::2], value[1::2], strict=False))
    near = all(isinstance(number, float) and -1 <= number <= 2 for number in value)
    if not value or (len(value) == 10 and len(points) > 1 and near):
        return None
    return "Give x, y of the eyes, the nose and the mouth corners (left before right), as shares of the side."


@dataclass(frozen=True)
class Margin:
    """How a detected face becomes a crop.

    `box`: a square of side (1 + share) x the longer side of the box (0.2 if not given). `facenet`: the box and
    `pixels` / 2 of the image on each side, cut off at the border, without keeping its shape. `five_point`: the
    landmarks are laid on `template` (empty: ArcFace's), whose crop is (1 + share) x as large (0 if not given).
    """

    kind: str = key("box", one_of("box", "facenet", "five_point"))
    share: float | None = key(None, between(0, 4))
    pixels: float = key(32.0, between(0, 10_000))
    template: tuple[float, ...] = key([], _five_points)

    @property
    def room(self) -> float:
        """The share that counts: the one given, or the kind's own."""
        if self.share is not None:
            return self.share
        return 0.2 if self.kind == "box" else 0.0


@dataclass(frozen=True)
class ImpostorLine:
    """Upper tail of impostors' cosines: cosine = intercept + slope x z, z a standard normal quantile."""

    intercept: float = key(check=between(-1, 1))
    slope: float = key(check=between(0, 1, open_low=True))
    measured_on: str = key("")


@dataclass(frozen=True)
class InFolder:
    """Cosine for linking inside one folder, and the impostor line there (where gain begins)."""

    cosine: float = key(check=between(0, 1, open_low=True, open_high=True))
    impostor_line: float = key(check=between(-1, 1), was="stranger_line")


@dataclass(frozen=True)
class Distances:
    """What `InFolder` says, as Euclidean distances of two vectors of one length, which is 1 for unit vectors.

    A distance d of two vectors of length r is the cosine 1 - d^2 / (2 r^2).
    """

    distance: float = key(check=at_least(0))
    impostor_distance: float = key(check=at_least(0))
    length: float = key(1.0, between(0, 1e6, open_low=True))

    def in_folder(self) -> InFolder:
        """Return the same as cosines.

        >>> Distances(0.5, 1.0).in_folder()
        InFolder(cosine=0.875, impostor_line=0.5)
        """
        cosine, line = (1 - (each / self.length) ** 2 / 2 for each in (self.distance, self.impostor_distance))
        return InFolder(cosine, line)


@dataclass(frozen=True)
class Genuine:
    """Quantiles of the cosines of two faces of one person."""

    probabilities: tuple[float, ...] = key(check=None)
    cosines: tuple[float, ...] = key(check=None)


@dataclass(frozen=True)
class Profile:
    """One embedding model."""

    file: str = key()
    sha256: str = key(check=_digest)
    form: str = key(check=one_of(*FORMS, VECTORS))
    input: tuple[int, ...] = key(check=_side_pair)
    normalisation: str = key(check=one_of("prewhiten", "fixed", "none"))
    dimension: int = key(check=between(2, 8192))
    output: str = key("")
    channels: str = key("rgb", one_of("rgb", "bgr"))
    unit_length: bool = key(True)
    name: str = key("")
    crop: Crop | None = None
    margin: Margin | None = None
    impostor: ImpostorLine | None = key(None, was="strangers")
    identity: InFolder | None = None
    identity_distance: Distances | None = None
    genuine: Genuine | None = key(None, was="same_person")


def folder_beside(configuration: str) -> str:
    """Return where the model profiles are: beside the configuration file."""
    return str(Path(configuration).resolve().parent / "models")


def path_of(model: str, folder: str) -> Path:
    """Return where the profile is that `embed.model` names."""
    if not model.endswith(".toml"):
        return Path(folder) / f"{model}.toml"
    try:
        return Path(expanded(model))
    except ValueError:  # a fault of the configuration, where the same key is read
        return Path(model)


def load(model: str, folder: str) -> Profile:
    """Load the profile that `embed.model` names: a path ending in .toml, or `folder`/NAME.toml.

    Raises ConfigError with all faults, each key prefixed by the file's name.
    """
    path = path_of(model, folder)
    faults: list[Fault] = []
    try:
        tables: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError:
        names = ", ".join(sorted(file.stem for file in Path(folder).glob("*.toml"))) or "none"
        fix = f"Use a profile of {folder} ({names}) or the path of a .toml file."
        raise ConfigError([Fault("embed.model", f"no profile at {path}", fix)]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ConfigError([Fault("embed.model", f"{path} is not valid TOML ({problem})", "Correct it.")]) from None
    tables.setdefault("name", path.stem)
    if tables.get("form") == VECTORS:
        tables = _NO_MODEL | tables
    _expand(tables, path, faults)
    profile = build(Profile, tables, f"{path.name}: ", faults)
    if profile is not None and profile.identity_distance is not None:
        profile = _in_cosines(profile, profile.identity_distance, path, faults)
    if faults or profile is None:
        raise ConfigError(faults)
    return profile


def _in_cosines(profile: Profile, distances: Distances, path: Path, faults: list[Fault]) -> Profile:
    """Give a profile the cosines that its distances mean."""
    section = f"{path.name}: identity_distance"
    if profile.identity is not None:
        faults.append(Fault(section, "stands beside [identity]", "Keep one of the two sections."))
    cosines = distances.in_folder()
    if not (0 < cosines.cosine < 1 and -1 <= cosines.impostor_line <= 1):
        problem = f"means the cosines {cosines.cosine:.3f} and {cosines.impostor_line:.3f}"
        faults.append(
            Fault(section, problem, "Give the distances of vectors of `length`, below 1.41 times that length.")
        )
    return replace(profile, identity=cosines)


def _expand(tables: dict[str, Any], path: Path, faults: list[Fault]) -> None:
    if not isinstance(tables.get("file"), str):
        return
    try:
        tables["file"] = expanded(tables["file"])
    except ValueError as problem:
        fix = f"Set it, or write the full path in {path}."
        faults.append(Fault(f"{path.name}: file", str(problem), fix))


def model_id(profile: Profile, embed: Embed, *, vectors: bool = False) -> str:
    """Name the faces and vectors that this profile and these settings make: `name@` and 12 hex digits.

    vectors: they come without images, so that no setting of `embed` changes them.

    The digest covers whatever changes which faces exist or what their vectors are, and nothing else: moving the file
    or recalibrating the thresholds keeps the id, another crop or detector changes it. `embed.faces` auto embeds what
    all does.
    """
    settings = vars(embed) | {"faces": "largest" if embed.faces == "largest" else "all"}
    made_of = {
        "sha256": profile.sha256,
        "form": profile.form,
        "input": list(profile.input),
        "normalisation": profile.normalisation,
        "output": profile.output,
        "dimension": profile.dimension,
        "crop": profile.crop.made_of() if profile.crop else None,
        "margin": vars(profile.margin) if profile.margin else None,
        "embed": {name: value for name, value in settings.items() if name not in _WITHOUT_EFFECT_ON_FACES},
    }
    # Keys that came later count only where they are not as it always was.
    made_of |= {"channels": profile.channels} if profile.channels != "rgb" else {}
    made_of |= {} if profile.unit_length else {"unit_length": False}
    if vectors or profile.form == VECTORS:
        made_of = {"sha256": profile.sha256, "dimension": profile.dimension, "form": VECTORS}
    digest = hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()
    return f"{profile.name}@{digest[:12]}"
