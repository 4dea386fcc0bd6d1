"""Forecast of a link threshold: which line judges, what is warned of, what is refused, and what would be safe."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from typing import Any

import pytest
import world
from hypothesis import example, given
from hypothesis import strategies as st

from facesieve.core.errors import ConfigError, Refused
from facesieve.core.profiles import Genuine, ImpostorLine, InFolder, Profile
from facesieve.core.sections import Link
from facesieve.link.kernels.impostor_line import Line
from facesieve.link.kernels.thresholds import link_cosine, to_cosine
from facesieve.link.threshold_check import Forecast, cosines, forecast, written

N = 13_233
PROFILE = replace(
    world.PROFILE,
    dimension=128,
    impostor=ImpostorLine(0.038, 0.161),
    identity=InFolder(0.40, 0.30),
    genuine=Genuine((0.01, 0.1, 0.25, 0.5, 0.9), (0.402, 0.603, 0.693, 0.770, 0.883)),
)
UNITS = ("cosine", "l2", "squared_l2", "inverse_l2")


def line(intercept: float = 0.041, slope: float = 0.156, how: str = "identities") -> Line:
    return Line(intercept, slope, how, 1_000_000)


def expected(estimate: Line | None = None, profile: Profile = PROFILE, faces: int = N, **settings: Any) -> Forecast:
    """Forecast as the link job asks for it."""
    link = Link(scope="global", **settings)
    return forecast(cosines(link, profile, faces)["global"], link, profile, faces, estimate)


def test_cosines_are_explicit_or_the_profiles_or_derived() -> None:
    derived = link_cosine(0.038, 0.161, 3, N, 1_000)
    assert cosines(Link(), PROFILE, N) == {"identity": 0.40, "global": derived}
    assert cosines(Link(scope="identity"), PROFILE, N) == {"identity": 0.40}
    explicit = Link(threshold_identity=1.0, threshold_global=0.8, unit="l2")
    assert cosines(explicit, PROFILE, N) == {"identity": 0.5, "global": pytest.approx(0.68)}


def test_cosines_that_cannot_be_are_all_named_at_once() -> None:
    bare = replace(PROFILE, impostor=None, identity=None)
    for settings, profile in ((Link(), bare), (Link(threshold_identity=-1.0, threshold_global=math.nan), PROFILE)):
        with pytest.raises(ConfigError) as caught:
            cosines(settings, profile, N)
        assert [fault.key for fault in caught.value.faults] == ["link.threshold_identity", "link.threshold_global"]


def test_a_derived_cosine_keeps_its_tolerance_and_warns_of_nothing() -> None:
    outcome = expected(line())
    assert outcome.false_matches == pytest.approx(3.0, rel=1e-9)
    assert outcome.by_profile == pytest.approx(3.0, rel=1e-9)
    assert outcome.by_estimate == pytest.approx(2.1, abs=0.1)
    assert outcome.safe_cosine == pytest.approx(outcome.cosine)
    assert outcome.genuine_below == pytest.approx(0.1, abs=0.001)
    assert outcome.warnings == ()


@pytest.mark.parametrize(
    ("estimate", "profile", "judge"),
    [
        (None, PROFILE, "by_profile"),
        (line(0.1), PROFILE, "by_estimate"),
        (line(0.0), PROFILE, "by_profile"),
        (line(0.1, how="robust"), PROFILE, "by_profile"),
        (line(0.0, how="robust"), replace(PROFILE, impostor=None), "by_estimate"),
    ],
)
def test_the_worse_line_judges_but_random_pairs_only_where_there_is_no_other(
    estimate: Line | None, profile: Profile, judge: str
) -> None:
    outcome = expected(estimate, profile, threshold_global=0.6)
    assert outcome.false_matches == getattr(outcome, judge)


def threshold_for(impostors: float) -> float:
    return link_cosine(0.038, 0.161, impostors, N, 1_000)


def test_an_explicit_threshold_is_fine_then_warned_of_then_refused() -> None:
    assert expected(threshold_global=threshold_for(9.9)).warnings == ()
    (warning,) = expected(threshold_global=threshold_for(10.1)).warnings
    assert "about 10.1 false matches among 13,233 faces" in warning
    assert len(expected(threshold_global=threshold_for(29.9)).warnings) == 1
    with pytest.raises(Refused, match=r"about 30\.1 false matches .* link\.force = true"):
        expected(threshold_global=threshold_for(30.1))
    (forced,) = expected(threshold_global=threshold_for(30.1), force=True).warnings
    assert "about 30.1 false matches" in forced


def test_a_derived_threshold_is_never_refused_for_its_own_tolerance() -> None:
    outcome = expected(false_matches=50.0)
    assert outcome.false_matches == pytest.approx(50)
    assert outcome.warnings == ()


def test_a_small_collection_is_judged_as_if_it_had_the_least_number_of_faces() -> None:
    with pytest.raises(Refused, match=r"about 325 false matches among .* faces \(counted as link.min_n = 1,000\)"):
        expected(threshold_global=0.75, unit="inverse_l2", faces=60)


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("impostors", [3.0, 300.0])
@pytest.mark.parametrize("estimate", [None, line(0.1)])
def test_what_a_refusal_calls_safe_passes_without_a_warning(unit: str, impostors: float, estimate: Line | None) -> None:
    collapsing = {"cosine": 0.2, "l2": 1.3, "squared_l2": 1.6, "inverse_l2": 0.75}[unit]
    with pytest.raises(Refused) as caught:
        expected(estimate, threshold_global=collapsing, unit=unit, false_matches=impostors)
    (safe,) = map(float, re.findall(rf"{unit} (\d\S*\d)", str(caught.value).partition("Safe")[2])[:1])
    outcome = expected(estimate, threshold_global=safe, unit=unit, false_matches=impostors)
    assert (outcome.false_matches or 0) <= min(impostors, 10)
    assert not [text for text in outcome.warnings if "threshold" in text]


def test_where_no_cosine_is_safe_the_refusal_says_so() -> None:
    with pytest.raises(Refused, match="No cosine below 1 would be safe"):
        expected(line(0.6, 0.3), threshold_global=0.5)


def test_without_any_line_an_explicit_threshold_is_taken_with_a_warning() -> None:
    bare = replace(PROFILE, impostor=None)
    outcome = expected(None, bare, threshold_global=0.7)
    assert (outcome.false_matches, outcome.safe_cosine) == (None, None)
    assert "nothing tells how many false matches" in outcome.warnings[0]
    with pytest.raises(Refused):
        expected(line(how="robust"), bare, threshold_global=0.2)


@pytest.mark.parametrize(("how", "basis"), [("identities", "pairs across its identities"), ("robust", "random pairs")])
def test_a_drift_is_a_warning_with_both_figures(how: str, basis: str) -> None:
    (warning,) = expected(line(0.12, 0.17, how)).warnings
    assert re.search(rf"meets 3 false matches .* toy \(0\.038 \+ 0\.161 z\), but 30 by that of {basis}", warning)
    assert "(0.12 + 0.17 z)" in warning


def test_many_lost_pairs_of_one_person_are_a_warning_that_says_what_to_do() -> None:
    outcome = expected(faces=1_000_000)
    assert outcome.genuine_below == pytest.approx(0.49, abs=0.01)
    (warning,) = outcome.warnings
    assert re.search(r"49 % .* cosine 0\.7667: raise link\.false_matches or use a better model", warning)
    (explicit,) = expected(threshold_global=0.8).warnings
    assert "loosen link.threshold_global" in explicit


def test_profiles_without_quantiles_lose_nothing_known_and_wrong_ones_are_named() -> None:
    assert expected(profile=replace(PROFILE, genuine=None)).genuine_below is None
    with pytest.raises(ConfigError, match="profile toy: genuine"):
        expected(profile=replace(PROFILE, genuine=Genuine((0.5, 0.1), (0.2, 0.3))))


def test_the_record_is_plain_json() -> None:
    assert json.loads(json.dumps(expected(line()).record().to_json())) == {
        "forecast": pytest.approx(3),
        "by_profile": pytest.approx(3),
        "by_estimate": pytest.approx(2.1, abs=0.1),
        "profile_line": [0.038, 0.161],
        "estimated_line": [0.041, 0.156],
        "estimated_from": "identities",
        "safe_cosine": pytest.approx(0.603, abs=1e-3),
        "genuine_below": pytest.approx(0.1, abs=1e-3),
    }
    bare = expected(None, replace(PROFILE, impostor=None, genuine=None), threshold_global=0.7).record().to_json()
    assert set(bare.values()) == {None}


@given(st.floats(1e-4, 1 - 1e-9), st.sampled_from(UNITS))
@example(0.99995, "cosine")
def test_a_written_cosine_is_never_looser_and_hardly_stricter(cosine: float, unit: str) -> None:
    back = to_cosine(float(written(cosine, unit)), unit)
    assert cosine - 1e-12 <= back <= cosine + 2e-3
