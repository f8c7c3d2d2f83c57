"""What reviewers decide about inspections: appeals, postings, and closings when the inspector is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from db import audit, inspections, organizations, rectifications
from db.inspections import Inspection
from db.organizations import Organization
from handlers import inspection_closing, inspection_posting, inspection_words
from handlers.conversation import Button, Command, Context, Reply
from handlers.inspection_draft import picture
from notices import inspections as notes
from notices.inspection_terms import due_again, next_step

ROLES = ("committee_reviewer", "district_org_department")
SHOWN_MAX = 7
REASON_MIN, REASON_MAX = 4, 200  # characters
HOME = "inspection_review"


def review(ctx: Context) -> Reply:
    """`检查审核`, or one of its steps."""
    lists = {"appealed": _appealed, "handed_in": _handed_in, **inspection_posting.LISTS}
    if ctx.arg() in lists:
        return lists[ctx.arg()](ctx, _paths(ctx))
    step = STEPS.get(ctx.arg())
    if step is None:
        return _home(ctx)
    inspection = _asked(ctx)
    if inspection is None:
        return Reply(ctx.say("inspections.unknown"), (Button(ctx.say("inspections.review"), HOME),))
    return step(ctx, inspection)


def _paths(ctx: Context) -> list[str]:
    return [node.path for role, node in ctx.roles() if role in ROLES]


def _asked(ctx: Context) -> Inspection | None:
    """The inspection that the argument names, within the own subtrees."""
    inspection = inspections.by_id(ctx.session, ctx.arg_id(1))
    if inspection is None:
        return None
    path = organizations.get(ctx.session, inspection.organization_id).path
    return inspection if any(path.startswith(one) for one in _paths(ctx)) else None


def _home(ctx: Context) -> Reply:
    names = ["appealed", "ready", "handed_in"]
    if inspection_posting.is_district(ctx):
        names += ["overdue", "posted"]
    buttons = tuple(Button(ctx.say(f"inspections.list_{name}"), f"{HOME}:{name}") for name in names)
    return Reply(ctx.say("inspections.review_home"), buttons)


def _appealed(ctx: Context, paths: list[str]) -> Reply:
    found = inspections.listed(ctx.session, paths, "appealed", ctx.now, SHOWN_MAX)
    buttons = [Button(inspection_words.line(ctx, one), f"{HOME}:see:{one.id}") for one, _ in found]
    name = "appeals_wait" if buttons else "no_appeals"
    return Reply(ctx.say(f"inspections.{name}"), tuple(buttons), back=HOME)


def _handed_in(ctx: Context, paths: list[str]) -> Reply:
    """What branches handed in to inspectors who are gone, as far as this person may look at it."""
    cards = rectifications.handed_in_under(ctx.session, paths, 10 * SHOWN_MAX)
    found = [one for _, one, branch in cards if _looks(ctx, one, branch)]
    return inspection_closing.listed(ctx, found[:SHOWN_MAX], HOME)


def _looks(ctx: Context, inspection: Inspection, branch: Organization) -> bool:
    return inspection.inspector_id != ctx.me and ctx.me in notes.lookers(
        ctx.session, inspection, branch, ctx.today
    )


def _decides(ctx: Context, inspection: Inspection) -> bool:
    branch = organizations.get(ctx.session, inspection.organization_id)
    return ctx.me in notes.deciders(ctx.session, inspection, branch, ctx.today)


def _see(ctx: Context, inspection: Inspection) -> Reply:
    """The finding, and the appeal beside it."""
    assert inspection.id is not None
    say = ctx.say
    text = inspection_words.whole(ctx, inspection, inside=True)
    appeal = inspections.appeal_of(ctx.session, inspection.id)
    buttons: list[Button] = []
    shown = inspection_words.photo(ctx, inspection)
    if appeal is not None:
        text = f"{text}\n{say('inspections.appeal_says', reason=appeal.reason)}"
        if appeal.picture_id is not None and ctx.names_allowed:
            buttons.append(Button(say("inspections.appeal_picture"), f"{HOME}:appeal_picture:{inspection.id}"))
    if inspection.state == "appealed" and _decides(ctx, inspection):
        buttons.append(Button(say("inspections.uphold"), f"{HOME}:uphold:{inspection.id}"))
        buttons.append(Button(say("inspections.dismiss"), f"{HOME}:dismiss:{inspection.id}"))
    elif inspection.state == "appealed":
        text = f"{text}\n{say('inspections.not_yours')}"
    return Reply(text, tuple(buttons), shown, back=f"{HOME}:appealed")


def _appeal_picture(ctx: Context, inspection: Inspection) -> Reply:
    assert inspection.id is not None
    appeal = inspections.appeal_of(ctx.session, inspection.id)
    if appeal is None:
        return _see(ctx, inspection)
    text = ctx.say("inspections.appeal_says", reason=appeal.reason)
    return Reply(text, picture=picture(ctx, appeal.picture_id), back=f"{HOME}:see:{inspection.id}")


def _decide(ctx: Context, inspection: Inspection) -> Reply:
    """`uphold:ID` or `dismiss:ID`, then the reason."""
    assert inspection.id is not None
    if inspection.state != "appealed" or not _decides(ctx, inspection):
        return _see(ctx, inspection)
    upheld = ctx.arg() == "uphold"
    why = inspection_words.typed(ctx)
    problem = inspection_words.reason_problem(ctx, why, REASON_MIN, REASON_MAX)
    if problem is not None:
        action, back = f"{HOME}:{ctx.arg()}:{inspection.id}", f"{HOME}:see:{inspection.id}"
        name = "why_uphold" if upheld else "why_dismiss"
        return inspection_words.ask_reason(ctx, name, problem, action, back)
    done = inspections.decide(
        ctx.session, inspection.id, upheld=upheld, member_id=ctx.me, decision=why, now=ctx.now
    )
    if not done:
        return Reply(ctx.say("inspections.decided_before"), back=f"{HOME}:appealed")
    if upheld:
        _give_time(ctx, inspection)
    else:
        rectifications.drop(ctx.session, inspection.id)
    name = "upheld" if upheld else "dismissed"
    subject, action = f"inspection:{inspection.id}", f"inspection.appeal_{name}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=subject, why=why)
    notes.decided(ctx.session, inspection, ctx.now, ctx.today, why, upheld=upheld)
    return Reply(ctx.say(f"inspections.done_{name}"), back=f"{HOME}:appealed")


def _give_time(ctx: Context, inspection: Inspection) -> None:
    """The deadline stood still while the appeal was decided: some days are left in any case."""
    card = rectifications.of_inspection(ctx.session, inspection.id)
    if card is not None and card.overdue_at is None:
        due = due_again(card.due_on, ctx.today)
        rectifications.extend(ctx.session, card.inspection_id, due, next_step(due, ctx.today))


def _closing(
    step: Callable[[Context, Inspection, str], Reply],
) -> Callable[[Context, Inspection], Reply]:
    def run(ctx: Context, inspection: Inspection) -> Reply:
        branch = organizations.get(ctx.session, inspection.organization_id)
        if not _looks(ctx, inspection, branch):
            return Reply(ctx.say("inspections.not_yours_to_accept"), back=HOME)
        return step(ctx, inspection, HOME)

    return run


STEPS: Mapping[str, Callable[[Context, Inspection], Reply]] = {
    "see": _see,
    "appeal_picture": _appeal_picture,
    "uphold": _decide,
    "dismiss": _decide,
    **inspection_posting.STEPS,
    **{name: _closing(step) for name, step in inspection_closing.STEPS.items()},
}

INSPECTION_REVIEW = Command(
    HOME,
    ("检查审核", "审检查", "inspection review"),
    review,
    slash=("/inspectionreview",),
    roles=frozenset(ROLES),
    phrases=("有检查申诉要审吗", "检查结果入账"),
    steps={"待入账": "ready", "待审申诉": "appealed", "逾期整改": "overdue"},
    in_menu=False,
    order=150,
)
