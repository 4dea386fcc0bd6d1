"""Checkpoints of davidsandberg/facenet: a directory with `model-*.meta` and `model-*.ckpt-N.index` and `.data-*`.

The graph there is the one that was trained; what embeds is cut out of it. Files are found by the rules of facenet's
`get_model_filenames`. No operation of the file's saver is run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from facesieve.core.errors import ModelError
from facesieve.core.profiles import Profile
from facesieve.models.files import ModelFiles
from facesieve.models.formats import graphs
from facesieve.models.network import Facts, Floats, Infer

_STATE = "checkpoint"
"""The file in which TensorFlow's saver notes its latest checkpoint."""
_STEP = re.compile(r"(model-[\w\- ]+\.ckpt-(\d+))\.")
_NOTED = re.compile(r'^\s*model_checkpoint_path:\s*"([^"\n]*)"', re.MULTILINE)


def load(files: ModelFiles, profile: Profile) -> Infer:
    """Make a function of a checkpoint: float32 [N, H, W, 3] -> float32 [N, D].

    The vectors are the tensor `embeddings:0`, or the one that the profile's `output` names. Raises ModelError if files
    are missing, the graph holds what is not accepted, or does not fit the profile.
    """
    return graphs.infer(_network(files, profile.output), profile)


def facts(files: ModelFiles) -> Facts:
    """Say what a checkpoint is, and which step it is of. Raises ModelError as `load` does."""
    meta, prefix = names(files)
    return replace(graphs.facts(_network(files, "")), notes=(f"the graph is {meta}, the weights are {prefix}",))


def names(files: ModelFiles) -> tuple[str, str]:
    """Return the name of the metagraph and the prefix of the checkpoint's files.

    There is one `.meta`. The checkpoint is the one that the file `checkpoint` notes (by its last part: where training
    wrote it does not matter), else the one of the largest step. Raises ModelError if that is not so, or files are
    missing.
    """
    here = [name for name in files.contents if "/" not in name]
    metas = sorted(name for name in here if name.endswith(".meta"))
    if len(metas) != 1:
        shown = f"{len(metas)}: {', '.join(metas)}" if metas else "none"
        raise ModelError(f"{files.root} must hold one .meta file, the graph; it holds {shown}")
    prefix = _noted(files) or _latest(here)
    if not prefix:
        raise ModelError(f"{files.root} holds no model-NAME.ckpt-STEP.index, the weights")
    _check_complete(here, prefix, files)
    return metas[0], prefix


def _noted(files: ModelFiles) -> str:
    noted = _NOTED.search(files.contents.get(_STATE, b"").decode("utf-8", "replace"))
    return re.split(r"[/\\]", noted.group(1))[-1] if noted else ""


def _latest(here: list[str]) -> str:
    steps = {int(name.group(2)): name.group(1) for name in map(_STEP.match, sorted(here)) if name}
    return steps[max(steps)] if steps else ""


def _check_complete(here: list[str], prefix: str, files: ModelFiles) -> None:
    if f"{prefix}.index" not in here:
        raise ModelError(f"{files.root} holds no {prefix}.index, which belongs to the checkpoint {prefix}")
    shards = [shard for name in here if (shard := re.fullmatch(re.escape(prefix) + r"\.data-\d{5}-of-(\d{5})", name))]
    if not shards or len(shards) != int(shards[0].group(1)):
        raise ModelError(
            f"{files.root} holds {len(shards)} of the files {prefix}.data-*: some of the weights are missing"
        )


def _network(files: ModelFiles, output: str) -> graphs.Graph:
    meta, prefix = names(files)
    definition = graphs.parse(files.contents[meta], "MetaGraphDef").graph_def

    def values(shapes: Mapping[str, tuple[int, ...]]) -> Mapping[str, Floats]:
        with files.on_disk() as folder:
            return graphs.read_values(folder / prefix, {}, shapes)

    return graphs.network(definition, (graphs.INPUT, output or graphs.OUTPUT), [graphs.PHASE], values)
