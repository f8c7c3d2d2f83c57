"""How a follower on WeChat agrees to be told on a card that something waits."""

from __future__ import annotations

from db import consents
from handlers.conversation import Button, Context, Reply


def offered(ctx: Context) -> tuple[Button, ...]:
    """The step to it, where there is anything to agree to."""
    if not _is_open(ctx):
        return ()
    return (Button(ctx.say("letters.cards"), "letters:cards"),)


def card_consent(ctx: Context) -> Reply:
    """`letters:cards`: where the button is, and how many times this chat has agreed."""
    if not _is_open(ctx):
        return Reply(ctx.say("letters.cards_not_here"), back="letters")
    here = (ctx.who.channel, ctx.who.address)
    count = sum(consents.counts(ctx.session, here[0], [here[1]]).values())
    return Reply(ctx.say("letters.cards_how", address=ctx.cards_page, count=count), back="letters")


def _is_open(ctx: Context) -> bool:
    return bool(ctx.cards_page) and ctx.who.channel == "wechat"
