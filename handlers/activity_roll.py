"""What a secretary does around an activity: the code to scan, who is there, late records, leave, the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from db import (
    activities,
    activity_drafts,
    activity_records,
    attendance,
    audit,
    members,
    occurrences,
    organizations,
    remote_seats,
)
from db.activities import ONSITE_ONLY, Activity
from db.attendance import CAME, Recorded
from db.duties import COUNTABLE
from handlers import activity_record
from handlers.conversation import Button, Context, Picture, Reply
from notices import closing, outbox
from notices.channel import Message
from notices.reminders import subject_of
from notices.said_time import said
from notices.voices import voice, voices
from notices.warnings import check_warnings

NAMES_MAX = 20  # names in one line of the list
RECORD_FOR = activity_record.RECORD_FOR


def keeps(ctx: Context, activity: Activity) -> bool:
    """Whether this person is the secretary of the branch that holds the activity."""
    holder = organizations.get(ctx.session, activity.organization_id)
    return members.has_role(ctx.session, ctx.me, "secretary", holder, ctx.today)


def refused(ctx: Context) -> Reply:
    """For whoever is not the secretary."""
    return Reply(ctx.say("activities.only_secretary"), (Button(ctx.say("menu.activities"), "activities"),))


def steps(ctx: Context, activity: Activity) -> tuple[Button, ...]:
    """The secretary's next steps around an activity, at most three."""
    listed = Button(ctx.say("activities.roll"), f"activities:roll:{activity.id}")
    if activity.state != "planned":
        return (listed,)
    code = Button(ctx.say("activities.qr"), f"activities:qr:{activity.id}")
    begun = ctx.now >= activity.starts_at
    name = "finish" if begun else "cancel"
    return code, listed, Button(ctx.say(f"activities.{name}"), f"activities:{name}:{activity.id}")


def kept(ctx: Context) -> Activity | None:
    """The activity of the second argument, when this person keeps it."""
    activity_id = ctx.arg_id(1)
    activity = activities.get(ctx.session, activity_id) if activity_id is not None else None
    return activity if activity is not None and keeps(ctx, activity) else None


def counts(activity: Activity) -> bool:
    """Whether its kind is one of those of which a branch needs so many in a year."""
    return activity.scope == "region" or not COUNTABLE.isdisjoint(activity.kinds.split(";"))


def said_state(ctx: Context, activity: Activity) -> str:
    """How an activity stands that is not planned any more."""
    over = activity.state != "cancelled" and not counts(activity)
    return ctx.say("activities.state_over" if over else f"activities.state_{activity.state}")


def _qr(ctx: Context) -> Reply:
    activity = kept(ctx)
    if activity is None:
        return refused(ctx)
    if activity.state != "planned":
        return Reply(said_state(ctx, activity), back="activities")
    text = ctx.say("activities.qr_text", title=activity.title, code=activity.code)
    alt = ctx.say("activities.qr_alt", code=activity.code)
    return Reply(
        text,
        steps(ctx, activity)[1:],
        picture=Picture("qr", {"text": f"c-{activity.code}"}, alt),
        back=f"activities:show:{activity.id}",
    )


def _roll(ctx: Context) -> Reply:
    activity = kept(ctx)
    if activity is None:
        return refused(ctx)
    assert activity.id is not None
    say = ctx.say
    rows = attendance.roll(ctx.session, activity.id)
    invited = activities.invited_members(ctx.session, activity, activity.starts_at.astimezone(ctx.zone).date())
    there = Counter(row.mode for row in rows if row.state == "present")
    leave = Counter(row.state for row in rows if row.mode == "leave")
    lines = [
        say(
            "activities.counts",
            title=activity.title,
            invited=len(invited),
            onsite=there["onsite"],
            remote=there["remote"],
            excused=leave["excused"],
        )
    ]
    if activity.scope == "branch" and activity.state != "cancelled":
        lines.append(_meter(ctx, activity, rows))
    lines += _names(ctx, activity, rows, {member.id: member.name for member in invited})
    buttons = [Button(say("activities.record"), f"activities:record:{activity.id}")]
    if leave["asked"]:
        buttons.insert(
            0, Button(say("activities.see_asked_count", count=leave["asked"]), f"activities:asked:{activity.id}")
        )
    if activity.state == "planned":
        buttons.append(Button(say("activities.refresh"), f"activities:roll:{activity.id}"))
        buttons.append(steps(ctx, activity)[-1])
    else:
        lines.append(said_state(ctx, activity))
    return Reply("\n".join(lines), tuple(buttons), back=f"activities:show:{activity.id}")


