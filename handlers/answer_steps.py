"""What quiz, survey and replies of a letter share: the ways to them and back."""

from __future__ import annotations

from db.letters import Letter
from handlers.conversation import Button, Context
from notices.carried import carried
from notices.wording import Wording

LOOKED_AT = 10  # letters in which a question is looked for when only its word was typed


def to_letters(ctx: Context) -> tuple[Button, ...]:
    """The way back to the letters that this person got."""
    return (Button(ctx.say("letters.last"), "letters:last"),)


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
