"""Set up everything on one machine: `python3.11 conf/setup/bootstrap.py`, or `make setup`.

Standard library only. Each step looks first whether its result is in place, so that a repeated run takes a moment. All
downloads are checked by SHA-256, and nothing of a downloaded source archive is executed. A failure is one sentence and
exit code 1.
"""

import sys

WANTED = (3, 11)


def version_fault(major: int, minor: int) -> str:
    """Return what to do about this Python version; nothing if it is the right one."""
    if (major, minor) == WANTED:
        return ""
    age = "old" if (major, minor) < WANTED else "new"
    return (
        f"Python {major}.{minor} is too {age}: install Python 3.11 and run make setup again, with "
        "PYTHON=/path/to/python3.11 if it is not on the PATH."
    )


def main() -> int:
    """Run all steps; return the exit code."""
    fault = version_fault(*sys.version_info[:2])
    if fault:
        sys.stderr.write(fault + "\n")
        return 1
    import steps  # noqa: PLC0415 - only now: the other modules do not even parse on an old Python

    return steps.run_all()


if __name__ == "__main__":
    sys.exit(main())
