"""A verification set of InsightFace (lfw.bin and the like): a pickle of a list of image files, and a list of booleans.

A pickle is a program that may run anything. It is not run here: its steps are gone through with stand-ins for bytes,
lists, booleans and NumPy arrays of bytes. Any other step ends it. Of an image the stand-in is the place in the
file, so that the images themselves are never in memory.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

from facesieve.images.packs.byte_ranges import MOST_BYTES, ByteRanges
from facesieve.images.protocol import BadContent

_MOST_STEPS = 5_000_000
_SHORT = 64
_MARK = object()
_BYTE_TYPES = frozenset({"u1", "i1", "|u1", "|i1", "uint8", "int8"})
_STRINGS = frozenset({"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "BINSTRING", "SHORT_BINSTRING"})
_STRINGS |= {"UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
_NUMBERS = frozenset({"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1"})
_PUTS = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": (), "MARK": _MARK}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


@dataclass(frozen=True)
class Blob:
    """Bytes of a pickle: the step that writes them (its byte in the file), how many, and the text if it is short."""

    offset: int
    size: int
    text: str = ""


@dataclass
class _Array:
    """Stands for a NumPy array: its data, once they are known."""

    data: Blob | None = None


@dataclass(frozen=True)
class _Type:
    """Stands for a type of NumPy."""

    name: str


@dataclass(frozen=True)
class _Name:
    """Stands for something that a pickle imports."""

    name: str


class _Broken(Exception):
    """What the program does is not what a verification set needs."""


def images(ranges: ByteRanges) -> list[Blob]:
    """Return where the images of a set lie, in their order. Raises BadContent if the file is no such set; OSError."""
    program = _Program()
    try:
        for number, (step, value, offset) in enumerate(pickletools.genops(cast(IO[bytes], _Stream(ranges)))):
            if number > _MOST_STEPS:
                raise _Broken(f"it has more than {_MOST_STEPS} steps")
            program.take(step.name, value, offset or 0)
    except (_Broken, ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as problem:
        why = str(problem) if isinstance(problem, _Broken) else f"its steps cannot be followed: {problem}"
        raise BadContent(f"it is no list of images and list of booleans ({why})") from None
    return _listed(program.result)


def content(ranges: ByteRanges, offset: int) -> bytes:
    """Return the bytes that the step at a byte of the file writes. Raises BadContent if it writes none; OSError."""
    try:
        step, value, _ = next(iter(pickletools.genops(cast(IO[bytes], _Stream(ranges, offset)))))
    except ValueError:
        raise BadContent(f"nothing is written at byte {offset}") from None
    if step.name not in _STRINGS:
        raise BadContent(f"no bytes are written at byte {offset}")
    return value.encode("latin-1") if isinstance(value, str) else bytes(value or b"")


class _Stream:
    """A file as `pickletools` wants it."""

    def __init__(self, ranges: ByteRanges, offset: int = 0) -> None:
        self._ranges, self._at = ranges, offset

    def tell(self) -> int:
        return self._at

    def read(self, length: int) -> bytes:
        if length > MOST_BYTES:
            raise ValueError(f"{length} bytes at byte {self._at}")
        part = self._ranges.read(self._at, length)
        self._at += len(part)
        return part

    def readline(self) -> bytes:
        line = bytearray()
        while not line.endswith(b"\n") and (byte := self.read(1)):
            line += byte
        return bytes(line)


class _Program:
    """Goes through the steps of a pickle with stand-ins."""

    def __init__(self) -> None:
        self.result: Any = None
        self._stack = list[Any]()
        self._memo = dict[int, Any]()
        self._steps: dict[str, Callable[[], Any]] = {
            "EMPTY_LIST": list,
            "LIST": self._marked,
            "TUPLE": lambda: tuple(self._marked()),
            "STACK_GLOBAL": self._stack_name,
            "REDUCE": self._called,
        }

    def take(self, name: str, value: Any, offset: int) -> None:
        """Do one step. Raises _Broken if it is none of those that a verification set needs."""
        stack = self._stack
        if name in _STRINGS:
            stack.append(Blob(offset, len(value), _short(value)))
        elif name in _CONSTANTS or name in _NUMBERS:
            stack.append(_CONSTANTS.get(name, value))
        elif name in _PUTS or name == "MEMOIZE":
            self._memo[len(self._memo) if value is None else int(value)] = stack[-1]
        elif name in _GETS:
            stack.append(self._memo[int(value)])
        elif name in _TUPLES:
            stack[-_TUPLES[name] :] = [tuple(stack[-_TUPLES[name] :])]
        elif name == "GLOBAL":
            stack.append(_name(value.replace(" ", ".")))
        elif name in self._steps:
            stack.append(self._steps[name]())
        else:
            self._change(name)

    def _change(self, name: str) -> None:
        """Do a step that changes what is on the stack."""
        stack = self._stack
        if name in ("APPEND", "APPENDS"):
            values = [stack.pop()] if name == "APPEND" else self._marked()
            _list(stack[-1]).extend(values)
        elif name == "BUILD":
            _build(stack.pop(), stack[-1])
        elif name == "POP":
            stack.pop()
        elif name == "STOP":
            self.result = stack.pop()
        elif name not in ("PROTO", "FRAME"):
            raise _Broken(f"it has the step {name}")

    def _marked(self) -> list[Any]:
        """Take what is above the last mark."""
        values = list[Any]()
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _stack_name(self) -> _Name:
        member, module = self._stack.pop(), self._stack.pop()
        return _name(f"{module.text}.{member.text}")

    def _called(self) -> Any:
        arguments, called = self._stack.pop(), self._stack.pop()
        return _CALLS[called.name](*arguments)


def _bytes_of(data: Blob | None = None, encoding: Any = None) -> Blob:
    return Blob(0, 0) if data is None else data


def _array(*_: Any) -> _Array:
    return _Array()


def _type(name: Blob, *_: Any) -> _Type:
    return _Type(name.text)


def _from_buffer(data: Blob, kind: _Type, *_: Any) -> _Array:
    return _Array(data if kind.name in _BYTE_TYPES else None)


def _scalar(kind: _Type, data: Blob) -> bool:
    return data.text != "\0"


_CALLS: dict[str, Callable[..., Any]] = {
    "_codecs.encode": _bytes_of,
    "builtins.bytes": _bytes_of,
    "__builtin__.bytes": _bytes_of,
    "builtins.bytearray": _bytes_of,
    "__builtin__.bytearray": _bytes_of,
    "numpy.dtype": _type,
    **{f"numpy.{core}.multiarray._reconstruct": _array for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _scalar for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _from_buffer for core in ("core", "_core")},
}
"""What a pickle of a verification set may call, and what makes the stand-in."""


def _name(name: str) -> _Name:
    if name not in _CALLS and name != "numpy.ndarray":
        raise _Broken(f"it asks for {name[:_SHORT]}")
    return _Name(name)


def _short(value: Any) -> str:
    if len(value) > _SHORT:
        return ""
    return value if isinstance(value, str) else bytes(value).decode("latin-1")


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise _Broken("it appends to what is no list")
    return value


def _build(state: Any, target: Any) -> None:
    """Give an array its data; the state of a type says nothing of use."""
    if isinstance(target, _Array):
        kind, data = state[2], state[4]
        target.data = data if isinstance(data, Blob) and kind.name in _BYTE_TYPES else None
    elif not isinstance(target, _Type):
        raise _Broken("it fills what is no array")


def _listed(result: Any) -> list[Blob]:
    pair = result if isinstance(result, (list, tuple)) else ()
    if len(pair) != 2 or not isinstance(pair[0], (list, tuple)) or not isinstance(pair[1], (list, tuple, _Array)):
        raise BadContent("it is a pickle of something else than a list of images and a list of booleans")
    return list(_blobs(pair[0]))


def _blobs(values: Sequence[Any]) -> Iterator[Blob]:
    for number, value in enumerate(values):
        data = value.data if isinstance(value, _Array) else value
        if not isinstance(data, Blob):
            raise BadContent(f"image {number} of the list is no bytes")
        yield data
