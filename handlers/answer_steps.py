"""The ways from a letter's receipts to what came back beside 收到: quiz, survey, replies."""

from __future__ import annotations

from db.letters import Letter
from handlers.conversation import Button
from notices.carried import carried
from notices.wording import Wording


def author_steps(letter: Letter, say: Wording) -> tuple[Button, ...]:
    """Buttons for the author of a letter that was sent; none for one that carries nothing."""
    of = carried(letter)
    found = []
    if of.quiz:
        found.append(Button(say("menu.quiz"), f"quiz:board:{letter.id}:region"))
    if of.survey:
        found.append(Button(say("menu.survey"), f"survey:result:{letter.id}"))
    if of.replies:
        found.append(Button(say("menu.replies"), f"replies:list:{letter.id}"))
    return tuple(found)
