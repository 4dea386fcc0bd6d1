"""What the exports of a run are written from, and which edition of each the configuration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column

from facesieve.core.sections import Publish
from facesieve.core.tables import Cleaned
from facesieve.images.storage import Storage
from facesieve.lake.run import Stage
from facesieve.publish.face_crops import SUFFIXES
from facesieve.publish.pictures import Pictures, crops_of, files_of
from facesieve.publish.shards.exporting import Export
from facesieve.publish.shards.numbering import Layout
from facesieve.publish.splits import split_of

_SHARDS = ("order", "crop", "crop_format")
_SHAPED_BY: Mapping[str, tuple[str, ...]] = {
    "crops": ("crop_format",),
    "webdataset": (*_SHARDS, "shard_images"),
    "huggingface": (*_SHARDS, "shard_images"),
    "recordio": _SHARDS,
}
"""By output: the keys of `publish`, besides those of the split, that decide what it holds."""


@dataclass(frozen=True)
class Work:
    """What one export of a run is written from, and where to: below `target`, the run's folder."""

    stage: Stage
    cleaned: Cleaned
    target: Storage
    edition: str

    @property
    def settings(self) -> Publish:
        """The section `publish` of the configuration."""
        return self.stage.run.config.publish

    @property
    def split(self) -> Column | None:
        """The column of the parts, if there are any."""
        return split_of(self.settings)

    @property
    def suffix(self) -> str:
        """The suffix of aligned faces."""
        return SUFFIXES[self.settings.crop_format]

    def crops(self) -> Pictures:
        """Return the aligned faces."""
        return crops_of(self.stage, self.cleaned)

    def samples(self) -> Export:
        """Return what an export of shards is made from."""
        layout = Layout.of(self.settings)
        if not self.settings.crop:
            return Export(self.cleaned, files_of(self.stage.run, self.cleaned), layout, self.edition)
        size = tuple(self.stage.run.profile.input)
        return Export(self.cleaned, self.crops(), layout, self.edition, self.suffix, size)


def edition(output: str, version: int, settings: Publish) -> str:
    """Name the edition of an export: the version of the table, and each key that shapes it and is not as by default.

    >>> edition("parquet", 7, Publish(split="image", test=0.2)).splitlines()
    ['7', 'split = image', 'validation = 0.1', 'test = 0.2']
    """
    default = Publish()
    split = () if settings.split == "none" else ("split", "validation", "test")
    changed = (name for name in _SHAPED_BY.get(output, ()) if getattr(settings, name) != getattr(default, name))
    return "\n".join([str(version), *(f"{name} = {getattr(settings, name)}" for name in (*split, *changed))])
