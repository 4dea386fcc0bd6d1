"""A profile to paste for a model that has none: what its files tell, and a guess, marked as one, at the rest."""

from __future__ import annotations

import os
import re
from typing import Any

import tomlkit

from facesieve.core.profiles import Profile
from facesieve.models.files import ModelFiles, digest
from facesieve.models.network import Facts

_CHANNELS = """\
# Nor do files tell the order of the colours: rgb, or bgr for models that were trained with OpenCV's pictures.
channels = "rgb"
"""

SHELL = r"(cd DIR && find . -type f -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum | LC_ALL=C sort | sha256sum)"
"""What prints a directory's digest."""

_FACENET_2017, _FACENET_2018 = 128, 512
"""Numbers per face of the FaceNets of 2017 and of 2018, both of 160 x 160 pixels."""
_FACENET_SIZE = (160, 160)

_PROFILE = """\
# A profile of this model: put it into conf/models/{name}.toml and set embed.model = "{name}".
file = {file}
sha256 = {sha256}
form = {form}
input = {input}
# Files do not tell how pixels are to be scaled. prewhiten (each crop by its own mean and deviation): FaceNet's models
# of 2017; fixed, (x - 127.5) / 128: those of 2018 and InsightFace's; none: models that scale their input themselves.
# Here it is a guess: {why}.
normalisation = {normalisation}
{channels}{output}dimension = {dimension}

# For embed.detector = "aligned": without [crop] the whole image is taken. A crop in shares of the image:
#   [crop]
#   side = 0.6
#   centre_x = 0.5
#   centre_y = 0.5
#   unit = "share"

# For a detector: how much around the face the model was trained with.
[margin]
kind = "box"
share = 0.2

# The thresholds are missing: what the model's cosines mean has to be measured, on labelled folders of 12 people or
# more. Embed them, calibrate with the same settings, and name the profile that this writes in embed.model:
#   SETTINGS="--config conf/pipeline.toml --set embed.model={name} --set images.root=... --set lake.root=..."
#   spark-submit jobs/embed.py $SETTINGS
#   spark-submit jobs/calibrate.py $SETTINGS --out conf/models/{name}-calibrated.toml --svg {name}.svg
"""


def profile_of(files: ModelFiles, form: str, facts: Facts, name: str) -> Profile:
    """Make the profile that the files call for; where they leave it open: 160 x 160 pixels, 128 numbers."""
    return Profile(
        file=os.path.abspath(files.root),
        sha256=digest(files),
        form=form,
        input=facts.input_size or _FACENET_SIZE,
        normalisation=_guess(facts, name)[0],
        dimension=facts.dimension or _FACENET_2017,
        output=_chosen(facts.outputs),
        name=re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-") or "model",
    )


def profile_text(profile: Profile, facts: Facts) -> str:
    """Write a profile as TOML that `profiles.load` accepts, with comments on what is guessed and what is left to do."""
    outputs = f"# One of several outputs: {'; '.join(facts.outputs)}\noutput = {_toml(profile.output)}\n"
    return _PROFILE.format(
        name=profile.name,
        file=_toml(profile.file),
        sha256=_toml(profile.sha256),
        form=_toml(profile.form),
        input=_toml(list(profile.input)),
        why=_guess(facts, profile.name)[1],
        normalisation=_toml(profile.normalisation),
        channels=_CHANNELS if profile.form == "onnx" else "",
        output=outputs if profile.output else "",
        dimension=profile.dimension,
    )


def _toml(value: Any) -> str:
    return str(tomlkit.item(value).as_string())


def _chosen(outputs: tuple[str, ...]) -> str:
    """The name of the first output that is one row of numbers, where there are several; else "", the only one."""
    if len(outputs) == 1:
        return ""
    rows = [output for output in outputs if re.search(r"\[\?, \d+\]$", output)] or list(outputs)
    return re.sub(r" \w+ \[[^]]*\]$", "", rows[0]).split(": ")[0]


def _guess(facts: Facts, name: str) -> tuple[str, str]:
    """How pixels are scaled, and why that is thought."""
    if facts.scales_input:
        return "none", "the first thing that the model does is to scale its input"
    for year, normalisation in (("2017", "prewhiten"), ("2018", "fixed")):
        if re.search(rf"(?<!\d){year}", name):
            return normalisation, f"its name says {year}"
    if facts.input_size in (None, _FACENET_SIZE) and facts.dimension == _FACENET_2017:
        return "prewhiten", "FaceNet's models of 160 x 160 pixels and 128 numbers are of 2017"
    return (
        "fixed",
        "FaceNet's models of 512 numbers are of 2018" if facts.dimension == _FACENET_2018 else "it is the usual one",
    )
