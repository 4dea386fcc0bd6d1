"""The demonstration's scripts import each other by bare name, as they do when they are started."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
