import numpy as np
import pytest

from facesieve import models
from facesieve.config import Embed
from facesieve.models import Detection
from facesieve.profiles import Crop, Margin, Profile
from facesieve.reasons import Reason
from facesieve.stages.faces import faces
from facesieve.stages.pictures import Unusable

PICTURE = np.zeros((200, 300, 3), dtype=np.uint8)
POINTS = tuple(float(number) for number in range(10))


def profile(**others):
    return Profile(
        file="", sha256="0" * 64, form="tflite", input=(8, 8), normalisation="none", dimension=2, name="any", **others
    )


@pytest.fixture
def found(monkeypatch):
    """Return a function that sets what the detector finds."""

    def finds(*detections):
        monkeypatch.setattr(models, "detect", lambda *asked: [Detection(box, POINTS, sure) for box, sure in detections])

    return finds


def test_largest_face_ties_go_to_the_surer_then_to_the_left(found):
    found(((0, 0, 30, 40), 0.99), ((50, 0, 50, 40), 0.97), ((20, 9, 40, 50), 0.97), ((90, 0, 40, 50), 0.98))
    (face,) = faces(PICTURE, profile(), Embed())
    assert face.box == (90, 0, 40, 50)
    assert [face.box[0] for face in faces(PICTURE, profile(), Embed(faces="all"))] == [90, 20, 50, 0]


def test_the_cut_is_a_square_with_the_profiles_margin(found):
    found(((10, 20, 40, 50), 0.99))
    (face,) = faces(PICTURE, profile(margin=Margin("box", 0.5)), Embed())
    assert face.cut == (-7.5, 7.5, 75, 75)
    assert (face.landmarks, face.confidence) == (POINTS, 0.99)


def test_what_falls_below_the_bounds_is_counted(found):
    found(((0, 0, 19, 40), 0.99), ((0, 0, 15, 15), 0.99), ((0, 0, 40, 40), 0.85))
    with pytest.raises(Unusable) as caught:
        faces(PICTURE, profile(), Embed(min_face=20, min_confidence=0.9))
    assert caught.value.reason is Reason.NO_FACE
    assert "2 below embed.min_face (20 pixels), 1 below embed.min_confidence (0.9)" in caught.value.detail


def test_no_face_at_all(found):
    found()
    with pytest.raises(Unusable, match="no face was found"):
        faces(PICTURE, profile(), Embed())


def test_aligned_takes_the_profiles_crop_or_the_whole_image():
    (face,) = faces(PICTURE, profile(crop=Crop(100, 125, 120)), Embed(detector="aligned"))
    assert face.box == face.cut == (75, 70, 100, 100)
    assert face.confidence is face.landmarks is None
    (whole,) = faces(PICTURE, profile(), Embed(detector="aligned"))
    assert whole.box == (0, 0, 300, 200)


def test_aligned_refuses_an_image_that_ends_before_the_crop():
    with pytest.raises(Unusable, match="ends before"):
        faces(PICTURE, profile(crop=Crop(100, 150, 250)), Embed(detector="aligned"))
