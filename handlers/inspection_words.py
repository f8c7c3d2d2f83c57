"""How an inspection is shown in a chat: a line of a list, and the whole of it for those who may see it."""

from __future__ import annotations

from datetime import timedelta

from db import inspections, members, organizations
from db.inspections import Inspection
from db.rectifications import Rectification
from handlers.conversation import Context, Picture, Reply
from handlers.dates import said_day
from handlers.inspection_draft import picture
from notices.said_inspections import said_date, said_period, said_result, said_title
from scoring.inspected import item_on


def line(ctx: Context, inspection: Inspection) -> str:
    """Branch and item, for a button or a list."""
    branch = organizations.get(ctx.session, inspection.organization_id)
    return ctx.say("inspections.line", branch=branch.name, title=said_title(ctx.say, inspection))


def whole(ctx: Context, inspection: Inspection, *, inside: bool) -> str:
    """What was found, and how it stands. inside: for the inspecting side, which may know who came covertly."""
    say = ctx.say
    branch = organizations.get(ctx.session, inspection.organization_id)
    item = item_on(inspection.item_id, inspection.day)
    text = say(
        "inspections.whole",
        branch=branch.name,
        title=said_title(say, inspection),
        result=said_result(say, item, inspection.value),
        day=said_date(say, inspection.day),
        place=inspection.place,
        who=_who(ctx, inspection, inside=inside),
        note=inspection.note or say("inspections.nothing"),
    )
    return f"{text}\n{state(ctx, inspection)}"


def _who(ctx: Context, inspection: Inspection, *, inside: bool) -> str:
    visit = ctx.say(f"inspections.visit_{inspection.visit}")
    if not ctx.names_allowed or (inspection.visit == "covert" and not inside):
        return visit
    name = members.get(ctx.session, inspection.inspector_id).name
    return ctx.say("inspections.visit_by", visit=visit, name=name)


def state(ctx: Context, inspection: Inspection) -> str:
    """How the finding stands, in one sentence."""
    name, when = inspection.state, inspection.appeal_until
    if name == "noticed" and inspections.is_ready(inspection, ctx.now):
        name = "ready"
    return ctx.say(
        f"inspections.is_{name}",
        until=said_day(ctx, when - timedelta(seconds=1)) if when else "",  # the last day counts in full
        to=said_period(ctx.say, inspection.posted_to),
        why=inspection.ended_reason,
    )


def card_state(ctx: Context, card: Rectification) -> str:
    """How the rectification stands, in one sentence."""
    name = card.state
    if name == "open":
        name = "overdue" if card.due_on < ctx.today else "sent_back" if card.sent_back_reason else "open"
    return ctx.say(
        f"rectify.is_{name}",
        due=said_date(ctx.say, card.due_on),
        days=(card.due_on - ctx.today).days,
        why=card.sent_back_reason,
        day=said_day(ctx, card.closed_at),
    )


def photo(ctx: Context, inspection: Inspection) -> Picture | None:
    """The picture of the finding, over channels on which it may be shown."""
    return picture(ctx, inspection.picture_id)


def typed(ctx: Context) -> str:
    """What was typed behind the id, as one line."""
    return " ".join(" ".join(ctx.args[2:]).split())


def reason_problem(ctx: Context, words: str, least: int, most: int) -> str | None:
    """Why the words are no reason: an empty text when there are none yet, None when they are one."""
    if not words:
        return ""
    if sum(letter.isalnum() for letter in words) < least:
        return ctx.say("inspections.reason_short", least=least)
    return ctx.say("inspections.reason_long", most=most) if len(words) > most else None


def ask_reason(ctx: Context, name: str, problem: str, action: str, back: str) -> Reply:
    """Ask for the reason of `action`, which then takes it."""
    asked = ctx.say(f"inspections.{name}")
    return Reply(f"{problem}\n{asked}" if problem else asked, expect=action, back=back)
