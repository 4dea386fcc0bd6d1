from __future__ import annotations

import numpy as np

from facesieve.core.reasons import Reason
from facesieve.embed.picture import Picture, Unusable


def test_the_scale_is_that_of_the_full_image() -> None:
    assert Picture(np.zeros((30, 40, 3), np.uint8), 160, 120).scale == 4
    assert Picture(np.zeros((30, 40, 3), np.uint8), 40, 30).notes == ()


def test_a_detail_is_short() -> None:
    why = Unusable(Reason.EMPTY, "x" * 500)
    assert (why.reason, len(why.detail)) == (Reason.EMPTY, 120)
