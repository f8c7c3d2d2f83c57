"""Which tests one process gets together, and which come first, when several processes share the work.

What takes long is begun first, so that no process is left alone with it in the end. The tests of a file stay
together, for they share what it makes; of some folders all do, of some files each goes by itself. (pytest-xdist's own
marker for groups is lost in pytest 9.2, and one process after the other would tell the day on every channel.)
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

FIRST = (  # files and folders, in the order in which they are begun
    "tests/day/test_day.py",
    "tests/browser/",
    "tests/chaos/",
    "tests/day/",
    "tests/bot/test_jobs.py",
    "tests/scoring/year/",
    "tests/handlers/test_every_sentence.py",
    "tests/bot/test_job_queue.py",
    "tests/bot/test_command_line",
    "tests/scoring/test_independent.py",
    "tests/db/test_migrations.py",
    "tests/bot/test_sample",
    "tests/db/test_verify.py",
)
TOGETHER = ("tests/browser/", "tests/chaos/")  # one Chromium, and one process that gives birth to the others
BY_ITSELF = (
    "tests/day/test_kill.py",
    "tests/scoring/year/",
    "tests/bot/test_jobs.py",
    "tests/handlers/test_every_sentence.py",
)
WORDS = (
    "tests/handlers/test_own_words.py",
    "tests/handlers/test_routing.py",
    "tests/handlers/test_work.py",
    "tests/bot/web/test_say.py",
)
ONE_CASE = ("tests/handlers/", "tests/bot/")


class Dealer(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Deals out what `_split_scope` puts together, in the order of the tests."""

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(BY_ITSELF):
            return nodeid
        return next((one for one in TOGETHER if nodeid.startswith(one)), nodeid.split("::")[0])


def without_repetition(items: list[pytest.Item]) -> list[pytest.Item]:
    """Leave out what PostgreSQL would say again: words, what HTTP brings, further cases of one conversation.

    Cases of one test ask both databases the same; SQLite gets each of them, PostgreSQL the first.
    """
    seen: set[str] = set()
    kept = []
    for item in items:
        case = getattr(item, "callspec", None)
        if case is not None and case.params.get("database_url") == "postgresql":
            test = item.nodeid.split("[")[0]
            if test.startswith(WORDS) or (test in seen and test.startswith(ONE_CASE)):
                continue
            seen.add(test)
        kept.append(item)
    return kept


def turn(nodeid: str) -> int:
    """The place of a test in the order: what is not in `FIRST` comes after it."""
    return next((place for place, one in enumerate(FIRST) if nodeid.startswith(one)), len(FIRST))
