"""Files that come with the package: the reference configuration, model profiles, Spark's settings, job files.

In a wheel they stand inside the package. In a checkout they stand at the project's root, beside `lib` and `jobs`.
"""

from __future__ import annotations

import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped(relative: str) -> Path:
    """Return where a file or folder is, for example `conf/pipeline.toml`.

    The code of a job that was sent as a zip lies elsewhere: then the file is looked for at the root of the job file.
    """
    inside = _PACKAGE / relative
    roots = (_PACKAGE.parents[1], Path(sys.argv[0]).resolve().parent.parent)
    return next((place for place in (inside, *(root / relative for root in roots)) if place.exists()), inside)
