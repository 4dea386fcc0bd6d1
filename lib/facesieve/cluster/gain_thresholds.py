"""Where gain begins: the cosine of the impostor line, scope by scope."""

from __future__ import annotations

from facesieve.core.config import Config
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.profiles import Profile
from facesieve.link.epoch import Epoch
from facesieve.link.kernels.thresholds import false_matches_at, link_cosine


def impostor_lines(config: Config, profile: Profile, epoch: Epoch) -> dict[str, float]:
    """Return scope -> impostor line for the scopes that an epoch's edges have; empty if the score needs none.

    Global: the cosine above which a face expects `cluster.false_matches` false matches, by the profile's line and the
    number of faces with which the epoch began. Identity: the profile's. Raises ConfigError, for all
    scopes at once, where there is none or it is not below the cosine for linking.
    """
    if config.cluster.score != "structure":
        return {}
    found: dict[str, float] = {}
    faults: list[Fault] = []
    for scope, link in epoch.cosines.items():
        line = _in_heap(config, profile, epoch.faces) if scope == "global" else _in_folder(profile)
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
    if profile.impostor is None:
        return _missing(profile, "impostors")
    line = profile.impostor
    try:
        return link_cosine(line.intercept, line.slope, config.cluster.false_matches, faces, config.link.min_n)
    except ValueError as problem:
        return Fault("cluster.false_matches", str(problem), "Give another tolerance, above link.false_matches.")


def _in_folder(profile: Profile) -> float | Fault:
    return _missing(profile, "identity") if profile.identity is None else profile.identity.impostor_line


def _missing(profile: Profile, section: str) -> Fault:
    said = f"structure needs a impostor line, and the profile {profile.name} has no [{section}]"
    return Fault("cluster.score", said, "Give the profile that section (jobs/calibrate.py writes it), or use cosine.")


def _above(scope: str, line: float, link: float, config: Config, profile: Profile, faces: int) -> Fault:
    said = f"the impostor line {line:.4f} is not below the link cosine {link:.4f}"
    if scope == "identity":
        fix = f"Lower identity.impostor_line in the profile {profile.name}, or raise link.threshold_identity."
        return Fault("cluster.score", f"in scope identity {said}", fix)
    least = 0.0
    if profile.impostor is not None:
        least = false_matches_at(link, profile.impostor.intercept, profile.impostor.slope, faces, config.link.min_n)
    fix = f"Above {least:.3g} false matches would do; it must be a larger tolerance than that of linking."
    return Fault("cluster.false_matches", f"in scope global {said}", fix)
