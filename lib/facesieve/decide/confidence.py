"""How sure a verdict is: probabilities, calibrated on noise that was planted in LFW (`tests/bench/noise.py`).

Logistic regressions on 158 people with 10 and more images, 10 to 50 % of each folder foreign, FaceNet and MobileFaceNet
together: for `kernels.belonging` takes the models' differences away. What is fitted is the evidence of one image; the
share of foreign images in the data set at hand comes in as the prior odds (the offset of the regression).
"""

from __future__ import annotations

import math

from pyspark.sql import Column
from pyspark.sql import functions as F

_WITH_HEAP = (-6.96, 2.23, 9.42, 1.44)
_WITHOUT_HEAP = (-7.69, 2.75, 0.0, 1.32)
"""Weights: constant, belonging, being in the heap cluster that is the folder's home, being in its main cluster."""
_FLIP = (-19.68, 4.80, 2.04)
"""Weights: constant, belonging to the folder whose home the image's heap cluster is, and how much nearer its nearest
face there is than any other people's, in units of the impostors' spread."""
CLEAR = 0.7
"""Confidence from which an image is moved. Of planted flips in the right heap cluster 97.5 % reach it with FaceNet and
99.9 % with MobileFaceNet, of impostors 0.1 %; at 0.5 it is 98.8 %, 100 % and twice the impostors."""
_LINK = (-25.8, 30.0)
"""Weights: constant, ratio of likeness. Halves of one person's folder come out at 0.98 and more, two people that
share a home at 0.74 and less."""
_FEWEST = 0.005
"""The prior share of foreign images is taken to be at least this, and at most the same short of all."""


def prior_odds(kept: int, counted: int) -> float:
    """Return the log odds that an image is its folder's person, from the share in the main clusters; 0 of none.

    >>> prior_odds(50, 100)
    0.0
    """
    if not counted:
        return 0.0
    share = min(max(kept / counted, _FEWEST), 1 - _FEWEST)
    return math.log(share / (1 - share))


def of_belonging(prior: float) -> Column:
    """Probability that an image shows its folder's person, for rows of `evidence.with_evidence`; null if unknown."""
    heap = F.col("home").isNotNull() & F.col("identity").isNotNull()
    return F.when(heap, _belongs(_WITH_HEAP, prior)).otherwise(_belongs(_WITHOUT_HEAP, prior))


def of_flip(slope: float) -> Column:
    """Probability that an image shows the person of the folder that its heap cluster is the home of (`flips.flips`).

    slope: of the impostor line.
    """
    constant, of_target, of_margin = _FLIP
    margin = (F.col("to_cosine") - F.col("to_elsewhere")) / F.lit(slope)
    return _logistic(F.lit(constant) + F.lit(of_target) * F.col("to_belonging") + F.lit(of_margin) * margin)


def of_link(ratio: Column) -> Column:
    """Probability that two folders with one home are one person, from the ratio of `kernels.belonging.likeness`."""
    constant, weight = _LINK
    return _logistic(F.lit(constant) + F.lit(weight) * ratio)


def _belongs(weights: tuple[float, float, float, float], prior: float) -> Column:
    constant, of_face, of_home, of_main = weights
    flags = F.lit(of_home) * F.col("at_home").cast("double") + F.lit(of_main) * F.col("main").cast("double")
    return _logistic(F.lit(prior + constant) + F.lit(of_face) * F.col("belonging") + flags)


def _logistic(logit: Column) -> Column:
    return F.lit(1.0) / (F.lit(1.0) + F.exp(-logit))
