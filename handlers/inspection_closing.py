"""Looking at what a branch has put right: accept it, or send it back with a reason.

Used by the inspector, and by a reviewer when the inspector is gone. `home` is the command of whoever looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from db import audit, rectifications
from db.inspections import Inspection
from handlers import inspection_words
from handlers.conversation import Button, Context, Reply
from handlers.inspection_draft import picture
from notices import inspections as notes
from notices.inspection_terms import due_again, next_step

REASON_MIN, REASON_MAX = 2, 200  # characters


def listed(ctx: Context, found: Sequence[Inspection], home: str) -> Reply:
    """What waits to be looked at."""
    buttons = [Button(inspection_words.line(ctx, one), f"{home}:closing:{one.id}") for one in found]
    text = ctx.say("inspections.to_look_at" if buttons else "inspections.nothing_to_look_at")
    return Reply(text, tuple(buttons), back=home)


def _closing(ctx: Context, inspection: Inspection, home: str) -> Reply:
    card = rectifications.of_inspection(ctx.session, inspection.id)
    if card is None or card.state != "handed_in":
        return Reply(ctx.say("inspections.nothing_handed_in"), back=home)
    say = ctx.say
    text = say("inspections.closing", line=inspection_words.line(ctx, inspection), words=card.words)
    buttons = (
        Button(say("inspections.accept"), f"{home}:accept:{inspection.id}"),
        Button(say("inspections.send_back"), f"{home}:send_back:{inspection.id}"),
    )
    return Reply(text, buttons, picture(ctx, card.picture_id), back=home)


def _accept(ctx: Context, inspection: Inspection, home: str) -> Reply:
    assert inspection.id is not None
    if not rectifications.accept(ctx.session, inspection.id, member_id=ctx.me, now=ctx.now):
        return Reply(ctx.say("inspections.nothing_handed_in"), back=home)
    return _looked_at(ctx, inspection, home, "accepted")


def _send_back(ctx: Context, inspection: Inspection, home: str) -> Reply:
    """`send_back:ID`, then the reason."""
    assert inspection.id is not None
    card = rectifications.of_inspection(ctx.session, inspection.id)
    if card is None or card.state != "handed_in":
        return Reply(ctx.say("inspections.nothing_handed_in"), back=home)
    why = inspection_words.typed(ctx)
    problem = inspection_words.reason_problem(ctx, why, REASON_MIN, REASON_MAX)
    if problem is not None:
        action, back = f"{home}:send_back:{inspection.id}", f"{home}:closing:{inspection.id}"
        return inspection_words.ask_reason(ctx, "why_send_back", problem, action, back)
    due = due_again(card.due_on, ctx.today)
    step_on = next_step(due, ctx.today)
    assert step_on is not None, "the deadline is not over"
    if not rectifications.send_back(
        ctx.session, inspection.id, reason=why, now=ctx.now, due_on=due, step_on=step_on
    ):
        return Reply(ctx.say("inspections.nothing_handed_in"), back=home)
    return _looked_at(ctx, inspection, home, "sent_back", why=why)


def _looked_at(ctx: Context, inspection: Inspection, home: str, name: str, **detail: str) -> Reply:
    card = rectifications.of_inspection(ctx.session, inspection.id)
    assert card is not None
    subject = f"inspection:{inspection.id}"
    action = f"rectification.{name}"
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=action,
        subject=subject,
        picture=card.picture_id,
        words=card.words,
        **detail,
    )
    notes.looked_at(ctx.session, card, inspection, ctx.now, ctx.today)
    return Reply(ctx.say(f"inspections.{name}"), back=home)


STEPS: Mapping[str, Callable[[Context, Inspection, str], Reply]] = {
    "closing": _closing,
    "accept": _accept,
    "send_back": _send_back,
}
