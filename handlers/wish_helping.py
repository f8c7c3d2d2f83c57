"""What a claimer does: note the contact, take more time once, report it done, or give it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from db import wish_claims
from db.wish_claims import EXTEND_BY, Claimed
from handlers.conversation import Button, Context, Reply
from handlers.dates import said_day
from notices import wish_notes

REPORT_MIN, REPORT_MAX = 4, 200  # characters of a report without a picture


def mine(ctx: Context, *, first: str = "") -> Reply:
    """The member's claims that are alive, or the one that was asked for."""
    if ctx.arg() == "mine" and ctx.arg(1):
        claimed = _asked_for(ctx)
        return one(ctx, claimed) if claimed else _unknown(ctx)
    found = wish_claims.of_member(ctx.session, ctx.me)
    lines = [first] if first else []
    lines.append(ctx.say("wishes.mine_list" if found else "wishes.mine_none"))
    buttons = tuple(Button(_line(ctx, each), f"wishes:mine:{each.claim.id}") for each in found)
    if not found:
        buttons = (Button(ctx.say("wishes.others"), "wishes"),)
    return Reply("\n".join(lines), buttons, back="wishes")


def _line(ctx: Context, claimed: Claimed) -> str:
    claim, wish = claimed
    return ctx.say(f"wishes.mine_{claim.state}", title=wish.title, until=said_day(ctx, claim.due_at))


def _asked_for(ctx: Context) -> Claimed | None:
    """The claim of the member that the first argument names; anybody else's is as unknown as none."""
    claimed = wish_claims.by_id(ctx.session, ctx.arg_id(1))
    return claimed if claimed and claimed.claim.member_id == ctx.me else None


def _unknown(ctx: Context) -> Reply:
    ctx.args = ()
    return mine(ctx, first=ctx.say("wishes.claim_unknown"))


def one(ctx: Context, claimed: Claimed, *, first: str = "") -> Reply:
    """How one claim stands, and what can be done with it now."""
    claim, wish = claimed
    say = ctx.say
    said = say(f"wishes.claim_{claim.state}", title=wish.title, until=said_day(ctx, claim.due_at))
    buttons: list[Button] = []
    if claim.state == "live":
        buttons.append(Button(say("wishes.done"), f"wishes:done:{claim.id}"))
        if claim.contacted_at is None:
            buttons.append(Button(say("wishes.contacted"), f"wishes:contacted:{claim.id}"))
        if claim.extended_at is None:
            buttons.append(Button(say("wishes.extend", days=EXTEND_BY.days), f"wishes:extend:{claim.id}"))
        buttons.append(Button(say("wishes.give_back"), f"wishes:release:{claim.id}"))
    else:
        buttons.append(Button(say("wishes.others"), "wishes"))
    return Reply(f"{first}\n{said}" if first else said, tuple(buttons), back="wishes:mine")


def _step(act: Callable[[Context, Claimed], str | None]) -> Callable[[Context], Reply]:
    """A step on one's own claim: `act` gives the line that says what was done, None when nothing was to do."""

    def run(ctx: Context) -> Reply:
        claimed = _asked_for(ctx)
        if claimed is None:
            return _unknown(ctx)
        first = act(ctx, claimed) or ""
        return one(ctx, wish_claims.by_id(ctx.session, claimed.claim.id) or claimed, first=first)

    return run


def _contacted(ctx: Context, claimed: Claimed) -> str | None:
    assert claimed.claim.id is not None
    noted = wish_claims.contacted(ctx.session, claimed.claim.id, ctx.me, ctx.now)
    return ctx.say("wishes.contact_noted") if noted else None


def _extend(ctx: Context, claimed: Claimed) -> str | None:
    claim = claimed.claim
    assert claim.id is not None
    until: datetime = claim.due_at + EXTEND_BY
    if wish_claims.extend(ctx.session, claim.id, ctx.me, ctx.now, until):
        return ctx.say("wishes.extended", until=said_day(ctx, until))
    return ctx.say("wishes.extended_before") if claim.state == "live" else None


def _release(ctx: Context) -> Reply:
    claimed = _asked_for(ctx)
    if claimed is None:
        return _unknown(ctx)
    if not wish_claims.release(ctx.session, claimed, now=ctx.now):
        return one(ctx, claimed)
    wish_notes.released(ctx.session, claimed, ctx.now)
    claim_again = Button(ctx.say("wishes.claim_again"), f"wishes:claim:{claimed.wish.id}")
    return Reply(ctx.say("wishes.given_back", title=claimed.wish.title), (claim_again,), back="wishes")


def _done(ctx: Context) -> Reply:
    """Ask for the picture, or for a few words where none is possible."""
    claimed = _asked_for(ctx)
    if claimed is None:
        return _unknown(ctx)
    if claimed.claim.state != "live":
        return one(ctx, claimed)
    return _ask_report(ctx, claimed)


def _ask_report(ctx: Context, claimed: Claimed, first: str = "") -> Reply:
    asked = ctx.say("wishes.ask_report", title=claimed.wish.title)
    claim_id = claimed.claim.id
    return Reply(
        f"{first}\n{asked}" if first else asked, expect=f"wishes:report:{claim_id}", back=f"wishes:mine:{claim_id}"
    )


def _report(ctx: Context) -> Reply:
    claimed = _asked_for(ctx)
    if claimed is None:
        return _unknown(ctx)
    if claimed.claim.state != "live":
        return one(ctx, claimed)
    words = " ".join(" ".join(ctx.args[2:]).split())
    if ctx.picture_id is None and len(words) < REPORT_MIN:
        return _ask_report(ctx, claimed, ctx.say("wishes.report_short"))
    if len(words) > REPORT_MAX:
        return _ask_report(ctx, claimed, ctx.say("wishes.report_long", most=REPORT_MAX))
    if wish_claims.deliver(ctx.session, claimed, now=ctx.now, report=words, picture_id=ctx.picture_id):
        wish_notes.delivered(ctx.session, claimed, ctx.now)
        others = Button(ctx.say("wishes.others"), "wishes")
        return Reply(ctx.say("wishes.reported", title=claimed.wish.title), (others,), back="wishes")
    return one(ctx, wish_claims.by_id(ctx.session, claimed.claim.id) or claimed)


STEPS: dict[str, Callable[[Context], Reply]] = {
    "mine": mine,
    "contacted": _step(_contacted),
    "extend": _step(_extend),
    "release": _release,
    "done": _done,
    "report": _report,
}