def _meter(ctx: Context, activity: Activity, rows: Sequence[Recorded]) -> str:
    """The quorum: half of those with a vote, one exactly half included; four fifths on site for an election."""
    assert activity.id is not None
    election = not ONSITE_ONLY.isdisjoint(activity.kinds.split(";"))
    with_vote = {
        member.id
        for member in activities.invited_members(
            ctx.session, activity, activity.starts_at.astimezone(ctx.zone).date()
        )
        if not member.probationary
    }
    modes = ("onsite",) if election else CAME
    present = {row.member_id for row in rows if row.state == "present" and row.mode in modes}
    afar: set[int] = set()
    if not election and activity.should_attend is None:
        seats = remote_seats.joined(ctx.session, activity.id, ctx.now)
        afar = {seat.member_id for seat in seats if not seat.missed} - present
    count, whole = len((present | afar) & with_vote), len(with_vote)
    needed = -(-4 * whole // 5) if election else -(-whole // 2)
    name = "quorum" if whole and count >= needed else "quorum_missing"
    figures = {"whole": whole, "count": count, "afar": len(afar & with_vote), "needed": needed}
    return ctx.say(f"activities.{name}", missing=max(0, needed - count), **figures)


def _names(
    ctx: Context, activity: Activity, rows: Sequence[Recorded], invited: Mapping[int | None, str]
) -> list[str]:
    if not ctx.names_allowed:
        return [ctx.say("activities.no_names")]
    came = [row.name for row in rows if row.state == "present" and row.mode in CAME]
    known = {row.member_id for row in rows if row.state in ("present", "excused")}
    missing = [name for member_id, name in invited.items() if member_id not in known]
    listed = [("came", came), ("missing", missing)] if activity.scope == "branch" else [("came", came)]
    lines = []
    for name, people in listed:
        if people:
            more = ctx.say("activities.and_more", count=len(people)) if len(people) > NAMES_MAX else ""
            lines.append(ctx.say(f"activities.{name}", names="、".join(people[:NAMES_MAX]) + more))
    return lines


def _asked(ctx: Context) -> Reply:
    """One request for leave after the other."""
    activity = kept(ctx)
    if activity is None:
        return refused(ctx)
    assert activity.id is not None
    waiting = [row for row in attendance.roll(ctx.session, activity.id) if row.state == "asked"]
    back = f"activities:roll:{activity.id}"
    if not waiting:
        return Reply(ctx.say("activities.none_asked", title=activity.title), back=back)
    first = waiting[0]
    name = ctx.called(first.name)
    text = ctx.say(
        "activities.asks", name=name, title=activity.title, reason=first.evidence, left=len(waiting) - 1
    )
    buttons = tuple(
        Button(ctx.say(f"activities.{step}"), f"activities:{step}:{activity.id}:{first.member_id}")
        for step in ("grant", "refuse")
    )
    return Reply(text, buttons, back=back)


def _decide(ctx: Context) -> Reply:
    activity, member_id = kept(ctx), ctx.arg_id(2)
    if activity is None or member_id is None:
        return refused(ctx)
    assert activity.id is not None
    granted = ctx.arg() == "grant"
    if not attendance.decide_leave(ctx.session, activity.id, member_id, granted=granted):
        return Reply(ctx.say("activities.decided"), back=f"activities:roll:{activity.id}")
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="leave.granted" if granted else "leave.refused",
        subject=f"activity:{activity.id}",
        member=member_id,
    )
    say = voice(ctx.session, member_id)
    outbox.tell(
        ctx.session,
        member_id=member_id,
        key=f"leave:{activity.id}:{member_id}:decided:{ctx.now:%Y%m%d%H%M%S}",
        message=Message(
            say("activities.granted" if granted else "activities.not_granted", title=activity.title),
            (Button(say("activities.details"), f"activities:show:{activity.id}"),),
        ),
        now=ctx.now,
    )
    return _asked(ctx)


