"""What can go wrong, as four kinds that a caller can tell apart.

Every error a user meets is one of these. The exit code of a job follows from the kind alone (see `cli.main`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


class FacesieveError(Exception):
    """Root of all errors that facesieve raises on purpose."""


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a configuration or input: the key, what is wrong with it, and what to do."""

    key: str
    problem: str
    fix: str

    def __str__(self) -> str:
        return f"{self.key}: {self.problem}. {self.fix}"


class ConfigError(FacesieveError):
    """Configuration or input that cannot be used; carries all faults at once. Exit code 2."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class ContractError(FacesieveError):
    """A table is not what `tables` declares: the message names table, column and count. Exit code 2."""


class ModelError(FacesieveError):
    """A model file is missing, altered or not of an accepted form. Exit code 2."""


class StoreError(FacesieveError):
    """A store of files fails as a whole, in the middle of a run: nothing can be read there for now. Exit code 1."""


class InvariantError(FacesieveError):
    """A law that the job proves about its own result does not hold (for example of reconciliation). Exit code 1.

    figures: what monitoring is told of the job, as far as it has come; may be empty.
    """

    def __init__(self, text: str, figures: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.figures = dict(figures or {})


class Refused(FacesieveError):
    """The run stops for safety and has changed nothing (a table moved, too large a change). Exit code 3."""


def first_line(problem: BaseException | str, most: int = 300) -> str:
    """Return the first line of an error's text that says something, at most `most` characters.

    An error without a text has the name of its class.

    >>> first_line(ValueError("\\n  no such file \\n at line 3"))
    'no such file'
    >>> first_line(KeyError())
    'KeyError'
    """
    lines = (line.strip() for line in str(problem).splitlines())
    return next((line for line in lines if line), type(problem).__name__)[:most]
