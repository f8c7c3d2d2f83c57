"""计分方式: a branch's resolution that the index counts for a member by rate or not at all, or normally again.

It needs a meeting that was held and a picture of its minutes; the committee confirms, and it holds from then on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta

from db import activities, audit, members, resolutions
from db.activities import Activity
from db.duties import over
from db.members import Member
from db.organizations import Organization
from db.resolutions import Resolution
from handlers import picking
from handlers.conversation import Button, Command, Context, Reply
from notices import record_notes
from scoring.record_rules import record_rules

SHOWN_MAX = 6
CONFIRM = ("committee_reviewer", "district_org_department")


def run(ctx: Context) -> Reply:
    """`计分方式`: whom; then `mode`, `cause`, `meeting`, `minutes`, `yes`."""
    branch = ctx.node("secretary")
    if branch is None or branch.id is None:
        return Reply(ctx.say("resolution.only_secretary"))
    steps: Mapping[str, Callable[[Context, Resolution], Reply]] = {
        "mode": _mode,
        "cause": _cause,
        "meeting": _meeting,
        "minutes": _minutes,
        "yes": _propose,
    }
    step = steps.get(ctx.arg())
    if step is None:
        return _whom(ctx, branch)
    draft = resolutions.draft_of(ctx.session, ctx.me)
    if draft is None or draft.organization_id != branch.id:
        return _whom(ctx, branch, ctx.say("recording.gone"))
    return step(ctx, draft)


def _whom(ctx: Context, branch: Organization, first: str = "") -> Reply:
    """The members of the branch: first those for whom something other than normal counts."""
    assert branch.id is not None
    people = sorted(members.members_of(ctx.session, branch.id, ctx.today), key=lambda one: one.mode == "normal")
    word = " ".join(ctx.args[1:]) if ctx.arg() == "whom" else ""
    marked = picking.marked(word, "m")
    found = [one for one in people if one.id == marked] if marked is not None else picking.by_word(people, word)
    if word and len(found) == 1:
        return _chosen(ctx, branch, found[0])
    page = picking.marked(word, "p") or 0
    known = "" if not word or picking.marked(word, "p") is not None else ctx.say("recording.whom_unknown")
    text = first or known or ctx.say("resolution.whom")
    buttons = picking.buttons(ctx, people, "resolutions:whom", page) if ctx.names_allowed else ()
    return Reply(text, buttons, expect="resolutions:whom", back="records")


def _chosen(ctx: Context, branch: Organization, person: Member) -> Reply:
    assert branch.id is not None
    assert person.id is not None
    resolutions.begin(ctx.session, member_id=person.id, organization_id=branch.id, by=ctx.me, now=ctx.now)
    mode = ctx.say(f"resolution.mode_{person.mode}")
    lines = [ctx.say("resolution.stands", name=ctx.called(person.name), mode=mode)]
    for one in resolutions.history(ctx.session, person.id, most=3):
        day = one.resolved_on.isoformat() if one.resolved_on else ""
        lines.append(ctx.say("resolution.former", day=day, mode=ctx.say(f"resolution.mode_{one.mode}")))
    buttons = tuple(
        Button(ctx.say(f"resolution.to_{mode}"), f"resolutions:mode:{mode}")
        for mode in ("rate", "exempt", "normal")
        if mode != person.mode
    )
    return Reply("\n".join(lines), buttons, back="resolutions")


def _mode(ctx: Context, draft: Resolution) -> Reply:
    mode = ctx.arg(1)
    if mode not in members.MODES or members.get(ctx.session, draft.member_id).mode == mode:
        return Reply(ctx.say("recording.gone"), back="resolutions")
    draft.mode, draft.cause = mode, ""
    ctx.session.add(draft)
    if mode == "normal":
        return _ask_meeting(ctx, draft)
    buttons = tuple(
        Button(one.title_in(ctx.say.language), f"resolutions:cause:{one.id}")
        for one in record_rules().resolution.choice
    )
    return Reply(ctx.say("resolution.which_cause"), buttons, back="resolutions")


def _cause(ctx: Context, draft: Resolution) -> Reply:
    if ctx.arg(1) not in {one.id for one in record_rules().resolution.choice}:
        return Reply(ctx.say("recording.gone"), back="resolutions")
    draft.cause = ctx.arg(1)
    ctx.session.add(draft)
    return _ask_meeting(ctx, draft)


def meetings(ctx: Context, draft: Resolution) -> Sequence[Activity]:
    """The branch's meetings that were held and at which it can have been resolved, the newest first."""
    rules = record_rules().resolution
    begin = datetime.combine(ctx.today - timedelta(days=rules.within_days), time(), ctx.zone)
    return over(ctx.session, draft.organization_id, rules.kinds, begin, ctx.now, held=True)