def _finish(ctx: Context) -> Reply:
    activity = kept(ctx)
    if activity is None:
        return refused(ctx)
    back = f"activities:show:{activity.id}"
    if activity.state != "planned" or ctx.now < activity.starts_at:
        planned = activity.state == "planned"
        return Reply(ctx.say("activities.not_begun") if planned else said_state(ctx, activity), back=back)
    assert activity.id is not None
    if ctx.arg(2) != "yes":
        came = sum(attendance.present(ctx.session, activity.id)[mode] for mode in CAME)
        afar = len(remote_seats.joined(ctx.session, activity.id, ctx.now))
        confirm = Button(ctx.say("activities.finish_yes"), f"activities:finish:{activity.id}:yes")
        text = ctx.say("activities.finish_ask", title=activity.title, came=came, afar=afar)
        return Reply(text, (confirm,), back=back)
    subject = f"activity:{activity.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="activity.finished", subject=subject)
    activity_drafts.end_now(ctx.session, activity, ctx.now)
    if remote_seats.waiting(ctx.session, activity.id, ctx.now):
        return Reply(ctx.say("activities.finish_soon", title=activity.title), back=back)
    closed = closing.close(ctx.session, activity, ctx.now, ctx.zone)
    check_warnings(ctx.session, ctx.now, ctx.zone, [activity.organization_id])
    name = "finished_other" if not counts(activity) else "finished" if closed.held else "finished_short"
    text = ctx.say(
        f"activities.{name}", title=activity.title, should=closed.should_attend, attended=closed.attended
    )
    return Reply(text, (Button(ctx.say("activities.roll"), f"activities:roll:{activity.id}"),), back="activities")


def _cancel(ctx: Context) -> Reply:
    activity = kept(ctx)
    if activity is None:
        return refused(ctx)
    assert activity.id is not None
    back = f"activities:show:{activity.id}"
    if activity.state != "planned" or ctx.now >= activity.starts_at:
        planned = activity.state == "planned"
        return Reply(ctx.say("activities.begun") if planned else said_state(ctx, activity), back=back)
    when = said(ctx.say, activity.starts_at, ctx.now, ctx.zone)
    if ctx.arg(2) != "yes":
        confirm = Button(ctx.say("activities.cancel_yes"), f"activities:cancel:{activity.id}:yes")
        text = ctx.say("activities.cancel_ask", title=activity.title, when=when)
        return Reply(text, (confirm,), back=back)
    activities.cancel(ctx.session, activity.id)
    activity_records.note(ctx.session, activity.id, ctx.now)
    occurrences.withdraw(ctx.session, subject_of(activity.id))
    subject = f"activity:{activity.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="activity.cancelled", subject=subject)
    _tell_cancelled(ctx, activity)
    return Reply(ctx.say("activities.cancelled", title=activity.title), back="activities")


def _tell_cancelled(ctx: Context, activity: Activity) -> None:
    """Tell everybody who might come, apart from the secretary who calls it off."""
    day = activity.starts_at.astimezone(ctx.zone).date()
    invited = [one.id for one in activities.invited_members(ctx.session, activity, day) if one.id is not None]
    for member_id, say in voices(ctx.session, invited).items():
        if member_id != ctx.me:
            when = said(say, activity.starts_at, ctx.now, ctx.zone)
            outbox.tell(
                ctx.session,
                member_id=member_id,
                key=f"activity:{activity.id}:cancelled",
                message=Message(say("activities.cancelled_note", title=activity.title, when=when)),
                now=ctx.now,
                lane=1,
                expires_at=activity.starts_at,
            )


STEPS: Mapping[str, Callable[[Context], Reply]] = {
    "qr": _qr,
    "roll": _roll,
    "asked": _asked,
    "grant": _decide,
    "refuse": _decide,
    "finish": _finish,
    "cancel": _cancel,
    **activity_record.STEPS,
}
