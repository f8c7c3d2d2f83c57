"""One declaration on the screen: its words, its proof, and beside it what the service itself saw."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from db import activities, members
from db.declarations import Declaration
from db.organizations import Organization
from handlers.conversation import Context, Picture
from handlers.dates import said_day
from notices.declarations import said_thing, thing
from notices.declared_words import said_day as said_date
from scoring.declaring import Due

DAYS_SHOWN_MAX = 6


def picture_of(ctx: Context, picture_id: int | None) -> Picture | None:
    """The proof as a picture; None where there is none. Ask for the right to see it before."""
    if picture_id is None:
        return None
    return Picture("stored", {"id": picture_id}, ctx.say("declarations.picture_alt"))


def service_saw(ctx: Context, branch: Organization, due: Due) -> str:
    """What the service saw of meetings in the period: on which days they were held; empty where it cannot see."""
    if not due.what.seen_kinds or branch.id is None:
        return ""
    begin = datetime.combine(due.period.first, time(), ctx.zone)
    end = datetime.combine(due.period.last + timedelta(days=1), time(), ctx.zone)
    days = sorted(
        {
            one.starts_at.astimezone(ctx.zone).date()
            for one in activities.happened(ctx.session, begin, end, [branch.id])
            if set(one.kinds.split(";")) & set(due.what.seen_kinds)
            and 2 * (one.attended or 0) >= (one.should_attend or 0) > 0
        }
    )
    if not days:
        return ctx.say("declarations.saw_none")
    shown = ctx.say("declarations.comma").join(said_date(ctx.say, day) for day in days[:DAYS_SHOWN_MAX])
    return ctx.say("declarations.saw", count=len(days), days=shown)


def shown(ctx: Context, branch: Organization, row: Declaration) -> list[str]:
    """The lines of one declaration for somebody in charge of it."""
    declarer = members.get(ctx.session, row.declared_by).name
    lines = [said_thing(ctx.say, branch, row)]
    lines.append(
        ctx.say(
            "declarations.by",
            who=declarer if ctx.names_allowed else ctx.say("declarations.the_secretary"),
            day=said_day(ctx, row.declared_at),
            version=row.version,
        )
    )
    if row.note:
        lines.append(ctx.say("declarations.note_is", note=row.note))
    if row.picture_id is None:
        lines.append(ctx.say("declarations.no_picture"))
    return lines


def told(ctx: Context, branch: Organization, row: Declaration, first: str = "") -> list[str]:
    """What somebody who checks reads: whose it is, what it says, and what the service saw itself."""
    due = thing(branch, row)
    lines = [first, ctx.say("declaration_review.from", branch=branch.name), *shown(ctx, branch, row)]
    return [line for line in (*lines, service_saw(ctx, branch, due) if due else "") if line]