def _ask_meeting(ctx: Context, draft: Resolution) -> Reply:
    found = meetings(ctx, draft)[:SHOWN_MAX]
    buttons = []
    for one in found:
        day = one.starts_at.astimezone(ctx.zone)
        label = ctx.say("recording.activity_of", title=one.title, month=day.month, day=day.day)
        buttons.append(Button(label, f"resolutions:meeting:{one.id}"))
    name = "which_meeting" if found else "no_meeting"
    text = ctx.say(f"resolution.{name}", days=record_rules().resolution.within_days)
    return Reply(text, tuple(buttons), back="resolutions")


def _meeting(ctx: Context, draft: Resolution) -> Reply:
    found = next((one for one in meetings(ctx, draft) if str(one.id) == ctx.arg(1)), None)
    if found is None:
        return _ask_meeting(ctx, draft)
    draft.activity_id, draft.resolved_on = found.id, found.starts_at.astimezone(ctx.zone).date()
    ctx.session.add(draft)
    return Reply(ctx.say("resolution.minutes"), expect="resolutions:minutes", back="resolutions")


def _minutes(ctx: Context, draft: Resolution) -> Reply:
    if ctx.picture_id is None or not _whole(draft, with_picture=False):
        return Reply(ctx.say("recording.picture_missing"), expect="resolutions:minutes", back="resolutions")
    draft.picture_id = ctx.picture_id
    ctx.session.add(draft)
    text = f"{ctx.say('recording.preview')}\n{told(ctx, draft)}\n{ctx.say('resolution.effect')}"
    return Reply(text, (Button(ctx.say("recording.submit"), "resolutions:yes"),), back="resolutions")


def _whole(draft: Resolution, *, with_picture: bool = True) -> bool:
    reasoned = draft.mode == "normal" or bool(draft.cause)
    return reasoned and draft.activity_id is not None and (draft.picture_id is not None or not with_picture)


def told(ctx: Context, one: Resolution) -> str:
    """A resolution in words: about whom, what, why, and at which meeting."""
    person = members.get(ctx.session, one.member_id)
    activity = activities.get(ctx.session, one.activity_id) if one.activity_id is not None else None
    named = next((choice for choice in record_rules().resolution.choice if choice.id == one.cause), None)
    return ctx.say(
        "resolution.told",
        name=ctx.called(person.name),
        mode=ctx.say(f"resolution.mode_{one.mode}"),
        cause=ctx.say("record_tree.choice", choice=named.title_in(ctx.say.language)) if named else "",
        day=one.resolved_on.isoformat() if one.resolved_on else "",
        title=activity.title if activity else "",
    )


def _propose(ctx: Context, draft: Resolution) -> Reply:
    if not _whole(draft):
        return Reply(ctx.say("recording.gone"), back="resolutions")
    if not resolutions.propose(ctx.session, draft, ctx.now):
        return Reply(ctx.say("resolution.waits"), back="resolutions")
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="mode.proposed",
        subject=f"resolution:{draft.id}",
        member=draft.member_id,
        mode=draft.mode,
        cause=draft.cause,
    )
    but = (ctx.me, draft.member_id)
    record_notes.waiting(ctx.session, draft.organization_id, CONFIRM, ctx.now, ctx.today, but=but)
    return Reply(ctx.say("recording.proposed"), back="records")


RESOLUTIONS = Command(
    "resolutions",
    ("计分方式", "counting mode"),
    run,
    roles=frozenset({"secretary"}),
    phrases=("免计指数", "按比例计分", "党员生病不计分"),
    in_menu=False,
)
