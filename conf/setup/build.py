"""Build the wheel and its copy for `--py-files`, and prove that nothing of the package is missing in it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from refusal import SetupError

PACKAGE = "facesieve"
SHIPPED = ("conf/pipeline.toml", "conf/models/*.toml", "conf/checks/*.sql", "conf/spark/*", "jobs/*.py")
"""Files of the project's root that an installed user needs; in the wheel they stand inside the package."""


def contents(root: Path) -> set[str]:
    """Return what the wheel must hold, as paths that begin with the package's name."""
    modules = {file.relative_to(root / "lib").as_posix() for file in (root / "lib" / PACKAGE).rglob("*.py")}
    package = root / "lib" / PACKAGE
    assets = {file.relative_to(root / "lib").as_posix() for file in package.rglob("assets/**/*") if file.is_file()}
    shipped = {f"{PACKAGE}/{file.relative_to(root).as_posix()}" for each in SHIPPED for file in root.glob(each)}
    return modules | assets | shipped | {f"{PACKAGE}/py.typed"}


def missing(wheel: Path, wanted: set[str]) -> list[str]:
    """Return the files that the wheel lacks."""
    with zipfile.ZipFile(wheel) as opened:
        return sorted(wanted - set(opened.namelist()))


def build_wheel(root: Path, dist: Path) -> Path:
    """Build the wheel of a project into the folder `dist`. Raises SetupError if that fails or a file is missing."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), str(root)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"{done.stdout}{done.stderr}\nThe wheel could not be built: correct the above.")
    wheel = next(dist.glob("*.whl"))
    lacking = missing(wheel, contents(root))
    if lacking:
        raise SetupError(f"The wheel lacks {', '.join(lacking)}: correct pyproject.toml or .gitignore.")
    return wheel


def main() -> int:
    """Build into `dist/`; return the exit code."""
    root = Path(__file__).resolve().parents[2]
    dist = root / "dist"
    for former in (*dist.glob("*.whl"), *dist.glob("*.zip")):
        former.unlink()
    try:
        wheel = build_wheel(root, dist)
    except SetupError as refusal:
        print(refusal, file=sys.stderr)
        return 1
    shutil.copyfile(wheel, dist / f"{PACKAGE}.zip")
    print(f"dist/{wheel.name} and dist/{PACKAGE}.zip hold all {len(contents(root))} files.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
