"""Every parameter of the job: the sections of `conf/pipeline.toml` (`sections`), nested in one dataclass.

`load` reads the file, lays overlays and `--set` values over it, and reports all faults in one ConfigError.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_type_hints

from facesieve.core.config_files import read_tables
from facesieve.core.config_schema import build, missing
from facesieve.core.errors import ConfigError, Fault
from facesieve.core.places import is_below
from facesieve.core.sections import VECTORS, Cluster, Decide, Embed, Images, Lake, Link, Publish
from facesieve.core.side_sections import Audit, Erase, Maintain, Report, Retention


@dataclass(frozen=True)
class Config:
    """All of it."""

    lake: Lake = field(default_factory=Lake)
    images: Images = field(default_factory=Images)
    embed: Embed = field(default_factory=Embed)
    link: Link = field(default_factory=Link)
    cluster: Cluster = field(default_factory=Cluster)
    decide: Decide = field(default_factory=Decide)
    publish: Publish = field(default_factory=Publish)
    maintain: Maintain = field(default_factory=Maintain)
    run: Audit = field(default_factory=Audit)
    erase: Erase = field(default_factory=Erase)
    retention: Retention = field(default_factory=Retention)
    report: Report = field(default_factory=Report)


_THRESHOLDS = {
    "cosine": (0.0, 1.0),
    "l2": (0.0, math.sqrt(2)),
    "squared_l2": (0.0, 2.0),
    "inverse_l2": (1 / math.sqrt(2), math.inf),
}
"""By unit: what thresholds are between, for cosines between 0 and 1."""

_PICTURELESS = ("parquet", "clean_list")
"""Exports that hold no picture."""

SECTIONS = tuple(field.name for field in dataclasses.fields(Config))


def load(
    path: str, overlays: Sequence[str] = (), sets: Sequence[str] = (), sections: Collection[str] = SECTIONS
) -> Config:
    """Read `path`, lay `overlays` (files) and `sets` (`section.key=value`, value in TOML or a bare word) over it.

    `sections` are those that the job uses: what must be set there, and what must fit together, is looked for in them
    alone. What is written anywhere must be right. Raises ConfigError with every fault of all places.
    """
    faults: list[Fault] = []
    tables = read_tables(path, overlays, sets, faults)
    kinds = get_type_hints(Config)
    for name in sections:
        faults.extend(missing(kinds[name], tables.get(name), f"{name}."))
    config = build(Config, tables, "", faults)
    if config is not None:
        faults.extend(_cross_faults(config, sections))
    if faults or config is None:
        raise ConfigError(faults)
    return dataclasses.replace(config, embed=_settled(config))


def model_named(path: str, overlays: Sequence[str] = (), sets: Sequence[str] = ()) -> str:
    """Return `embed.model` as it is written, whatever else of the configuration is wrong; where it is not, the default.

    So the faults of a model profile can be told together with those of the configuration.
    """
    section = read_tables(path, overlays, sets, []).get("embed")
    model = section.get("model") if isinstance(section, Mapping) else None
    return model if isinstance(model, str) and model.strip() else Embed().model


def as_dict(config: Config) -> dict[str, Any]:
    """Return the configuration as plain nested dictionaries, for the ledger and for stage keys."""
    return dataclasses.asdict(config)


def _settled(config: Config) -> Embed:
    """`embed.faces` is `largest` in place of `auto` where no image bears a name, or bears one face by its making."""
    nameless = config.images.identity == "none" and not config.images.labels
    single = config.embed.detector == "aligned" or config.images.format == VECTORS
    if config.embed.faces == "auto" and (nameless or single):
        return dataclasses.replace(config.embed, faces="largest")
    return config.embed


def _cross_faults(config: Config, sections: Collection[str]) -> list[Fault]:
    faults: list[Fault] = []
    if not config.lake.root and config.lake.catalog == "lake":
        faults.append(Fault("lake.root", "is empty", "Give a path or URI, or set lake.catalog."))
    if not config.lake.root and not config.lake.scratch:
        faults.append(Fault("lake.scratch", "is empty, and so is lake.root", "Give a path or URI for checkpoints."))
    if not config.lake.store_paths and config.lake.store_names:
        faults.append(Fault("lake.store_paths", "is false, but names are stored", "Set lake.store_names = false too."))
    if "images" in sections and not config.lake.store_names:
        faults.extend(_name_faults(config))
    if "images" in sections and config.images.root.strip() and config.images.format != "table":
        faults.extend(_overlaps(config))
    faults.extend(_threshold_faults(config.link))
    if "run" in sections and config.run.require_purpose and not config.run.purpose.strip():
        faults.append(Fault("run.purpose", "is empty, but run.require_purpose is true", "Say what the job is run for."))
    if "publish" in sections and config.publish.outputs and not config.publish.export_root:
        faults.append(Fault("publish.export_root", "is empty, but publish.outputs is not", "Give a path or URI."))
    faults.extend(_split_faults(config.publish))
    if "publish" in sections and config.images.format == VECTORS:
        faults.extend(_picture_faults(config.publish))
    return faults


def _name_faults(config: Config) -> list[Fault]:
    """Refuse to hide names that stand in the paths, which are stored, or that must be compared as names."""
    images, faults = config.images, list[Fault]()
    in_data = images.identity == "none" or (images.identity == "folder" and images.format != "files")
    if not images.labels and not in_data and config.lake.store_paths:
        why = "is false, but images.identity takes the names from the paths, which are stored"
        fix = "Set lake.store_paths = false, or give the names in images.labels and paths that do not tell them."
        faults.append(Fault("lake.store_names", why, fix))
    if not config.lake.store_paths and images.format != "files":
        why = f'is false, but the images of images.format = "{images.format}" have no paths of their own'
        faults.append(Fault("lake.store_paths", why, "Set it to true, and give names in a column or in images.labels."))
    if images.same_names == "unite":
        why = "unite compares names, which are not stored (lake.store_names is false)"
        faults.append(Fault("images.same_names", why, "Set it to warn."))
    return faults


def _picture_faults(publish: Publish) -> list[Fault]:
    """Refuse what needs pictures where there are vectors alone."""
    why = 'needs pictures, and images.format = "vectors" has none'
    wrong = [output for output in publish.outputs if output not in _PICTURELESS]
    faults = list[Fault]()
    if wrong:
        faults.append(Fault("publish.outputs", f"{', '.join(wrong)} {why}", f"Use {' or '.join(_PICTURELESS)}."))
    if publish.bytes:
        faults.append(Fault("publish.bytes", why, "Set it to false."))
    return faults


def _split_faults(publish: Publish) -> list[Fault]:
    shares = publish.validation + publish.test
    if publish.split == "none" or shares < 1:
        return []
    fix = "Let publish.validation and publish.test leave something to train on: less than 1 together."
    return [Fault("publish.validation", f"and publish.test are {shares:g} together", fix)]


def _threshold_faults(link: Link) -> list[Fault]:
    """Refuse explicit thresholds that no two faces could have, before anything is embedded; 0 is none."""
    low, high = _THRESHOLDS[link.unit]
    fix = f"Use a number above {low:.4g} and below {high:.4g} (link.unit is {link.unit}), or 0 for none."
    return [
        Fault(f"link.threshold_{scope}", f"{value:g} is not allowed", fix)
        for scope, value in (("identity", link.threshold_identity), ("global", link.threshold_global))
        if value and not low < value < high
    ]


def _overlaps(config: Config) -> list[Fault]:
    """Refuse results among the images, and images among the results: the one would be read, the other cleared away."""
    tables = f"{config.lake.root.rstrip('/')}/{config.lake.namespace}" if config.lake.root else ""
    written = (
        ("lake.root", tables),
        ("lake.scratch", config.lake.scratch),
        ("publish.export_root", config.publish.export_root),
    )
    faults = []
    for name, place in written:
        if place and (is_below(place, config.images.root) or is_below(config.images.root, place)):
            fix = "Results and images need places of their own, neither inside the other."
            faults.append(Fault(name, f"{place} and images.root overlap", fix))
    return faults
