"""Build the wheel and its copy for `--py-files`, and prove that no module of the package is missing in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

PACKAGE = "facesieve"


def modules(folder: Path) -> set[str]:
    """Return the modules below `folder`, as paths that begin with the package's name."""
    return {file.relative_to(folder).as_posix() for file in (folder / PACKAGE).rglob("*.py")}


def missing(wheel: Path, wanted: set[str]) -> list[str]:
    """Return the modules that the wheel lacks."""
    with zipfile.ZipFile(wheel) as opened:
        return sorted(wanted - set(opened.namelist()))


def main() -> int:
    """Build into `dist/`; return the exit code."""
    root = Path(__file__).resolve().parents[2]
    dist = root / "dist"
    shutil.rmtree(dist, ignore_errors=True)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), str(root)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, "\nThe wheel could not be built: correct the above.", sep="", file=sys.stderr)
        return 1
    wheel = next(dist.glob("*.whl"))
    wanted = modules(root / "lib")
    lacking = missing(wheel, wanted)
    if lacking:
        print(f"The wheel lacks {', '.join(lacking)}: correct pyproject.toml or .gitignore.", file=sys.stderr)
        return 1
    shutil.copyfile(wheel, dist / f"{PACKAGE}.zip")
    print(f"dist/{wheel.name} and dist/{PACKAGE}.zip hold all {len(wanted)} modules.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
