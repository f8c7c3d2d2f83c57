"""How somebody agrees to be told on a card that something waits, on a channel that has cards."""

from __future__ import annotations

from db import consents
from handlers.conversation import Button, Context, Reply


def offered(ctx: Context) -> tuple[Button, ...]:
    """The step to it, where there is anything to agree to."""
    if not ctx.cards_page:
        return ()
    return (Button(ctx.say("letters.cards"), "letters:cards"),)


def card_consent(ctx: Context) -> Reply:
    """`letters:cards`: where the button is, and how many times this chat has agreed."""
    if not ctx.cards_page:
        return Reply(ctx.say("letters.cards_not_here"), back="letters")
    here = (ctx.who.channel, ctx.who.address)
    count = sum(consents.counts(ctx.session, here[0], [here[1]]).values())
    return Reply(ctx.say("letters.cards_how", address=ctx.cards_page, count=count), back="letters")
