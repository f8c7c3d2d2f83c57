"""The wisher's answer: it has come true (only then points are booked), not yet, and a look at the report."""

from __future__ import annotations

from collections.abc import Callable

from db import ledger, members, wish_claims
from db.wish_claims import ANSWER_WITHIN, Claimed
from handlers.conversation import Button, Context, Picture, Reply
from notices import wish_notes
from scoring.standing import pay

RULE = "PP3"


def settle(ctx: Context, claimed: Claimed) -> bool:
    """Close a wish that has come true, book the claimer's points and tell. False when it was closed before."""
    claim, wish = claimed
    if not wish_claims.confirm(ctx.session, claimed, now=ctx.now):
        return False
    due = pay(RULE, ctx.today)
    if due is not None:
        branch = members.branch_of(ctx.session, claim.member_id, ctx.today)
        ledger.book(
            ctx.session,
            member_id=claim.member_id,
            organization_id=branch.id if branch else None,
            rule_id=RULE,
            terms_from=due.terms_from,
            cause=f"wish:{wish.id}",
            points=due.points,
            day=ctx.today,
            reason=wish.title,
            booked_at=ctx.now,
        )
    wish_notes.confirmed(ctx.session, claimed, ctx.now, due.points if due else 0)
    return True


def _asked(ctx: Context) -> Claimed | None:
    """The claim on one of the member's own wishes that the argument names."""
    claimed = wish_claims.by_id(ctx.session, ctx.arg_id(1))
    return claimed if claimed and claimed.wish.wisher_id == ctx.me else None


def _yes(ctx: Context) -> Reply:
    claimed = _asked(ctx)
    if claimed is None:
        return _nothing(ctx)
    if not settle(ctx, claimed):
        return _as_it_is(ctx, claimed)
    make = Button(ctx.say("wishes.make"), "wishes:new")
    return Reply(ctx.say("wishes.thanks", title=claimed.wish.title), (make,), back="wishes:own")


def _no(ctx: Context) -> Reply:
    claimed = _asked(ctx)
    if claimed is None:
        return _nothing(ctx)
    if not wish_claims.reopen(ctx.session, claimed, until=ctx.now + ANSWER_WITHIN):
        return _as_it_is(ctx, claimed)
    wish_notes.reopened(ctx.session, claimed, ctx.now)
    secretary = Button(ctx.say("menu.find_secretary"), "find_secretary")
    return Reply(ctx.say("wishes.not_yet_noted", title=claimed.wish.title), (secretary,), back="wishes:own")


def _as_it_is(ctx: Context, claimed: Claimed) -> Reply:
    """An old button: how the wish stands now, with a way to look closer."""
    claim, wish = claimed
    state = wish.state if claim.state != "released" else "released"
    see = Button(ctx.say("wishes.see_it"), f"wishes:own:{wish.id}")
    return Reply(ctx.say(f"wishes.answered_{state}", title=wish.title), (see,), back="wishes:own")


def _nothing(ctx: Context) -> Reply:
    return Reply(ctx.say("wishes.unknown"), (Button(ctx.say("wishes.own"), "wishes:own"),), back="wishes")


def _report_of(ctx: Context) -> Reply:
    claimed = _asked(ctx)
    if claimed is None or claimed.claim.state not in ("delivered", "closed"):
        return _nothing(ctx)
    reply = report(ctx, claimed)
    if claimed.claim.state == "closed":
        return reply
    buttons = (
        Button(ctx.say("wishes.yes"), f"wishes:yes:{claimed.claim.id}"),
        Button(ctx.say("wishes.not_yet"), f"wishes:no:{claimed.claim.id}"),
    )
    return Reply(reply.text, buttons, reply.picture, back="wishes:own")


def report(ctx: Context, claimed: Claimed) -> Reply:
    """The report of done: its words and its picture, for those who may see it."""
    claim, wish = claimed
    words = claim.report or ctx.say("wishes.with_picture")
    text = ctx.say("wishes.report_is", title=wish.title, words=words)
    picture = None
    if claim.picture_id is not None:
        picture = Picture("stored", {"id": claim.picture_id}, ctx.say("wishes.picture_alt", title=wish.title))
    return Reply(text, picture=picture, back="wishes:own")


STEPS: dict[str, Callable[[Context], Reply]] = {"yes": _yes, "no": _no, "report_of": _report_of}
