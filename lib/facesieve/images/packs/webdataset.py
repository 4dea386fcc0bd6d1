"""A WebDataset: tar shards in which each sample is a picture with its label under one key."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from facesieve.core.sections import Images
from facesieve.images.files import FileTree, Packs
from facesieve.images.packs.archive_uris import is_tar
from facesieve.images.packs.samples import SampleFetch, samples
from facesieve.images.rules import Rules


def webdataset(root: str, images: Images, shard: str = "") -> FileTree:
    """Return the samples of all shards below a root, or of one. Image files beside the shards are counted, not read."""
    rules = replace(Rules.of(images), opens=is_tar)
    packs = Packs(partial(samples, name=images.columns.identity), SampleFetch, loose=False)
    return FileTree(root, rules, shard, packs)
