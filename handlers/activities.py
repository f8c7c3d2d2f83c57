"""Coming activities of the own branch and region: details, leave, and for a secretary everything around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from db import activities, activity_drafts, attendance, members, occurrences, organizations, remote_seats
from db.activities import Activity
from handlers import activity_making, activity_roll
from handlers.conversation import Button, Command, Context, Reply
from notices import outbox
from notices.channel import Message
from notices.presence import remote_possible
from notices.reminders import subject_of
from notices.said_time import clock, said
from notices.voices import voice

AHEAD = timedelta(days=14)
SHOWN_MAX = 5
REASON_MAX = 60  # characters
REASONS = ("trip", "ill", "family")  # offered; anything else is typed


def show_activities(ctx: Context) -> Reply:
    """`活动`, or one of its buttons."""
    step = _STEPS.get(ctx.arg())
    return step(ctx) if step else _list(ctx)


def _list(ctx: Context) -> Reply:
    coming = activities.coming_for(ctx.session, ctx.who.branch_path, ctx.now, ctx.now + AHEAD)
    shown = sorted(coming, key=lambda one: (one.starts_at, one.id))[:SHOWN_MAX]
    buttons = [
        Button(
            ctx.say(
                f"activities.choice_{one.scope}",
                title=one.title,
                when=said(ctx.say, one.starts_at, ctx.now, ctx.zone),
            ),
            f"activities:show:{one.id}",
        )
        for one in shown
    ]
    if ctx.node("secretary") is not None:
        buttons.append(Button(ctx.say("activities.new"), "activities:new"))
        buttons.append(Button(ctx.say("activities.past"), "activities:past"))
    elif not shown:
        buttons.append(Button(ctx.say("menu.find_secretary"), "find_secretary"))
    return Reply(ctx.say("activities.coming" if shown else "activities.none"), tuple(buttons))


def _past(ctx: Context) -> Reply:
    """The last activities of the secretary's branch: lists and late records."""
    node = ctx.node("secretary")
    if node is None or node.id is None:
        return activity_roll.refused(ctx)
    found = activity_drafts.recent(ctx.session, node.id, ctx.now - activity_roll.RECORD_FOR, ctx.now, SHOWN_MAX)
    buttons = tuple(
        Button(
            ctx.say(
                "activities.past_choice",
                title=one.title,
                month=one.starts_at.astimezone(ctx.zone).month,
                day=one.starts_at.astimezone(ctx.zone).day,
            ),
            f"activities:roll:{one.id}",
        )
        for one in found
    )
    return Reply(ctx.say("activities.past_list" if found else "activities.past_none"), buttons, back="activities")


def _show(ctx: Context) -> Reply:
    activity = _mine(ctx)
    if activity is None:
        return _unknown(ctx)
    say = ctx.say
    lines = [
        activity.title,
        say(
            "activities.when",
            when=said(say, activity.starts_at, ctx.now, ctx.zone),
            ends=clock(activity.ends_at, ctx.zone),
        ),
        say("activities.where", place=activity.place),
        say(f"activities.scope_{activity.scope}")
        + (say("activities.remote_too") if remote_possible(activity) else ""),
    ]
    if activity.state != "planned":
        lines.append(activity_roll.said_state(ctx, activity))
    else:
        lines.append(_own_state(ctx, activity))
    keeps = activity_roll.keeps(ctx, activity)
    if keeps and activity.state == "planned":
        lines.append(say("activities.code", code=activity.code))
    buttons = (*_own_steps(ctx, activity), *(activity_roll.steps(ctx, activity) if keeps else ()))
    return Reply("\n".join(line for line in lines if line), buttons[:SHOWN_MAX], back="activities")


def _own_state(ctx: Context, activity: Activity) -> str:
    assert activity.id is not None
    row = attendance.found(ctx.session, activity.id, ctx.me)
    name = {"present": "present", "asked": "asked", "excused": "excused", "refused": "refused"}.get(
        row[0] if row else "", ""
    )
    return ctx.say(f"activities.you_{name}") if name else ""


def _own_steps(ctx: Context, activity: Activity) -> tuple[Button, ...]:
    """What this person can do about the activity as one of those who are invited."""
    assert activity.id is not None
    if activity.state != "planned" or ctx.now >= activity.ends_at:
        return ()
    row = attendance.found(ctx.session, activity.id, ctx.me)
    state = row[0] if row else ""
    if state == "present":
        return ()
    steps = []
    if activity.check_in_opens_at <= ctx.now <= activity.check_in_closes_at:
        steps.append(Button(ctx.say("menu.check_in"), f"check_in:{activity.code}"))
    if remote_possible(activity) and members.get(ctx.session, ctx.me).mobile:
        seat = remote_seats.seat_for(ctx.session, activity.id, ctx.me, ctx.now)
        steps.append(Button(ctx.say("menu.remote"), f"remote:{seat.token}"))
    if state in ("asked", "excused"):
        steps.append(Button(ctx.say("activities.come"), f"activities:come:{activity.id}"))
    elif ctx.now < activity.starts_at:
        steps.append(Button(ctx.say("activities.leave"), f"activities:leave:{activity.id}"))
    return tuple(steps)


