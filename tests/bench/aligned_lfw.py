"""Embedding LFW's aligned photographs as the job does: the plan, and the columns of the images."""

from __future__ import annotations

from collections.abc import Callable

from bench_environment import PROFILES

from facesieve.core import profiles
from facesieve.core.sections import Embed
from facesieve.embed.worker import Plan

IMAGE_COLUMNS = "image_id bigint, uri string, sha256 string, size bigint, content binary"


def aligned_plan(model: str, fetch: Callable[[str], bytes]) -> Plan:
    """Return the plan for a model's profile, with its fixed crop."""
    profile, embed = profiles.load(model, PROFILES), Embed(detector="aligned")
    return Plan(profile, embed, profiles.model_id(profile, embed), fetch)
