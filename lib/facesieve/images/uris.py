r"""Names of files as uris: any bytes become text that finds the file again, and no two names become one.

A byte that is no part of valid UTF-8 is written as `\x` and two hex digits in lower case. A backslash of the name that
would read as the beginning of such an escape is written as `\x5c`. All other names are uris as they are.
"""

from __future__ import annotations

import re

_READS_AS_ESCAPE = re.compile(rb"\\(?=x(?:5c|[89a-f][0-9a-f]))")
_ESCAPE = re.compile(rb"\\x(5c|[89a-f][0-9a-f])")


def to_uri(name: bytes) -> str:
    r"""Write a name as text.

    >>> to_uri("José".encode()), to_uri("José".encode("latin-1")), to_uri(rb"Jos\xe9")
    ('José', 'Jos\\xe9', 'Jos\\x5cxe9')
    """
    return _READS_AS_ESCAPE.sub(rb"\\x5c", name).decode("utf-8", errors="backslashreplace")


def to_name(uri: str) -> bytes:
    r"""Return the name that a uri stands for. Raises UnicodeEncodeError for text that is no valid UTF-8.

    >>> to_name("Jos\\xe9"), to_name("Jos\\x5cxe9")
    (b'Jos\xe9', b'Jos\\xe9')
    """
    return _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), uri.encode("utf-8"))
