"""The cascade with networks that are no networks; `test_detector` runs the real ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from facesieve.models.mtcnn import cascade
from facesieve.models.mtcnn.networks import Networks


def networks(sizes: list[int]) -> Networks:
    """Networks to which every window is a face; `sizes` notes how many windows came at once."""

    def propose(stacked: Any, size: Any) -> Any:
        places = np.argwhere(np.ones((len(stacked), *(np.asarray(size) // 2 - 5))))
        return places, np.zeros((len(places), 4)), np.linspace(0.7, 0.9, len(places))

    def judge(patches: Any) -> Any:
        sizes.append(len(patches))
        zeros, sure = np.zeros((len(patches), 4)), np.tile([0.05, 0.95], (len(patches), 1))
        return (zeros, sure) if patches.shape[1] == 24 else (zeros, np.full((len(patches), 10), 0.5), sure)

    def cut(picture: Any, boxes: Any, side: int) -> Any:
        return np.zeros((len(boxes), side, side, 3), np.float32)

    return Networks(propose, judge, judge, cut)


def test_every_picture_gets_its_own_windows_in_bounded_calls() -> None:
    sizes: list[int] = []
    pictures = [np.zeros(shape, np.uint8) for shape in ((90, 60, 3), (11, 11, 3), (60, 90, 3))]
    windows = cascade.windows_of(pictures, 20, 0.9, networks(sizes))
    assert [len(own) > 0 for own in windows] == [True, False, True]
    assert all(own.shape[1] == 15 for own in windows)
    assert 0 < max(sizes) <= cascade._PATCHES
    for own in windows:
        middles = (own[:, :2] + own[:, 2:4] + 1) / 2 - 1
        np.testing.assert_allclose(own[:, 5:10], np.repeat(middles[:, :1], 5, axis=1))
        np.testing.assert_allclose(own[:, 10:], np.repeat(middles[:, 1:], 5, axis=1))
    assert [len(own) for own in cascade.windows_of(pictures, 20, 0.96, networks(sizes))] == [0, 0, 0]
