"""What an object store answers when it does not answer: pyarrow's errors as Python's own, with words and a place.

pyarrow raises OSError for nearly all of them, and tells them apart in the text alone. The text has the code that the
store gave; an answer without a body (to HEAD) has only its HTTP status.
"""

from __future__ import annotations

import errno
import re
from typing import NamedTuple

from facesieve.core.errors import first_line

_AWS = re.compile(r"AWS Error (?P<code>\w+|\[code \d+\])(?: \(HTTP status (?P<status>\d+)\))? during \w+ operation: ?")
_UNNAMED = re.compile(r"Unable to parse ExceptionName: (\w+)")
_OTHERS = re.compile(r"google::cloud::Status\((\w+)|Azure Error: \[?(\w+)")
_DETAILS = re.compile(r".*?(?:Details|Message): ", re.DOTALL)
_HIDDEN = "response stream"
"""Where the store's error is longer than what was asked for of a file, pyarrow cannot show the error and names this."""
_PASSING_NUMBERS = frozenset(
    (errno.EAGAIN, errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.EPIPE)
)


class Unanswered(OSError):
    """The store does not answer for now: too many requests, an error of its own, a connection that broke."""


class KeysRefused(OSError):
    """The store does not know who asks: keys that are wrong, expired, or signed by a clock that is."""


class _Meaning(NamedTuple):
    """What a code stands for: Python's error, its number, and words before the store's own."""

    codes: re.Pattern[str]
    error: type[OSError]
    number: int
    words: str


def _meaning(codes: str, error: type[OSError], number: int, words: str = "") -> _Meaning:
    return _Meaning(re.compile(codes, re.IGNORECASE), error, number, words)


_MEANINGS = (
    _meaning("no_?such_?bucket|container_?not_?found", FileNotFoundError, errno.ENOENT, "there is no such bucket"),
    _meaning("no_?such_?key|not_?found|unknown 404", FileNotFoundError, errno.ENOENT, "it does not exist"),
    _meaning(
        "expired_?token|invalid_?token|token_?refresh|request_?expired|too_?skewed|access_?key_?id|unrecognized_?client|"
        "signature_?does|client_?token|missing_?auth|unauthenticated|authentication_?failed",
        KeysRefused,
        errno.EACCES,
        "the keys of the job are refused",
    ),
    _meaning(
        "slow_?down|throttl|unavailable|internal_?(failure|error)|network_connection|time_?d?_?out|server_?busy|"
        "deadline_exceeded|resource_exhausted|aborted|unknown (408|425|429|5..)",
        Unanswered,
        errno.ETIMEDOUT,
    ),
    _meaning("denied|unknown 403|insufficient_?account", PermissionError, errno.EACCES),
)


def translated(problem: OSError, place: str) -> OSError:
    """Return what an error of a remote file system means, in words, as the error of Python's that means the same.

    Unanswered, KeysRefused, FileNotFoundError, PermissionError, or an OSError with the store's own words.
    """
    if isinstance(problem, (Unanswered, KeysRefused)):
        return problem
    words = in_words(problem)
    code = "" if _HIDDEN in words else _code(str(problem))
    for meaning in _MEANINGS:
        if meaning.codes.search(code):
            return meaning.error(meaning.number, ": ".join(filter(None, (meaning.words, words))), place)
    if problem.errno in _PASSING_NUMBERS:
        return Unanswered(problem.errno, words, place)
    return type(problem)(problem.errno or errno.EIO, words, place)


def in_words(problem: OSError) -> str:
    """Return what a store says of an error, without what pyarrow wraps around.

    >>> in_words(OSError("When listing objects: AWS Error SLOW_DOWN during ListObjectsV2 operation: Reduce the rate."))
    'slow down: Reduce the rate.'
    """
    text = first_line(problem.strerror or problem)
    aws = _AWS.search(text)
    if aws is None:
        return text.rpartition("Detail: ")[2].rpartition("] ")[2]  # "Failed to ... Detail: [errno 20] Not a directory"
    code = _code(text)
    name = f"HTTP status {aws['status']}" if code.startswith("unknown ") else code.replace("_", " ").lower()
    details = _DETAILS.sub("", text[aws.end() :], count=1)
    return name if details in ("", "No response body.") else f"{name}: {details}"


def _code(text: str) -> str:
    """Return the code of a store's error; "unknown STATUS" for an answer without one, "" if none is in the text."""
    aws, other = _AWS.search(text), _OTHERS.search(text)
    if aws is None:
        return (other[1] or other[2]) if other else ""
    unnamed = _UNNAMED.search(text)
    if unnamed:
        return unnamed[1]
    return f"unknown {aws['status']}" if aws["code"] == "UNKNOWN" else aws["code"]
