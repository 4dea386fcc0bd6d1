"""A model profile as text: the model's part of the former profile, and what calibration found."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tomlkit

from facesieve.assess.figures import Calibration
from facesieve.core.errors import ConfigError, Fault

_CALIBRATED = ("impostor", "identity", "genuine")
_COMMENTS = {
    "impostor": "Impostor scores: cosine = intercept + slope x z in the upper tail.",
    "identity": "Inside one folder: 1 % of the impostor scores are above the cosine, 5 % above the line.",
    "genuine": "Quantiles of the genuine scores, each person with the same weight.",
}


def refuse_unwritable(profile: str, figure: str) -> None:
    """Raise ConfigError if one of the files is there already, cannot be written, or the profile is no .toml."""
    faults = []
    for name, place in (("--out", profile), ("--svg", figure)):
        try:
            # Only a file that was made can be made: rights and names are the file system's own affair.
            Path(place).touch(exist_ok=False)
            Path(place).unlink()
        except FileExistsError:
            faults.append(Fault(name, f"{place} is there already", "Name a new file, or move that one away."))
        except FileNotFoundError:
            faults.append(Fault(name, f"the folder of {place} does not exist", "Make it, or name another."))
        except OSError as problem:
            faults.append(Fault(name, f"{place} cannot be written ({problem.strerror})", "Name another file."))
    if not profile.endswith(".toml"):
        faults.append(Fault("--out", f"{profile} does not end in .toml", "Name it PROFILE.toml."))
    if Path(profile) == Path(figure):
        faults.append(Fault("--svg", "is the same file as --out", "Name two files."))
    if faults:
        raise ConfigError(faults)


def calibrated(calibration: Calibration, probabilities: Sequence[float], measured_on: str) -> dict[str, dict[str, Any]]:
    """Return the sections of a profile that calibration makes."""
    line, chosen = calibration.line, calibration.chosen
    return {
        "impostor": {
            "intercept": round(line.intercept, 4),
            "slope": round(line.slope, 4),
            "measured_on": measured_on,
        },
        "identity": {"cosine": chosen["link"], "impostor_line": chosen["line"]},
        "genuine": {
            "probabilities": list(probabilities),
            "cosines": [round(cosine, 3) for cosine in calibration.genuine.quantiles(probabilities)],
        },
    }


def profile_text(former: Path, name: str, sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Write a profile: the model's part of the `former` one, under its name, and the sections.

    The model's part is taken as it is, so that the faces of the model stay its own.
    """
    values = tomllib.loads(former.read_text(encoding="utf-8")) | {"name": name}
    profile = tomlkit.document()
    profile.add(tomlkit.comment("Written by jobs/calibrate.py."))
    for key, value in values.items():
        if not isinstance(value, Mapping):
            profile.add(key, value)
    for key, value in values.items():
        if isinstance(value, Mapping) and key not in (*_CALIBRATED, "identity_distance"):
            profile.add(key, tomlkit.item(value))
    for key, section in sections.items():
        table = tomlkit.table()
        table.add(tomlkit.comment(_COMMENTS[key]))
        table.update(section)
        profile.add(key, table)
    return tomlkit.dumps(profile)
