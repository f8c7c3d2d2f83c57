"""Posting what inspections found, after a look at it; posting a delay; and taking a posting back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from db import audit, inspections, negatives, organizations, rectifications
from db.inspections import Inspection
from db.rectifications import Rectification
from handlers import inspection_words
from handlers.conversation import Button, Context, Reply
from notices import inspections as notes
from notices.said_inspections import said_date, said_item, said_period
from scoring import inspected
from scoring.inspected import OVERDUE_ITEM, Place, item_on
from scoring.items import Indicator

HOME = "inspection_review"
SHOWN_MAX = 7
REASON_MIN, REASON_MAX = 4, 200  # characters


def is_district(ctx: Context, inspection: Inspection | None = None) -> bool:
    """Whether this person belongs to the district organisation department (above the inspected branch)."""
    nodes = [node.path for role, node in ctx.roles() if role == "district_org_department"]
    if inspection is None:
        return bool(nodes)
    path = organizations.get(ctx.session, inspection.organization_id).path
    return any(path.startswith(one) for one in nodes)


def _ready(ctx: Context, paths: list[str]) -> Reply:
    found = inspections.listed(ctx.session, paths, "ready", ctx.now, SHOWN_MAX)
    buttons = [Button(inspection_words.line(ctx, one), f"{HOME}:post:{one.id}") for one, _ in found]
    name = "ready_wait" if buttons else "none_ready"
    return Reply(ctx.say(f"inspections.{name}"), tuple(buttons), back=HOME)


def _posted(ctx: Context, paths: list[str]) -> Reply:
    if not is_district(ctx):
        return Reply(ctx.say("inspections.only_district"), back=HOME)
    found = inspections.listed(ctx.session, paths, "posted", ctx.now, SHOWN_MAX)
    buttons = [Button(inspection_words.line(ctx, one), f"{HOME}:correct:{one.id}") for one, _ in found]
    name = "posted_are" if buttons else "none_posted"
    return Reply(ctx.say(f"inspections.{name}"), tuple(buttons), back=HOME)


def _overdue(ctx: Context, paths: list[str]) -> Reply:
    found = rectifications.overdue_under(ctx.session, paths, SHOWN_MAX)
    if not found:
        return Reply(ctx.say("inspections.none_overdue"), back=HOME)
    lines = [ctx.say("inspections.overdue_are")]
    for number, (card, inspection, _) in enumerate(found, 1):
        lines.append(
            f"{number}. {inspection_words.line(ctx, inspection)}。{inspection_words.card_state(ctx, card)}"
        )
    numbered = enumerate(found if is_district(ctx) else (), 1)
    buttons = [
        Button(ctx.say("inspections.choice", number=number), f"{HOME}:late:{one.id}")
        for number, (_, one, _) in numbered
    ]
    return Reply("\n".join(lines), tuple(buttons), back=HOME)


def _where(ctx: Context, inspection: Inspection, at: Place) -> str:
    """`记到 2026 年第 2 季度`, and why when it is not the period of the fact."""
    item = item_on(inspection.item_id, inspection.day)
    to = said_period(ctx.say, at.period) if isinstance(item, Indicator) else said_date(ctx.say, at.day)
    return ctx.say("inspections.goes_to_later" if at.moved else "inspections.goes_to", to=to)


def _post(ctx: Context, inspection: Inspection) -> Reply:
    """`post:ID`: everything once more, and where it will count."""
    if not inspections.is_ready(inspection, ctx.now):
        return Reply(inspection_words.state(ctx, inspection), back=f"{HOME}:ready")
    if inspection.inspector_id == ctx.me:
        return Reply(ctx.say("inspections.own_inspection"), back=f"{HOME}:ready")
    item = item_on(inspection.item_id, inspection.day)
    at = inspected.place(ctx.session, item, inspection.day, ctx.today)
    text = f"{inspection_words.whole(ctx, inspection, inside=True)}\n{_where(ctx, inspection, at)}"
    buttons = (
        Button(ctx.say("inspections.post"), f"{HOME}:post_yes:{inspection.id}"),
        Button(ctx.say("inspections.refuse"), f"{HOME}:refuse:{inspection.id}"),
    )
    return Reply(text, buttons, inspection_words.photo(ctx, inspection), back=f"{HOME}:ready")


def _post_yes(ctx: Context, inspection: Inspection) -> Reply:
    assert inspection.id is not None
    item = item_on(inspection.item_id, inspection.day)
    at = inspected.hold_place(ctx.session, item, inspection.day, ctx.today)
    posted_to = at.period if isinstance(item, Indicator) else at.day.isoformat()
    if not inspections.mark_posted(ctx.session, inspection.id, member_id=ctx.me, now=ctx.now, posted_to=posted_to):
        return _post(ctx, inspections.by_id(ctx.session, inspection.id) or inspection)
    inspected.post(ctx.session, inspection, at, member_id=ctx.me, now=ctx.now)
    _log(ctx, inspection, "inspection.posted", to=posted_to, item=inspection.item_id, value=inspection.value)
    notes.posted(ctx.session, inspection, ctx.now, ctx.today)
    text = ctx.say("inspections.posted", line=inspection_words.line(ctx, inspection))
    return Reply(f"{text}\n{_where(ctx, inspection, at)}", (_more(ctx),), back=HOME)


def _more(ctx: Context) -> Button:
    return Button(ctx.say("inspections.list_ready"), f"{HOME}:ready")


def _refuse(ctx: Context, inspection: Inspection) -> Reply:
    """`refuse:ID`, then the reason: it will not count."""
    assert inspection.id is not None
    if not inspections.is_ready(inspection, ctx.now) or inspection.inspector_id == ctx.me:
        return _post(ctx, inspection)
    why = inspection_words.typed(ctx)
    problem = inspection_words.reason_problem(ctx, why, REASON_MIN, REASON_MAX)
    if problem is not None:
        action, back = f"{HOME}:refuse:{inspection.id}", f"{HOME}:post:{inspection.id}"
        return inspection_words.ask_reason(ctx, "why_refuse", problem, action, back)
    if not inspections.refuse(ctx.session, inspection.id, member_id=ctx.me, now=ctx.now, reason=why):
        return _post(ctx, inspections.by_id(ctx.session, inspection.id) or inspection)
    rectifications.drop(ctx.session, inspection.id)
    _log(ctx, inspection, "inspection.refused", why=why)
    notes.refused(ctx.session, inspection, ctx.now, ctx.today, why)
    return Reply(ctx.say("inspections.refused"), (_more(ctx),), back=HOME)


def _correct(ctx: Context, inspection: Inspection) -> Reply:
    """`correct:ID`, then the reason: an opposite line, or the value that counted before."""
    assert inspection.id is not None
    if not is_district(ctx, inspection):
        return Reply(ctx.say("inspections.only_district"), back=HOME)
    if inspection.state != "posted":
        return Reply(inspection_words.state(ctx, inspection), back=f"{HOME}:posted")
    why = inspection_words.typed(ctx)
    problem = inspection_words.reason_problem(ctx, why, REASON_MIN, REASON_MAX)
    if problem is not None:
        shown = f"{inspection_words.whole(ctx, inspection, inside=True)}\n{problem}".strip()
        action, back = f"{HOME}:correct:{inspection.id}", f"{HOME}:posted"
        return inspection_words.ask_reason(ctx, "why_correct", shown, action, back)
    if not inspections.mark_corrected(ctx.session, inspection.id, member_id=ctx.me, now=ctx.now, reason=why):
        return Reply(ctx.say("inspections.decided_before"), back=f"{HOME}:posted")
    inspected.take_back(ctx.session, inspection, member_id=ctx.me, now=ctx.now, reason=why)
    rectifications.drop(ctx.session, inspection.id)
    _take_delay_back(ctx, inspection, why)
    _log(ctx, inspection, "inspection.corrected", why=why)
    notes.corrected(ctx.session, inspection, ctx.now, ctx.today, why)
    return Reply(ctx.say("inspections.corrected"), back=f"{HOME}:posted")


def _take_delay_back(ctx: Context, inspection: Inspection, why: str) -> None:
    """Without a finding nothing was late."""
    negatives.take_back(
        ctx.session,
        organization_id=inspection.organization_id,
        item_id=OVERDUE_ITEM,
        cause=late_cause(inspection),
        note=why,
        recorded_by=ctx.me,
        recorded_at=ctx.now,
    )


# A delay


def late_cause(inspection: Inspection) -> str:
    """The cause of the line that posts the delay."""
    return f"rectification:{inspection.id}"


def _late_card(ctx: Context, inspection: Inspection) -> Rectification | None:
    """The overdue card whose delay can still be posted by this person."""
    card = rectifications.of_inspection(ctx.session, inspection.id)
    if card is None or card.overdue_at is None or card.overdue_posted_by is not None or card.state == "dropped":
        return None
    return card if inspection.state == "posted" and is_district(ctx, inspection) else None


def _late(ctx: Context, inspection: Inspection) -> Reply:
    """`late:ID`: what posting the delay would do."""
    card = _late_card(ctx, inspection)
    if card is None:
        return Reply(ctx.say("inspections.not_late"), back=f"{HOME}:overdue")
    item = item_on(OVERDUE_ITEM, ctx.today)
    at = inspected.place(ctx.session, item, card.due_on + timedelta(days=1), ctx.today)
    text = ctx.say(
        "inspections.late_preview",
        line=inspection_words.line(ctx, inspection),
        state=inspection_words.card_state(ctx, card),
        title=said_item(ctx.say, item),
        day=said_date(ctx.say, at.day),
    )
    yes = Button(ctx.say("inspections.post_late"), f"{HOME}:late_yes:{inspection.id}")
    return Reply(text, (yes,), back=f"{HOME}:overdue")


def _late_yes(ctx: Context, inspection: Inspection) -> Reply:
    assert inspection.id is not None
    card = _late_card(ctx, inspection)
    if card is None or not rectifications.mark_overdue_posted(ctx.session, inspection.id, ctx.me):
        return Reply(ctx.say("inspections.not_late"), back=f"{HOME}:overdue")
    item = item_on(OVERDUE_ITEM, ctx.today)
    at = inspected.hold_place(ctx.session, item, card.due_on + timedelta(days=1), ctx.today)
    negatives.post(
        ctx.session,
        organization_id=inspection.organization_id,
        item_id=OVERDUE_ITEM,
        day=at.day,
        count=1,
        cause=late_cause(inspection),
        recorded_by=ctx.me,
        recorded_at=ctx.now,
    )
    _log(ctx, inspection, "rectification.overdue_posted", day=at.day.isoformat())
    return Reply(ctx.say("inspections.late_posted", day=said_date(ctx.say, at.day)), back=f"{HOME}:overdue")


def _log(ctx: Context, inspection: Inspection, action: str, **detail: object) -> None:
    subject = f"inspection:{inspection.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=subject, **detail)


LISTS: Mapping[str, Callable[[Context, list[str]], Reply]] = {
    "ready": _ready,
    "posted": _posted,
    "overdue": _overdue,
}
STEPS: Mapping[str, Callable[[Context, Inspection], Reply]] = {
    "post": _post,
    "post_yes": _post_yes,
    "refuse": _refuse,
    "correct": _correct,
    "late": _late,
    "late_yes": _late_yes,
}
