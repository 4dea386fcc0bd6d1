"""How sure a verdict is: probabilities, calibrated on noise that was planted in LFW (`tests/bench/noise.py`).

Logistic regressions on 158 people with 10 and more images, 10 to 50 % of each folder foreign, FaceNet and MobileFaceNet
together: for `kernels.membership` takes the models' differences away. What is fitted is the evidence of one image; the
share of foreign images in the data set at hand comes in as the prior odds (the offset of the regression).
"""

from __future__ import annotations

import math

from pyspark.sql import Column
from pyspark.sql import functions as F

_WITH_GLOBAL = (-6.96, 2.23, 9.42, 1.44)
_WITHOUT_GLOBAL = (-7.69, 2.75, 0.0, 1.32)
"""Weights: constant, membership score, being in the folder's main cluster of the scope `global`, and of its own."""
_FLIP = (-19.68, 4.80, 2.04)
"""Weights: constant, membership score in the target folder, and how much nearer its nearest face there is than any
other people's, in units of the impostors' spread."""
CLEAR = 0.7
"""Confidence from which an image is moved. Of planted flips in the right cluster 97.5 % reach it with FaceNet and
99.9 % with MobileFaceNet, of impostors 0.1 %; at 0.5 it is 98.8 %, 100 % and twice the impostors."""
_LINK = (-25.8, 30.0)
"""Weights: constant, ratio of likeness. Halves of one person's folder come out at 0.98 and more, two people that
share a cluster at 0.74 and less."""
_LEFT_OUT, _PASSED_OVER = 0.5, 0.1
"""Chance that an image whose faces are not its folder's person shows that person in a face that was not looked at.

No rate can be measured that holds elsewhere. In 218 photographs of 15 people (15 with several faces, 2 with a face that
was passed over) the largest face was always the folder's person. In folders with a passer-by nearer to the camera every
image with a face left out shows the person. So a face that was left out makes it even odds: such an image is
quarantined. It is the same where the main cluster of the folder may be the passer-by: the chance is the share of its
images in which a face was left out, at most even odds. A face too small or too unsure caps the confidence.
"""
_FEWEST = 0.005
"""The prior share of foreign images is taken to be at least this, and at most the same short of all."""


def prior_odds(central: int, counted: int) -> float:
    """Return the log odds that an image is its folder's person, from the share in the main clusters; 0 of none.

    >>> prior_odds(50, 100)
    0.0
    """
    if not counted:
        return 0.0
    share = min(max(central / counted, _FEWEST), 1 - _FEWEST)
    return math.log(share / (1 - share))


def of_membership(prior: float) -> Column:
    """Probability that an image shows its folder's person, for rows of `evidence.SPEAKING`; null if unknown."""
    in_global = F.col("main_global").isNotNull() & F.col("identity").isNotNull()
    return F.when(in_global, _member(_WITH_GLOBAL, prior)).otherwise(_member(_WITHOUT_GLOBAL, prior))


def of_unseen(member: Column) -> Column:
    """Raise the probability that an image shows its folder's person by the faces that were not looked at."""
    chance = _chance()
    return F.when(chance > 0, F.lit(1.0) - (F.lit(1.0) - member) * (F.lit(1.0) - chance)).otherwise(member)


def of_unseen_flip(flip: Column) -> Column:
    """Lower the probability that an image shows another folder's person alone by the faces that were not looked at."""
    chance = _chance()
    return F.when(chance > 0, flip * (F.lit(1.0) - chance)).otherwise(flip)


def of_flip(slope: float) -> Column:
    """Probability that an image shows the person of the target folder, for rows of `flips.SUSPECTS`.

    slope: of the impostor line.
    """
    constant, of_target, of_margin = _FLIP
    margin = (F.col("target_cosine") - F.col("target_other_cosine")) / F.lit(slope)
    return _logistic(F.lit(constant) + F.lit(of_target) * F.col("target_membership") + F.lit(of_margin) * margin)


def of_link(ratio: Column) -> Column:
    """Probability that two folders in one cluster are one person, from the ratio of `kernels.membership.likeness`."""
    constant, weight = _LINK
    return _logistic(F.lit(constant) + F.lit(weight) * ratio)


def _member(weights: tuple[float, float, float, float], prior: float) -> Column:
    constant, of_score, of_global, of_main = weights
    flags = F.lit(of_global) * F.col("in_main_global").cast("double") + F.lit(of_main) * F.col("main").cast("double")
    return _logistic(F.lit(prior + constant) + F.lit(of_score) * F.col("membership") + flags)


def _chance() -> Column:
    """That a face that was not looked at is the person of the image's folder; 0 where there is none, or no folder."""
    of_image = F.when(F.col("left_out"), _LEFT_OUT).when(F.col("passed_over"), _PASSED_OVER).otherwise(0.0)
    of_core = F.least(F.lit(_LEFT_OUT), F.coalesce(F.col("core_left_out"), F.lit(0.0)))
    return F.when(F.col("identity").isNotNull(), F.greatest(of_image, of_core)).otherwise(0.0)


def _logistic(logit: Column) -> Column:
    return F.lit(1.0) / (F.lit(1.0) + F.exp(-logit))
