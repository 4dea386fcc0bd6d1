"""Where gain begins: the cosine of the stranger line, scope by scope."""

from __future__ import annotations

from facesieve.core.config import Config
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.profiles import Profile
from facesieve.link.epoch import Epoch
from facesieve.link.kernels.thresholds import link_cosine, strangers_at


def stranger_lines(config: Config, profile: Profile, epoch: Epoch) -> dict[str, float]:
    """Return scope -> stranger line for the scopes that an epoch's edges have; empty if the score needs none.

    Heap: the cosine above which a face expects `cluster.strangers` strangers, by the profile's line and the number of
    faces with which the epoch began; identity: the profile's. Raises ConfigError, for all scopes at once, where there
    is none or it is not below the cosine for linking.
    """
    if config.cluster.score != "structure":
        return {}
    found: dict[str, float] = {}
    faults: list[Fault] = []
    for scope, link in epoch.cosines.items():
        line = _in_heap(config, profile, epoch.faces) if scope == "heap" else _in_folder(profile)
        if isinstance(line, Fault):
            faults.append(line)
        elif line >= link:
            faults.append(_above(scope, line, link, config, profile, epoch.faces))
        else:
            found[scope] = line
    if faults:
        raise ConfigError(faults)
    return found


def _in_heap(config: Config, profile: Profile, faces: int) -> float | Fault:
    if profile.strangers is None:
        return _missing(profile, "strangers")
    line = profile.strangers
    try:
        return link_cosine(line.intercept, line.slope, config.cluster.strangers, faces, config.link.min_n)
    except ValueError as problem:
        return Fault("cluster.strangers", str(problem), "Give another tolerance, above link.strangers.")


def _in_folder(profile: Profile) -> float | Fault:
    return _missing(profile, "identity") if profile.identity is None else profile.identity.stranger_line


def _missing(profile: Profile, section: str) -> Fault:
    said = f"structure needs a stranger line, and the profile {profile.name} has no [{section}]"
    return Fault("cluster.score", said, "Give the profile that section (jobs/calibrate.py writes it), or use cosine.")


def _above(scope: str, line: float, link: float, config: Config, profile: Profile, faces: int) -> Fault:
    said = f"the stranger line {line:.4f} is not below the link cosine {link:.4f}"
    if scope == "identity":
        fix = f"Lower identity.stranger_line in the profile {profile.name}, or raise link.threshold_identity."
        return Fault("cluster.score", f"in scope identity {said}", fix)
    least = 0.0
    if profile.strangers is not None:
        least = strangers_at(link, profile.strangers.intercept, profile.strangers.slope, faces, config.link.min_n)
    fix = f"Above {least:.3g} strangers would do; it must be a larger tolerance than that of linking."
    return Fault("cluster.strangers", f"in scope heap {said}", fix)
