"""A letter whose words come in several messages, as an app sends a long text: each further one is put behind."""

from __future__ import annotations

from db.letters import MARK, Letter, fingerprint
from handlers import letter_draft, letter_refusals
from handlers.conversation import Button, Context, Reply
from handlers.letter_preview import preview
from handlers.meaning import typed_number
from notices.letter_words import fault

SHORT = 20  # characters: what is no longer and no number is a slip of the hand, not a part of a letter


def is_part(text: str) -> bool:
    """Whether this, said where the number of people was asked for, belongs to the letter."""
    return len(text) > SHORT or "\n" in text


def add(ctx: Context) -> Reply:
    """`broadcast:add:ID` with what was typed: put it behind, without sending anything; more may follow.

    A number is how many people there are, and is asked for below the whole letter.
    """
    letter = letter_draft.mine(ctx)
    if letter is None:
        return letter_draft.gone(ctx)
    text = ctx.args[-1].strip() if len(ctx.args) > 2 else ""
    if not text or not letter.body or typed_number(text) is not None:
        return letter_draft.show(ctx)
    return put_behind(ctx, letter, text)


def put_behind(ctx: Context, letter: Letter, text: str) -> Reply:
    """The letter with this behind its words, and how to take it away again."""
    before = len(letter.body)
    whole = f"{letter.body}\n{text}"
    wrong = fault(text, typed=ctx.incoming.text) or fault(whole, typed=whole)
    if wrong is not None:
        return preview(ctx, letter, note=letter_refusals.content(ctx, letter, wrong))
    letter_draft.reopen(ctx, letter)
    letter.body = whole
    letter_draft.store(ctx, letter)
    steps = (
        Button(ctx.say("broadcast.added_look"), f"broadcast:show:{letter.id}"),
        Button(ctx.say("broadcast.added_cut"), f"broadcast:cut:{letter.id}:{before}:{fingerprint(letter)[:MARK]}"),
        Button(ctx.say("broadcast.added_rewrite"), f"broadcast:text:{letter.id}"),
    )
    words = ctx.say("broadcast.added", length=len(whole))
    return Reply(words, steps, expect=f"broadcast:add:{letter.id}", back=f"broadcast:show:{letter.id}")


def cut(ctx: Context) -> Reply:
    """`broadcast:cut:ID:LENGTH:MARK`: without what was put behind last, unless more has changed since."""
    letter = letter_draft.mine(ctx)
    if letter is None:
        return letter_draft.gone(ctx)
    kept = ctx.arg_id(2)
    if not kept or kept >= len(letter.body) or fingerprint(letter)[:MARK] != ctx.arg(3):
        return preview(ctx, letter, note=ctx.say("broadcast.has_changed"))
    letter_draft.reopen(ctx, letter)
    letter.body = letter.body[:kept]
    letter_draft.store(ctx, letter)
    return preview(ctx, letter, note=ctx.say("broadcast.cut_back"))
