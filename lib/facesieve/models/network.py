"""What every form of model becomes: a function from a batch of standardised crops to raw vectors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Infer = Callable[[Floats], Floats]
"""float32 [N, H, W, 3] -> float32 [N, D], not yet of unit length."""


@dataclass(frozen=True)
class Facts:
    """What the files of a model say about it: tensors as `name float32 [?, 160, 160, 3]`, a side in pixels.

    `input_size` (height, width) and `dimension` are None where the files leave them open; `parameters` is how many
    numbers the weights are; `notes` are sentences on what was left out or is unusual. `scales_input`: what the model
    does first is to scale its input.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    input_size: tuple[int, int] | None
    dimension: int | None
    parameters: int
    notes: tuple[str, ...] = ()
    scales_input: bool = False
