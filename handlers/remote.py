"""Joining from afar: a mobile member's personal link, and the answer to "are you still there?"."""

from __future__ import annotations

from datetime import timedelta

from db import activities, attendance, members, occurrences, remote_seats
from db.activities import ONSITE_ONLY, Activity, PresencePrompt, RemoteSeat
from handlers.conversation import Button, Command, Context, Reply
from notices.presence import ANSWER_FOR, MOMENTS, joins_until, moments, remote_possible
from notices.reminders import subject_of
from notices.said_time import clock, said
from scoring.booking import RULES
from scoring.standing import pay

AHEAD = timedelta(days=14)
SHOWN_MAX = 5


def remote(ctx: Context) -> Reply:
    """`远程`, `远程 TOKEN`, the button with the token, or `here:PROMPT`."""
    word = ctx.arg()
    if word == "here":
        return _here(ctx)
    if not word:
        return _choices(ctx)
    return _enter(ctx, "".join(ctx.args).upper().replace("-", ""))


def _choices(ctx: Context) -> Reply:
    if not members.get(ctx.session, ctx.me).mobile:
        return Reply(ctx.say("remote.only_mobile"), (Button(ctx.say("menu.check_in"), "check_in"),))
    coming = activities.coming_for(ctx.session, ctx.who.branch_path, ctx.now, ctx.now + AHEAD)
    buttons = []
    for one in sorted(coming, key=lambda one: (one.starts_at, one.id)):
        activity = activities.get(ctx.session, one.id)
        if activity is not None and remote_possible(activity):
            seat = remote_seats.seat_for(ctx.session, one.id, ctx.me, ctx.now)
            when = said(ctx.say, one.starts_at, ctx.now, ctx.zone)
            buttons.append(Button(ctx.say("remote.choice", title=one.title, when=when), f"remote:{seat.token}"))
    if not buttons:
        return Reply(ctx.say("remote.none"), (Button(ctx.say("menu.activities"), "activities"),))
    return Reply(ctx.say("remote.which"), tuple(buttons[:SHOWN_MAX]))


def _enter(ctx: Context, token: str) -> Reply:
    say = ctx.say
    seat = remote_seats.by_token(ctx.session, token)
    if seat is None or seat.member_id != ctx.me:
        # The same words for both: nobody learns whose link it is.
        return Reply(say("remote.unknown"), (Button(say("menu.remote"), "remote"),))
    activity = activities.get(ctx.session, seat.activity_id)
    assert activity is not None
    assert activity.id is not None
    if not members.get(ctx.session, ctx.me).mobile:
        return Reply(say("remote.only_mobile"), (Button(say("menu.check_in"), "check_in"),))
    refusal = _refusal(ctx, activity)
    if refusal:
        return Reply(refusal, (Button(say("menu.activities"), "activities"),))
    row = attendance.found(ctx.session, activity.id, ctx.me)
    if row is not None and row[0] == "present":
        return Reply(say("remote.already_onsite", title=activity.title))
    if seat.joined_at is not None:
        return _joined_already(ctx, activity, seat)
    if ctx.now < activity.check_in_opens_at:
        return _too_early(ctx, activity)
    if ctx.now > joins_until(activity):
        until = clock(joins_until(activity), ctx.zone)
        return Reply(say("remote.too_late", title=activity.title, until=until))
    return _join(ctx, activity, seat)


def _refusal(ctx: Context, activity: Activity) -> str:
    """Why nobody can join this activity from afar, whoever asks and whenever; empty when one can."""
    if activity.state == "cancelled":
        return ctx.say("remote.cancelled", title=activity.title)
    if not ONSITE_ONLY.isdisjoint(activity.kinds.split(";")):
        return ctx.say("remote.onsite_only", title=activity.title)
    if not activity.remote_allowed:
        return ctx.say("remote.not_allowed", title=activity.title)
    if activity.state != "planned" or ctx.now > activity.ends_at:
        return ctx.say("remote.over", title=activity.title)
    return ""


def _too_early(ctx: Context, activity: Activity) -> Reply:
    """Before the door opens: the reminder an hour before may be over, so one is kept for the opening."""
    occurrences.remind(
        ctx.session,
        member_id=ctx.me,
        kind="remote_opens",
        subject=subject_of(activity.id),
        due_at=activity.check_in_opens_at,
        expires_at=joins_until(activity),
    )
    opens = said(ctx.say, activity.check_in_opens_at, ctx.now, ctx.zone)
    return Reply(ctx.say("remote.too_early", title=activity.title, opens=opens))


def _join(ctx: Context, activity: Activity, seat: RemoteSeat) -> Reply:
    assert seat.id is not None
    asked_at = moments(activity, ctx.now)
    if not remote_seats.join(ctx.session, seat.id, asked_at, ctx.now, answer_for=ANSWER_FOR):
        return _joined_already(ctx, activity, seat)
    due = pay(RULES[activity.scope], activity.starts_at.astimezone(ctx.zone).date())
    return Reply(
        ctx.say(
            "remote.joined",
            title=activity.title,
            time=clock(ctx.now, ctx.zone),
            moments=MOMENTS,
            minutes=_minutes(ANSWER_FOR),
            points=f"+{due.points if due else 0}",
        )
    )


def _joined_already(ctx: Context, activity: Activity, seat: RemoteSeat) -> Reply:
    prompt = remote_seats.last_asked(ctx.session, ctx.me)
    if prompt is not None and prompt.answered_at is None and prompt.answer_until >= ctx.now:
        return _answer(ctx, prompt)  # whoever opens the link again is there
    at = clock(seat.joined_at or ctx.now, ctx.zone)
    return Reply(ctx.say("remote.joined_already", title=activity.title, time=at))


def present(ctx: Context) -> Reply:
    """`我在`: the answer to the question that was asked last."""
    prompt = remote_seats.last_asked(ctx.session, ctx.me)
    return _answer(ctx, prompt) if prompt is not None else Reply(ctx.say("remote.not_asked"))


def _here(ctx: Context) -> Reply:
    prompt_id = ctx.arg_id(1)
    prompt = remote_seats.prompt_of(ctx.session, prompt_id, ctx.me) if prompt_id is not None else None
    return _answer(ctx, prompt) if prompt is not None else Reply(ctx.say("remote.not_asked"))


def _answer(ctx: Context, prompt: PresencePrompt) -> Reply:
    say = ctx.say
    if prompt.asked_at is None:
        return Reply(say("remote.not_asked"))
    if prompt.answered_at is not None:
        return Reply(say("remote.answered_before"))
    assert prompt.id is not None
    if not remote_seats.answer(ctx.session, prompt.id, ctx.now):
        until = clock(prompt.answer_until, ctx.zone)
        return Reply(
            say("remote.answer_late", until=until), (Button(say("menu.find_secretary"), "find_secretary"),)
        )
    last = prompt.number >= MOMENTS
    return Reply(say("remote.answered_all" if last else "remote.answered", time=clock(ctx.now, ctx.zone)))


def _minutes(length: timedelta) -> int:
    return int(length.total_seconds()) // 60


REMOTE = Command(
    "remote",
    ("远程", "远程参加", "remote"),
    remote,
    slash=("/remote",),
    phrases=("我在外地", "视频参加", "线上参加", "join remotely", "我要远程参会"),
    only_mobile=True,
    order=85,
)
PRESENT = Command("present", ("我在", "在的", "i'm here"), present, in_menu=False, acts=True)
