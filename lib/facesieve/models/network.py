"""What every form of model becomes: a function from a batch of standardised crops to raw vectors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Infer = Callable[[Floats], Floats]
"""float32 [N, H, W, 3] -> float32 [N, D], not yet of unit length."""
