"""Errors: what a person reads, and that they survive the way from a worker."""

from __future__ import annotations

import pickle

from facesieve.core.errors import ConfigError, Fault, first_line


def test_a_configuration_error_tells_all_faults_also_from_another_process() -> None:
    faults = [Fault("a.b", "is empty", "Give one."), Fault("c.d", "is wrong", "Correct it.")]
    error = pickle.loads(pickle.dumps(ConfigError(faults)))
    assert error.faults == tuple(faults)
    assert str(error) == "a.b: is empty. Give one.\nc.d: is wrong. Correct it."


def test_the_first_line_that_says_something() -> None:
    assert first_line(ValueError(" \n  cause \n more")) == first_line(" \n  cause \n more") == "cause"
    assert first_line(OSError()) == "OSError"
    assert first_line("x" * 400) == "x" * 300
    assert first_line("long", most=2) == "lo"
