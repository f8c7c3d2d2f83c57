"""A secretary records a member by hand: came without a check-in, made it up later, or was on leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from db import activities, attendance, audit, members, organizations
from db.activities import Activity
from db.members import Member
from handlers.conversation import Button, Context, Reply
from notices import closing, outbox
from notices.channel import Message
from notices.voices import voice
from notices.warnings import check_warnings
from scoring.booking import book_attendance

RECORD_FOR = timedelta(days=30)  # after the beginning; what is later needs the committee
PAGE = 6  # people of one message
EVIDENCE_MAX = 100  # characters
MODES = ("onsite", "make_up", "leave")


def _kept(ctx: Context) -> Activity | None:
    activity_id = ctx.arg_id(1)
    activity = activities.get(ctx.session, activity_id) if activity_id is not None else None
    if activity is None:
        return None
    holder = organizations.get(ctx.session, activity.organization_id)
    return activity if members.has_role(ctx.session, ctx.me, "secretary", holder, ctx.today) else None


def _record(ctx: Context) -> Reply:
    """`record:ID`, then a page, a member picked from it, or a name that was typed."""
    activity = _kept(ctx)
    if activity is None:
        return Reply(ctx.say("activities.only_secretary"), back="activities")
    refusal = _refusal(ctx, activity)
    if refusal:
        return Reply(refusal, back=f"activities:roll:{activity.id}")
    missing = _missing(ctx, activity)
    word = " ".join(ctx.args[2:]).strip()
    if word.startswith("p") and word[1:].isdigit():
        return _page(ctx, activity, missing, int(word[1:]))
    if word.startswith("m") and word[1:].isdigit():
        chosen = [member for member in missing if str(member.id) == word[1:]]
    else:
        chosen = [member for member in missing if word and word in member.name]
        exact = [member for member in chosen if member.name == word]
        chosen = exact or chosen
    if len(chosen) == 1:
        return _which_mode(ctx, activity, chosen[0])
    if chosen:
        return _page(ctx, activity, chosen, 0)
    problem = ctx.say("activities.nobody_called") if word else ""
    return _page(ctx, activity, missing, 0, problem)


def _refusal(ctx: Context, activity: Activity) -> str:
    """Why nothing can be recorded by hand now; empty when it can."""
    if activity.state == "cancelled":
        return ctx.say("activities.state_cancelled")
    if ctx.now < activity.check_in_opens_at:
        return ctx.say("activities.record_early")
    if ctx.now > activity.starts_at + RECORD_FOR:
        return ctx.say("activities.record_late", days=RECORD_FOR.days)
    return ""


def _missing(ctx: Context, activity: Activity) -> list[Member]:
    """Everybody invited who is not recorded as present, in the order of names on the roll."""
    assert activity.id is not None
    there = {row.member_id for row in attendance.roll(ctx.session, activity.id) if row.state == "present"}
    day = activity.starts_at.astimezone(ctx.zone).date()
    invited = activities.invited_members(ctx.session, activity, day)
    return [member for member in invited if member.id not in there]


def _page(ctx: Context, activity: Activity, people: Sequence[Member], page: int, problem: str = "") -> Reply:
    back = f"activities:roll:{activity.id}"
    if not ctx.names_allowed:
        text = problem or ctx.say("activities.record_typed")
        return Reply(text, expect=f"activities:record:{activity.id}", back=back)
    if not people:
        return Reply(ctx.say("activities.record_all"), back=back)
    shown = people[page * PAGE : (page + 1) * PAGE] or people[:PAGE]
    buttons = [Button(member.name, f"activities:record:{activity.id}:m{member.id}") for member in shown]
    if len(people) > (page + 1) * PAGE:
        buttons.append(Button(ctx.say("activities.next_page"), f"activities:record:{activity.id}:p{page + 1}"))
    text = problem or ctx.say("activities.record_whom", count=len(people))
    return Reply(text, tuple(buttons), expect=f"activities:record:{activity.id}", back=back)


def _which_mode(ctx: Context, activity: Activity, member: Member) -> Reply:
    modes = MODES if ctx.now > activity.ends_at else ("onsite", "leave")
    buttons = tuple(
        Button(ctx.say(f"activities.mode_{mode}"), f"activities:mark:{activity.id}:{member.id}:{mode}")
        for mode in modes
    )
    text = ctx.say("activities.record_how", name=ctx.called(member.name), title=activity.title)
    return Reply(text, buttons, back=f"activities:record:{activity.id}")


def _mark(ctx: Context) -> Reply:
    """`mark:ID:MEMBER:MODE`, then the evidence."""
    activity, member_id, mode = _kept(ctx), ctx.arg_id(2), ctx.arg(3)
    if activity is None:
        return Reply(ctx.say("activities.only_secretary"), back="activities")
    back = f"activities:roll:{activity.id}"
    refusal = _refusal(ctx, activity)
    if refusal:
        return Reply(refusal, back=back)
    member = next((one for one in _missing(ctx, activity) if one.id == member_id), None)
    if member is None or mode not in MODES:
        return Reply(ctx.say("activities.recorded_before"), back=back)
    evidence = " ".join(ctx.args[4:]).strip()
    if not evidence or len(evidence) > EVIDENCE_MAX:
        name = "evidence_long" if evidence else f"evidence_{mode}"
        text = ctx.say(f"activities.{name}", name=ctx.called(member.name), most=EVIDENCE_MAX)
        return Reply(text, expect=f"activities:mark:{activity.id}:{member.id}:{mode}", back=back)
    return _write(ctx, activity, member, mode, evidence)


def _write(ctx: Context, activity: Activity, member: Member, mode: str, evidence: str) -> Reply:
    assert activity.id is not None
    assert member.id is not None
    points = 0
    if mode == "leave":
        attendance.leave(
            ctx.session,
            activity_id=activity.id,
            member_id=member.id,
            state="excused",
            reason=evidence,
            at=ctx.now,
        )
    else:
        points = _attended(ctx, activity, member.id, mode, evidence)
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="attendance.recorded",
        subject=f"activity:{activity.id}",
        member=member.id,
        mode=mode,
        evidence=evidence,
    )
    if activity.should_attend is not None:  # it was closed before: the figures follow
        closing.close(ctx.session, activity, ctx.now, ctx.zone)
        check_warnings(ctx.session, ctx.now, ctx.zone, [activity.organization_id])
    _tell(ctx, activity, member.id, mode, points)
    text = ctx.say(f"activities.done_{mode}", name=ctx.called(member.name), title=activity.title, points=points)
    more = Button(ctx.say("activities.record_more"), f"activities:record:{activity.id}")
    return Reply(text, (more, Button(ctx.say("activities.roll"), f"activities:roll:{activity.id}")))


def _tell(ctx: Context, activity: Activity, member_id: int, mode: str, points: int) -> None:
    say = voice(ctx.session, member_id)
    text = say(f"activities.note_{mode}", title=activity.title, points=points)
    outbox.tell(
        ctx.session,
        member_id=member_id,
        key=f"activity:{activity.id}:recorded:{ctx.now:%Y%m%d%H%M%S}",
        message=Message(text, (Button(say("menu.points"), "points"),)),
        now=ctx.now,
    )


def _attended(ctx: Context, activity: Activity, member_id: int, mode: str, evidence: str) -> int:
    """Write the attendance; what it pays. Making it up later shows good will but is not having been there."""
    assert activity.id is not None
    attended_round = attendance.record(
        ctx.session,
        activity_id=activity.id,
        member_id=member_id,
        mode=mode,
        evidence=f"secretary: {evidence}",
        at=ctx.now,
    )
    assert attended_round is not None, "read as absent in this transaction"
    if mode == "make_up":
        return 0
    branch = members.branch_of(ctx.session, member_id, activity.starts_at.astimezone(ctx.zone).date())
    return book_attendance(
        ctx.session,
        activity_id=activity.id,
        scope=activity.scope,
        title=activity.title,
        starts_at=activity.starts_at,
        member_id=member_id,
        organization_id=branch.id if branch else None,
        attended_round=attended_round,
        zone=ctx.zone,
        at=ctx.now,
    )


STEPS: Mapping[str, Callable[[Context], Reply]] = {"record": _record, "mark": _mark}