def _leave(ctx: Context) -> Reply:
    """Ask for leave: first the reason, then the secretary is told. A regional activity asks no permission."""
    activity = _mine(ctx)
    if activity is None:
        return _unknown(ctx)
    say, back = ctx.say, f"activities:show:{activity.id}"
    if activity.state == "cancelled":
        return Reply(say("activities.state_cancelled"), back="activities")
    if ctx.now >= activity.starts_at:
        return Reply(say("activities.leave_late", title=activity.title), back=back)
    reason = " ".join(ctx.args[2:]).strip()
    if not reason or len(reason) > REASON_MAX:
        asks = say("activities.reason_long", most=REASON_MAX) if reason else say("activities.reason")
        choices = tuple(
            Button(say(f"activities.reason_{name}"), f"activities:leave:{activity.id}:{name}") for name in REASONS
        )
        return Reply(asks, choices, expect=f"activities:leave:{activity.id}", back=back)
    if reason in REASONS:
        reason = say(f"activities.reason_{reason}")
    own = activity_roll.keeps(ctx, activity) or activity.scope == "region"
    assert activity.id is not None
    noted = attendance.leave(
        ctx.session,
        activity_id=activity.id,
        member_id=ctx.me,
        state="excused" if own else "asked",
        reason=reason,
        at=ctx.now,
    )
    if not noted:
        return Reply(say("activities.leave_present", title=activity.title), back=back)
    occurrences.withdraw(ctx.session, subject_of(activity.id), ctx.me)
    if not own:
        _tell_secretaries(ctx, activity)
    come = Button(say("activities.come"), f"activities:come:{activity.id}")
    return Reply(say("activities.left" if own else "activities.asked", title=activity.title), (come,), back=back)


def _tell_secretaries(ctx: Context, activity: Activity) -> None:
    holder = organizations.get(ctx.session, activity.organization_id)
    for secretary in members.holders(ctx.session, holder, "secretary", ctx.today):
        assert secretary.id is not None
        say = voice(ctx.session, secretary.id)
        outbox.tell(
            ctx.session,
            member_id=secretary.id,
            key=f"leave:{activity.id}:{ctx.me}:{ctx.now:%Y%m%d%H%M%S}",
            message=Message(
                say("activities.somebody_asks", title=activity.title),
                (Button(say("activities.see_asked"), f"activities:asked:{activity.id}"),),
            ),
            now=ctx.now,
            expires_at=activity.ends_at,
        )


def _come(ctx: Context) -> Reply:
    activity = _mine(ctx)
    if activity is None:
        return _unknown(ctx)
    assert activity.id is not None
    back = f"activities:show:{activity.id}"
    withdrawn = attendance.withdraw_leave(ctx.session, activity.id, ctx.me)
    name = "comes" if withdrawn else "comes_anyway"
    return Reply(ctx.say(f"activities.{name}", title=activity.title), back=back)


def _mine(ctx: Context) -> Activity | None:
    """The activity of the second argument, when this person is invited to it or keeps it."""
    activity_id = ctx.arg_id(1)
    found = activities.by_id(ctx.session, activity_id) if activity_id is not None else None
    if found is None:
        return None
    activity = activities.get(ctx.session, found.id)
    assert activity is not None
    invited = activities.invited(ctx.session, found, ctx.who.branch_path)
    return activity if invited or activity_roll.keeps(ctx, activity) else None


def _unknown(ctx: Context) -> Reply:
    return Reply(ctx.say("activities.unknown"), (Button(ctx.say("menu.activities"), "activities"),))


_STEPS: Mapping[str, Callable[[Context], Reply]] = {
    "show": _show,
    "leave": _leave,
    "come": _come,
    "past": _past,
    **activity_roll.STEPS,
    **activity_making.STEPS,
}

ACTIVITIES = Command(
    "activities",
    ("活动", "activities"),
    show_activities,
    slash=("/activities",),
    phrases=(
        *(
            "近期活动",
            "有什么活动",
            "什么时候开会",
            "下次开会什么时候",
            "在哪里开会",
            "志愿服务",
            "what is coming up",
        ),
        *("请假", "我要请假", "我来不了", "安排活动", "where is the meeting"),
    ),
    order=80,
)
