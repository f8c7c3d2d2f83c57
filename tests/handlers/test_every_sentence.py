"""Every sentence that a command knows, said by two people."""

from __future__ import annotations

from handlers import COMMANDS
from tests.cast import MO, SUN


async def test_every_sentence_gets_an_answer_of_its_own_and_never_an_apology(say, database_url):
    """The first and the last sentence of a command on both databases, the rest, which asks them the same, on one."""
    for command in COMMANDS:
        sentences = (*command.phrases, *command.steps)
        for words in sentences if database_url.startswith("sqlite") else {*sentences[:1], *sentences[-1:]}:
            for person in (MO, SUN):
                assert "R-" not in (await say(person, words)).text, words
