"""The sending process is killed again and again; in the end nothing is lost and nothing came twice."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.births import Births
from tests.chaos.conftest import PEOPLE, Telling
from tests.chaos.killing import KILLS, Killing, told
from tests.chaos.platform import judge


def test_many_kills_lose_nothing_and_repeat_nothing(
    births: Births, filled: Path, tmp_path: Path, telling: Telling
) -> None:
    killing = Killing(births, filled, judge_letter, kills=40, at_each=3)
    telling(told("letters", killing.many(tmp_path, KILLS)))


def judge_letter(url: str, accepted: list[str], words: str) -> None:
    """Hold the rows of the one letter against what the platform took."""
    states = judge(url, accepted, words)
    assert sum(states.values()) == PEOPLE + 2  # Charlie and Qian belong to the branch, too
    assert states["failed"] <= PEOPLE / 10, f"{words}: {states}"
