"""What a link cosine means for a collection before it is joined: false matches per face, pairs lost, refusals.

Two impostor lines forecast how many false matches a face has: the profile's, measured elsewhere, and the line that is
estimated from this collection (`kernels.impostor_line`). The gate takes the worse of both if the estimate comes from
pairs across identities. Either may be wrong in its way (another kind of images; few faces). Refusing by mistake costs a
setting, joining by mistake the whole result. An estimate from random pairs leans on an assumption about the pairs of
one person. So that estimate is compared, but judges only where the profile has no line.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, ROUND_FLOOR, Context

from facesieve.core.console import count
from facesieve.core.errors import ConfigError, Fault, Refused
from facesieve.core.profiles import ImpostorLine, Profile
from facesieve.core.sections import Link
from facesieve.lake.forecast_record import FalseMatchForecast
from facesieve.link.kernels.impostor_line import Line, drifted, share_below
from facesieve.link.kernels.thresholds import false_matches_at, from_cosine, link_cosine, to_cosine

WARN_ABOVE = 10.0
"""False matches per face from which plain voting may run people together."""

REFUSE_ABOVE = 30.0
"""False matches per face above which it does: an explicit threshold is refused unless `link.force`."""

LOST_ABOVE = 0.20
"""Share of same-person pairs below the link cosine that is worth a warning."""

_STRICTER = {"cosine": ROUND_CEILING, "l2": ROUND_FLOOR, "squared_l2": ROUND_FLOOR, "inverse_l2": ROUND_CEILING}
_DIGITS = 4
_BASIS = {"identities": "pairs across its identities", "robust": "random pairs"}


@dataclass(frozen=True)
class Forecast:
    """What linking the collection at `cosine` is expected to do; None where there is no line to tell.

    `false_matches` per face is the figure that judges, `by_profile` and `by_estimate` are those of the two lines.
    `safe_cosine` keeps to `link.false_matches`, and to WARN_ABOVE. `genuine_below` is the share of same-person pairs
    below `cosine`. `warnings` are sentences for the user.
    """

    cosine: float
    false_matches: float | None
    by_profile: float | None
    by_estimate: float | None
    safe_cosine: float | None
    genuine_below: float | None
    profile_line: ImpostorLine | None
    estimate: Line | None
    warnings: tuple[str, ...]

    def record(self) -> FalseMatchForecast:
        """Return what the ledger keeps as `stages.link.false_matches`."""
        profile, measured = self.profile_line, self.estimate
        return FalseMatchForecast(
            forecast=self.false_matches,
            by_profile=self.by_profile,
            by_estimate=self.by_estimate,
            profile_line=[profile.intercept, profile.slope] if profile else None,
            estimated_line=[measured.intercept, measured.slope] if measured else None,
            estimated_from=measured.how if measured else None,
            safe_cosine=self.safe_cosine,
            genuine_below=self.genuine_below,
        )


def scopes(settings: Link) -> tuple[str, ...]:
    """Return the scopes that `link.scope` asks for."""
    return ("identity", "global") if settings.scope == "both" else (settings.scope,)


def cosines(settings: Link, profile: Profile, faces: int) -> dict[str, float]:
    """Return scope -> link cosine: the explicit threshold, else the profile's (identity) or the derived one (global).

    Raises ConfigError, for all scopes at once, where there is none strictly between 0 and 1.
    """
    faults: list[Fault] = []
    by_scope = {}
    for scope in scopes(settings):
        key = f"link.threshold_{scope}"
        try:
            by_scope[scope] = _cosine(scope, settings, profile, faces)
        except ValueError as problem:
            fix = f"Set {key} to a cosine above 0 and below 1 (or the same in link.unit), or change what it comes from."
            faults.append(Fault(key, str(problem), fix))
    if faults:
        raise ConfigError(faults)
    return by_scope


def forecast(cosine: float, settings: Link, profile: Profile, faces: int, estimate: Line | None) -> Forecast:
    """Forecast what linking `faces` faces at `cosine` (as `cosines` gives it) does.

    `estimate` is the impostor line estimated from this collection, if there is one. Raises Refused if an explicit
    threshold gives a face more than REFUSE_ABOVE false matches and `link.force` is not set. Raises ConfigError if the
    profile's same-person quantiles are none.
    """
    by_profile, by_estimate = (_false_matches(cosine, line, settings, faces) for line in (profile.impostor, estimate))
    judging = _judging(profile.impostor, estimate)
    silent = Forecast(
        cosine=cosine,
        false_matches=max((_false_matches(cosine, line, settings, faces) or 0.0 for line in judging), default=None),
        by_profile=by_profile,
        by_estimate=by_estimate,
        safe_cosine=_safe(judging, settings, faces),
        genuine_below=_lost(cosine, profile),
        profile_line=profile.impostor,
        estimate=estimate,
        warnings=(),
    )
    warnings = (*_gate(silent, settings, faces), *_drift(silent, profile), *_losses(silent, settings))
    return replace(silent, warnings=tuple(f"link: {text}" for text in warnings))


def written(cosine: float, unit: str) -> str:
    """Write a cosine in a unit of thresholds, with four digits, rounded to the stricter side.

    >>> written(0.60349, "cosine"), written(0.60349, "l2"), written(0.60349, "inverse_l2")
    ('0.6035', '0.8905', '1.123')
    """
    exact = from_cosine(cosine, unit)
    rounded = Context(prec=_DIGITS, rounding=_STRICTER[unit]).create_decimal_from_float(exact)
    return f"{rounded:f}" if unit != "cosine" or rounded < 1 else repr(exact)


def _cosine(scope: str, settings: Link, profile: Profile, faces: int) -> float:
    explicit = settings.threshold_identity if scope == "identity" else settings.threshold_global
    if explicit:
        return to_cosine(explicit, settings.unit)
    if scope == "identity":
        if profile.identity is None:
            raise ValueError(f"is not given, and the profile {profile.name} has no [identity]")
        return profile.identity.cosine
    if profile.impostor is None:
        raise ValueError(f"is not given, and the profile {profile.name} has no [impostor] to derive it from")
    line = profile.impostor
    return link_cosine(line.intercept, line.slope, settings.false_matches, faces, settings.min_n)


def _judging(profile: ImpostorLine | None, estimate: Line | None) -> list[ImpostorLine | Line]:
    judging: list[ImpostorLine | Line] = [profile] if profile else []
    if estimate and (not profile or estimate.how == "identities"):
        judging.append(estimate)
    return judging


def _false_matches(cosine: float, line: ImpostorLine | Line | None, settings: Link, faces: int) -> float | None:
    return false_matches_at(cosine, line.intercept, line.slope, faces, settings.min_n) if line else None


def _safe(judging: list[ImpostorLine | Line], settings: Link, faces: int) -> float | None:
    """The least cosine that keeps to `link.false_matches`, never more than WARN_ABOVE, by every judging line."""
    if not judging:
        return None
    tolerated = min(settings.false_matches, WARN_ABOVE)
    try:
        return max(link_cosine(line.intercept, line.slope, tolerated, faces, settings.min_n) for line in judging)
    except ValueError:
        return None


def _lost(cosine: float, profile: Profile) -> float | None:
    quantiles = profile.genuine
    if quantiles is None:
        return None
    try:
        return share_below(cosine, quantiles.probabilities, quantiles.cosines)
    except ValueError as problem:
        fix = "Correct the lists, or leave the section out."
        raise ConfigError([Fault(f"profile {profile.name}: genuine", str(problem), fix)]) from None


def _figure(false_matches: float) -> str:
    return f"{false_matches:.3g}" if false_matches < 100 else count(round(false_matches))


def _gate(forecast: Forecast, settings: Link, faces: int) -> list[str]:
    """Translate an explicit threshold back into false matches per face: fine, a warning, or a refusal."""
    if not settings.threshold_global:
        return []
    if forecast.false_matches is None:
        return ["link.threshold_global is taken as it is: nothing tells how many false matches a face meets above it"]
    if forecast.false_matches <= WARN_ABOVE:
        return []
    among = f"{count(faces)} faces"
    if faces < settings.min_n:
        among += f" (counted as link.min_n = {count(settings.min_n)})"
    unit = "" if settings.unit == "cosine" else f" ({settings.unit}, cosine {forecast.cosine:.4g})"
    problem = (
        f"link.threshold_global = {settings.threshold_global:g}{unit} lets a face meet about"
        f" {_figure(forecast.false_matches)} false matches among {among};"
        f" above {WARN_ABOVE:g} people begin to run together, above {REFUSE_ABOVE:g} they do."
        f" {_advice(forecast.safe_cosine, settings)}"
    )
    if forecast.false_matches > REFUSE_ABOVE and not settings.force:
        raise Refused(f"{problem} To link at it all the same, set link.force = true.")
    return [problem]


def _advice(safe: float | None, settings: Link) -> str:
    if safe is None:
        return "No cosine below 1 would be safe with this model."
    tolerated = f"at most {min(settings.false_matches, WARN_ABOVE):g} false matches"
    if settings.unit == "cosine":
        return f"Safe would be cosine {written(safe, 'cosine')} ({tolerated})."
    there = f"{settings.unit} {written(safe, settings.unit)}"
    return f"Safe would be cosine {written(safe, 'cosine')}, which is {there} ({tolerated})."


def _drift(forecast: Forecast, profile: Profile) -> list[str]:
    line, measured = forecast.profile_line, forecast.estimate
    if line is None or measured is None or forecast.by_profile is None or forecast.by_estimate is None:
        return []
    if not drifted(forecast.by_profile, forecast.by_estimate):
        return []
    theirs = f"by the line of the profile {profile.name} ({line.intercept:g} + {line.slope:g} z)"
    ours = f"by that of {_BASIS[measured.how]} in this collection ({measured.intercept:g} + {measured.slope:g} z)"
    return [
        f"impostor scores have drifted: above cosine {forecast.cosine:.4g} a face meets {_figure(forecast.by_profile)}"
        f" false matches {theirs}, but {_figure(forecast.by_estimate)} {ours}."
        " If such images are what you have, put that line into the profile."
    ]


def _losses(forecast: Forecast, settings: Link) -> list[str]:
    lost = forecast.genuine_below
    if lost is None or lost <= LOST_ABOVE:
        return []
    looser = "loosen link.threshold_global" if settings.threshold_global else "raise link.false_matches"
    share = f"about {100 * lost:.0f} % of the pairs of one person"
    return [f"{share} are below the link cosine {forecast.cosine:.4g}: {looser} or use a better model"]
