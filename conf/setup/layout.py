"""Where set-up puts things, all below the project's root and ignored by git."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The places of one checkout."""

    root: Path

    @property
    def settings(self) -> Path:
        """This folder: modules and lock files."""
        return self.root / "conf" / "setup"

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The interpreter of the virtual environment."""
        return self.venv / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where the virtual environment keeps its packages."""
        return self.venv / "lib" / "python3.11" / "site-packages"

    @property
    def spark_jars(self) -> Path:
        """The folder whose jars Spark loads by itself."""
        return self.site_packages / "pyspark" / "jars"

    @property
    def cache(self) -> Path:
        """What was fetched."""
        return self.root / ".cache"

    @property
    def downloads(self) -> Path:
        """Archives as they came, kept so that a new environment needs no new download."""
        return self.cache / "downloads"

    @property
    def log(self) -> Path:
        """Output of the last program that set-up called."""
        return self.cache / "setup.log"

    @property
    def stamp(self) -> Path:
        """Touched when every step is done."""
        return self.cache / "setup.stamp"
