from __future__ import annotations

import pytest

from btcctl.apiserver.storage.answers import answered, ask


def test_who_does_not_answer_fails_in_its_own_right():
    def question() -> None:
        raise ValueError("no answer")

    with pytest.raises(ValueError, match="no answer") as caught:
        answered(lambda: ask("k", question))
    assert caught.value.__context__ is None


def test_a_question_is_asked_once_however_often_the_work_begins():
    asked: list[str] = []

    def answer() -> int:
        asked.append("asked")
        return len(asked)

    def work() -> list[int]:
        return [ask("a", answer), ask("b", answer), ask("a", answer)]

    assert answered(work) == [1, 2, 1]
    assert asked == ["asked", "asked"]
