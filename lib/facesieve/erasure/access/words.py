"""Verdicts and reasons in words for the person whom an image shows."""

from __future__ import annotations

from collections.abc import Mapping

from facesieve.core.reasons import Reason, Verdict

VERDICTS: Mapping[str, str] = {
    Verdict.KEEP.value: "The image is part of the cleaned data set, under the name that it had.",
    Verdict.DROP.value: "The image is left out of the cleaned data set.",
    Verdict.MOVE.value: "The image is part of the cleaned data set, under another name than it had.",
    Verdict.QUARANTINE.value: "The image is left out until a person has looked at it.",
    Verdict.FAIL.value: "The image gave no face, and is left out.",
}

REASONS: Mapping[str, str] = {
    Reason.UNDECODABLE.value: "The file cannot be decoded.",
    Reason.EMPTY.value: "The file is empty.",
    Reason.WRONG_TYPE.value: "The file is not an image.",
    Reason.TOO_LARGE.value: "The picture is too large.",
    Reason.BAD_ASPECT.value: "The picture has an odd shape.",
    Reason.NO_FACE.value: "The detector found no face.",
    Reason.CROP_OUTSIDE.value: "The crop lies outside the picture.",
    Reason.ERASED.value: "The image was erased before, and is not looked at again.",
    Reason.OVERRIDDEN.value: "A person decided.",
    Reason.OVERLAP.value: "The face is like that of a protected person.",
    Reason.UNREAD.value: "The image could not be read.",
    Reason.TWO_IDENTITIES.value: "The same file stands under two names.",
    Reason.DUPLICATE.value: "Another file has the same bytes.",
    Reason.NEAR_DUPLICATE.value: "Another file shows the same photograph.",
    Reason.FLIP.value: "The face is more like the faces under another name.",
    Reason.OUTLIER.value: "The face is unlike the other faces under its name.",
    Reason.IDENTITY_TOO_SMALL.value: "There are too few images under its name.",
    Reason.CLOSE_MODES.value: "The images under its name seem to show two people.",
    Reason.LOW_COHESION.value: "The face is hardly more like its group than the face of a stranger would be.",
    Reason.UNCLUSTERED.value: "The face is like too few other faces.",
    Reason.MERGED.value: "Two names seem to be one person.",
    Reason.SMALL_BOX.value: "The face is small.",
    Reason.LOW_CONFIDENCE.value: "The detector was unsure of the face.",
    Reason.BLURRED.value: "The face is blurred.",
    Reason.EXTREME_ASPECT.value: "The face has an extreme shape.",
    Reason.BURST.value: "Another picture is very like this picture, but is no copy.",
    Reason.REPAIRED.value: "The file is damaged, and was read in part.",
    Reason.RECOLOURED.value: "The colours were converted.",
}

SEVERAL = "The image shows several faces, and each may be another person's."
MOVED = "The face was taken for that of another person, whose name the image has got."
GROUPED = "Most faces of its group are under another name, so it may be another person's."
"""Why a face is not told whole."""


def in_words(word: str) -> str:
    """Return the sentence for a verdict or a reason; of another version's word, the word itself."""
    return VERDICTS.get(word) or REASONS.get(word) or f"{word}."
