"""The sections of the configuration: one frozen dataclass each, and the checks of their values.

A parameter stands in two places only: its field here and its commented line in `conf/pipeline.toml` (a test compares
them).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from facesieve.core.config_schema import at_least, between, each_of, key, one_of


def _identity_rule(value: str) -> str | None:
    if value in ("folder", "top", "none") or re.fullmatch(r"[1-9]\d?", value, re.ASCII):
        return None
    if re.fullmatch(r"[+-]?\d+", value):
        return "Use a number of folders from 1 to 99."
    try:
        groups = re.compile(value).groupindex
    except re.error as problem:
        return f"The regular expression does not compile ({problem})."
    if "identity" in groups:
        return None
    return "Use folder, top, a number of folders, none, or a regular expression with the group (?P<identity>...)."


def _snapshot(value: str) -> str | None:
    fine = not value or re.fullmatch(r"\d{1,19}", value, re.ASCII)
    return None if fine else "Give the number of a snapshot (in Delta a version), or nothing for the current one."


def _number_as_text(value: Any) -> Any:
    return str(value) if type(value) is int else value


def _not_empty(value: str) -> str | None:
    return None if value.strip() else "Give a path or URI."


def _column(value: str) -> str | None:
    return None if value.strip() else "Give the name of a column."


def _files(values: tuple[str, ...]) -> str | None:
    fine = all(value.strip(" \0") for value in values) and len(set(values)) == len(values)
    return None if fine else "Use a list, without repeats, of paths or URIs of files."


def _name(value: str) -> str | None:
    return None if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", value) else "Use letters, digits and underscores."


OUTPUTS = ("parquet", "folders", "crops", "webdataset", "huggingface", "recordio", "clean_list")
"""The exports that there are, in the order in which they are written."""

_LITTER = (
    "@eaDir|.@__thumb|.thumbnails|Thumbs.db|ehthumbs.db|desktop.ini|.DS_Store|._*|__MACOSX|.AppleDouble|.Spotlight-V100|"
    ".fseventsd|.TemporaryItems|.ipynb_checkpoints|.git|.dvc|.Trash*|$RECYCLE.BIN|#recycle|@Recycle|#snapshot|"
    ".snapshot|.snapshots|lost+found|System Volume Information|.picasaoriginals|*.jpg_original"
)


def _suffixes(values: tuple[str, ...]) -> str | None:
    fine = values and all(re.fullmatch(r"\.[A-Za-z0-9_+-]{1,15}", value) for value in values)
    return None if fine else "Use suffixes with their dot, such as .jpg."


def _name_patterns(values: tuple[str, ...]) -> str | None:
    fine = all(value.strip() and not {"/", "\0"} & set(value) for value in values)
    return None if fine else "Use patterns (* ? [ab]) for one name of a file or folder each, so without /."


@dataclass(frozen=True)
class Lake:
    """Where the tables live."""

    root: str = key("", place=True)
    catalog: str = key("lake", _name)
    namespace: str = key("faces", _name)
    scratch: str = key("", place=True)
    store_names: bool = key(True)
    store_paths: bool = key(True)
    names_key: str = key("", place=True)


@dataclass(frozen=True)
class Columns:
    """The columns of a data set; `image.bytes` is the field of a struct."""

    uri: str = key("uri")
    bytes: str = key("bytes", _column)
    identity: str = key("identity", _column)
    vector: str = key("vector", _column)


VECTORS = "vectors"
"""The value of `images.format` for vectors without images."""
_FORMATS = ("files", "webdataset", "parquet", "recordio", "tfrecord", "msceleb", "table", VECTORS)


@dataclass(frozen=True)
class Images:
    """Where images come from, and what may count as one."""

    root: str = key("", needed=True, place=True)
    format: str = key("files", one_of(*_FORMATS))
    identity: str = key("folder", _identity_rule, reads=_number_as_text)
    labels: str = key("", place=True)
    same_names: str = key("warn", one_of("warn", "unite"))
    suffixes: tuple[str, ...] = key(
        [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".ppm", ".pgm", ".pnm"], _suffixes
    )
    ignore: tuple[str, ...] = key(_LITTER.split("|"), _name_patterns)
    follow_links: bool = key(False)
    dimension: int = key(0, between(0, 8192))
    files: str = key("", place=True)
    snapshot: str = key("", _snapshot, reads=_number_as_text)
    columns: Columns = field(default_factory=Columns)

    @property
    def carried(self) -> bool:
        """Whether rows of the source have their content, so that workers need not fetch it."""
        return self.format in ("parquet", VECTORS) or (self.format == "table" and not self.files)


@dataclass(frozen=True)
class Embed:
    """How faces are found and turned into vectors."""

    model: str = key("facenet", _not_empty, place=True)
    detector: str = key("mtcnn", one_of("mtcnn", "aligned"))
    faces: str = key("auto", one_of("auto", "largest", "all"))
    chunk_images: int = key(20_000, at_least(1))
    batch_images: int = key(32, between(1, 4096))
    detector_side: int = key(1_280, between(64, 10_000))
    formats: tuple[str, ...] = key(
        ["JPEG", "PNG", "WEBP", "BMP", "PPM"],
        each_of("JPEG", "PNG", "WEBP", "BMP", "PPM", "GIF", "TIFF", "AVIF", "HEIC", "JPEG2000", "JXL"),
    )
    max_bytes: int = key(104_857_600, between(1, 1 << 30))
    max_pixels: int = key(50_000_000, between(1, 1_000_000_000))
    max_full_pixels: int = key(250_000_000, between(1, 4_000_000_000))
    max_seconds: float = key(10.0, between(0.1, 3_600))
    max_memory: int = key(2_147_483_648, between(1 << 26, 1 << 40))
    max_aspect: float = key(30.0, at_least(1))
    min_face: int = key(20, at_least(12))
    min_confidence: float = key(0.8, between(0, 1))
    turned_below: float = key(0.95, between(0, 1))
    rehash: bool = key(False)
    max_rejects: float = key(0.1, between(0, 1))


@dataclass(frozen=True)
class Link:
    """Which pairs of faces become edges."""

    scope: str = key("both", one_of("identity", "global", "both", renamed={"heap": "global"}))
    false_matches: float = key(3.0, between(0, 1_000, open_low=True), was="strangers")
    min_n: int = key(1_000, between(2, 1 << 50))
    threshold_identity: float = key(0.0)
    threshold_global: float = key(0.0, was="threshold_heap")
    unit: str = key("cosine", one_of("cosine", "l2", "squared_l2", "inverse_l2"))
    force: bool = key(False)
    method: str = key("voronoi", one_of("voronoi", "exact"))
    recall: float = key(0.98, between(0.5, 0.999))
    max_neighbours: int = key(500, between(0, 1 << 30))


@dataclass(frozen=True)
class Cluster:
    """How the graph of faces is cut into people."""

    score: str = key("structure", one_of("structure", "cosine"))
    false_matches: float = key(10.0, between(0, 1_000, open_low=True), was="strangers")
    score_cut: float = key(0.27, between(0, 1))
    max_degree: int = key(200, at_least(1))
    attach_error: float = key(0.1, between(0, 1))
    update_fraction: float = key(0.75, between(0, 1, open_low=True, open_high=True))
    seed: int = key(0, between(-(2**63), 2**63 - 1))
    constraints: str = key("", place=True)
    coins: int = key(8, between(1, 32))
    same_photo_differs: bool = key(False)
    max_supersteps: int = key(500, at_least(1))
    finish_locally_below: int = key(20_000_000, at_least(0))


@dataclass(frozen=True)
class Decide:
    """What becomes of each image."""

    keep: str = key("largest", one_of("largest", "modes", "medoid"))
    min_faces: int = key(5, at_least(1))
    small_folders: str = key("drop", one_of("drop", "quarantine", "keep"))
    close_share: float = key(0.8, between(0, 1, open_low=True))
    medoid_cosine: float = key(0.0, between(-1, 1))
    merge_identities: bool = key(False)
    near_cosine: float = key(0.7, between(0.5, 1))
    near_bits: int = key(24, between(0, 64))
    near_face_bits: int = key(48, between(0, 96))
    copy: str = key("largest", one_of("largest", "first", "sharpest"))
    quality: str = key("note", one_of("note", "quarantine", "drop"))
    small_box: float = key(40.0, at_least(0))
    low_confidence: float = key(0.9, between(0, 1))
    blurred: float = key(0.0, at_least(0))
    extreme_aspect: float = key(2.0, at_least(1))
    overrides: str = key("", place=True)
    protected: str = key("", place=True)
    overlap: str = key("drop", one_of("drop", "quarantine"))


@dataclass(frozen=True)
class Publish:
    """How the cleaned data set is written."""

    apply: bool = key(False)
    max_change: float = key(0.05, between(0, 1))
    max_gone: float = key(0.2, between(0, 1))
    floor: int = key(5, at_least(0))
    per_face: bool = key(False)
    checks: tuple[str, ...] = key([], _files, place=True)
    keep_tags: int = key(10, at_least(0))
    outputs: tuple[str, ...] = key([], each_of(*OUTPUTS))
    export_root: str = key("", place=True)
    buckets: int = key(16, between(1, 10_000))
    bytes: bool = key(False)
    split: str = key("none", one_of("none", "identity", "image"))
    validation: float = key(0.1, between(0, 1, open_high=True))
    test: float = key(0.1, between(0, 1, open_high=True))
    order: str = key("shuffled", one_of("shuffled", "label"))
    shard_images: int = key(2_000, between(1, 1_000_000))
    crop: bool = key(False)
    crop_format: str = key("png", one_of("png", "jpeg"))
