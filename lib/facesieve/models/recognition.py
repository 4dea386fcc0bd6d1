"""What a file or folder is, by its content: the forms of model, and what people mistake for one."""

from __future__ import annotations

import io
import re
import zipfile

from facesieve.models.files import ModelFiles

_PICKLE = re.compile(rb"\x80[\x02-\x05]")
_PAGE = re.compile(rb"\s*<(!doctype html|html|\?xml)", re.IGNORECASE)
_NODE = re.compile(rb"\x0a[\x80-\xff]{0,4}[\x00-\x7f]\x0a[\x80-\xff]?[\x00-\x7f][\x20-\x7e]+\x12[\x01-\x7f][A-Z_]\w+")
"""How a GraphDef begins: a node (field 1, length) with a name (field 1, length) and an operation (field 2, length)."""
_SAVED = re.compile(rb"\x08\x01\x12")
"""How a SavedModel begins: schema version 1, then a metagraph."""
_ONNX = re.compile(rb"\x08[\x02-\x1f][\x12\x1a\x22\x28\x32\x3a\x42]")
"""How an ONNX file begins: version of the format (field 1), then its maker (2 to 6), the graph (7) or operators (8)."""
_HEAD = 1_000


def form_of(files: ModelFiles) -> str:
    """Name the form that the content has, or "" if it has none that is accepted."""
    if files.directory:
        return _form_of_directory(frozenset(files.contents))
    head = files.single[:_HEAD]
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return "keras_h5"
    if head[4:8] == b"TFL3":
        return "tflite"
    if head.startswith(b"PK\x03\x04"):
        return "keras" if {"config.json", "metadata.json"} & _members(files.single) else ""
    if _ONNX.match(head):
        return "onnx"
    return "frozen_graph" if _NODE.match(head) else ""


def mistaken(files: ModelFiles) -> str:
    """Say, as the end of a sentence, what a file is that is no model which is accepted; "" if it is unknown."""
    if files.directory:
        return _mistaken_directory(frozenset(files.contents))
    return unfetched(files) or _mistaken_file(files)


def _mistaken_file(files: ModelFiles) -> str:
    head = files.single[:_HEAD]
    if _PICKLE.match(head):
        return "is a pickle, which can run code: it is not accepted, convert it to one of the accepted forms"
    if head.startswith(b"PK\x03\x04"):
        return _mistaken_archive(_members(files.single))
    if _SAVED.match(head) or files.root.name == "saved_model.pb":
        return "is the graph of a saved_model: give the directory that holds it"
    if files.root.name.endswith((".meta", ".index")) or ".data-" in files.root.name:
        return "is one file of a checkpoint: give the directory that holds it"
    return "is an array of NumPy, not a model" if head.startswith(b"\x93NUMPY") else ""


def unfetched(files: ModelFiles) -> str:
    """Say, as the end of a sentence, what came in place of a file that was to be fetched; "" if none of these."""
    if files.directory:
        return ""
    head = files.single[:_HEAD]
    if not head:
        return "is empty"
    if head.startswith(b"version https://git-lfs"):
        return "is a pointer of git-lfs, not the file itself: fetch it with `git lfs pull`"
    return "is a web page, not a model: download it again" if _PAGE.match(head) else ""


def _form_of_directory(names: frozenset[str]) -> str:
    if "saved_model.pb" in names:
        return "saved_model"
    return "checkpoint" if any(name.endswith((".meta", ".index")) and "/" not in name for name in names) else ""


def _mistaken_directory(names: frozenset[str]) -> str:
    if "model.weights.h5" in names:
        return "is an unpacked .keras file: give the file itself"
    if any("saved_model.pb" in name or name.endswith(".meta") for name in names):
        return "holds the model in a directory below it: give that directory"
    single = [name for name in sorted(names) if name.endswith((".pb", ".h5", ".keras", ".tflite", ".onnx"))]
    return f"is a directory: give the file itself ({single[0]})" if single else "is a directory without a model"


def _mistaken_archive(names: frozenset[str]) -> str:
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        return "is a model of PyTorch, a pickle, which can run code: convert it to one of the accepted forms"
    if names and all(name.endswith(".npy") for name in names):
        return "is a set of NumPy arrays (.npz), not a model"
    return "is a zip archive without a Keras model: unpack it, and give what it holds"


def _members(content: bytes) -> frozenset[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return frozenset(archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return frozenset()
