"""Every verdict and every reason has a sentence."""

from __future__ import annotations

from facesieve.core.reasons import Reason, Verdict
from facesieve.erasure.access.words import REASONS, VERDICTS, in_words


def test_every_word_of_the_code_is_told_in_a_sentence() -> None:
    assert set(REASONS) == {reason.value for reason in Reason}
    assert set(VERDICTS) == {verdict.value for verdict in Verdict}
    sentences = [*REASONS.values(), *VERDICTS.values()]
    assert all(each[0].isupper() and each.endswith(".") for each in sentences)
    assert len(set(sentences)) == len(sentences)
    assert in_words("of_tomorrow") == "of_tomorrow."
