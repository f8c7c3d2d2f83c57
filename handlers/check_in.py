"""Checking in to an activity: by code, by button, by scan; once; with ten minutes to undo it."""

from __future__ import annotations

from datetime import datetime, timedelta

from db import activities, attendance, ledger, members, occurrences
from db.activities import CheckIn
from handlers.conversation import Button, Command, Context, Reply
from notices import closing
from notices.wording import two_places
from scoring.booking import RULES, book_attendance, cause_of
from scoring.catalogue import shipped
from scoring.standing import pay, standing
from scoring.stars import next_band

UNDO_FOR = timedelta(minutes=10)
SHOWN_MAX = 5  # open activities in one message


def check_in(ctx: Context) -> Reply:
    """`签到`, `签到 8841`, a scanned code, or a button: CODE, CODE:undo, CODE:remind."""
    code = ctx.arg().replace("-", "")
    if not code:
        return _open_ones(ctx)
    activity = activities.by_code(ctx.session, code)
    if activity is None or not activities.invited(ctx.session, activity, ctx.who.branch_path):
        # The same words for both: nobody learns which codes other branches use.
        return Reply(ctx.say("check_in.unknown_code"), (Button(ctx.say("check_in.list"), "check_in"),))
    if ctx.arg(1) == "undo":
        return _undo(ctx, activity)
    if ctx.arg(1) == "remind":
        return _remind(ctx, activity)
    return _enter(ctx, activity)


def _open_ones(ctx: Context) -> Reply:
    open_now = activities.open_for(ctx.session, ctx.who.branch_path, ctx.now)[:SHOWN_MAX]
    if not open_now:
        buttons = (Button(ctx.say("menu.activities"), "activities"),)
        return Reply(ctx.say("check_in.none_open"), buttons)
    if len(open_now) == 1:
        return _enter(ctx, open_now[0])
    return Reply(
        ctx.say("check_in.which"),
        tuple(Button(_told(ctx, activity), f"check_in:{activity.code}") for activity in open_now),
    )


def _told(ctx: Context, activity: CheckIn) -> str:
    """An activity as one choice: title, whose it is, when, where."""
    return ctx.say(
        f"check_in.choice_{activity.scope}",
        title=activity.title,
        time=_clock(ctx, activity.starts_at),
        place=activity.place,
        points=_points(ctx, activity),
    )


def _points(ctx: Context, activity: CheckIn) -> int:
    due = pay(RULES[activity.scope], activity.starts_at.astimezone(ctx.zone).date())
    return due.points if due else 0


def _enter(ctx: Context, activity: CheckIn) -> Reply:
    say = ctx.say
    if activity.state == "cancelled":
        return Reply(say("check_in.cancelled", title=activity.title))
    if not activity.check_in_opens_at <= ctx.now <= activity.check_in_closes_at:
        return _outside(ctx, activity)
    attended_round = attendance.record(
        ctx.session,
        activity_id=activity.id,
        member_id=ctx.me,
        mode="onsite",
        evidence=ctx.incoming.kind,
        at=ctx.now,
    )
    if attended_round is None:
        return _already(ctx, activity)
    return _done(ctx, activity, _book(ctx, activity, attended_round))


def _outside(ctx: Context, activity: CheckIn) -> Reply:
    """Outside the window: those who are in hear that; the others, when it opens or that it has closed."""
    say = ctx.say
    known = attendance.found(ctx.session, activity.id, ctx.me)
    if known and known[0] == "present":
        return _already(ctx, activity)
    if ctx.now < activity.check_in_opens_at:
        opens = _day_and_clock(ctx, activity.check_in_opens_at)
        remind = Button(say("check_in.remind"), f"check_in:{activity.code}:remind")
        return Reply(say("check_in.too_early", title=activity.title, opens=opens), (remind,))
    closed = _day_and_clock(ctx, activity.check_in_closes_at)
    return Reply(say("check_in.too_late", title=activity.title, closed=closed))


def _already(ctx: Context, activity: CheckIn) -> Reply:
    known = attendance.found(ctx.session, activity.id, ctx.me)
    assert known is not None, "the unique key has just refused a second row"
    return Reply(
        ctx.say("check_in.already", title=activity.title, when=_when(ctx, known[2])),
        (Button(ctx.say("check_in.undo"), f"check_in:{activity.code}:undo"), _lines(ctx)),
    )


def _book(ctx: Context, activity: CheckIn, attended_round: int) -> int:
    """Book the points of one attendance for the member's branch on the activity's day; how many there were."""
    day = activity.starts_at.astimezone(ctx.zone).date()
    branch_id = ctx.branch_id
    if day != ctx.today:  # before midnight for an activity after it, or the other way round
        branch = members.branch_of(ctx.session, ctx.me, day)
        branch_id = branch.id if branch else None
    return book_attendance(
        ctx.session,
        activity_id=activity.id,
        scope=activity.scope,
        title=activity.title,
        starts_at=activity.starts_at,
        member_id=ctx.me,
        organization_id=branch_id,
        attended_round=attended_round,
        zone=ctx.zone,
        at=ctx.now,
    )


def _done(ctx: Context, activity: CheckIn, points: int) -> Reply:
    say = ctx.say
    text = say(f"check_in.done_{activity.scope}", title=activity.title, time=_clock(ctx, ctx.now), points=points)
    undo = Button(say("check_in.undo_soon"), f"check_in:{activity.code}:undo")
    return Reply(f"{text}\n{score_line(ctx)}", (undo, _lines(ctx)))


def score_line(ctx: Context) -> str:
    """Balance and this year's index in one line."""
    balance = ledger.balance(ctx.session, ctx.me)
    now = standing(ctx.session, ctx.me, ctx.today)
    if now is None:
        return ctx.say("check_in.balance", balance=balance)
    target = next_band(shipped().pioneer.terms_on(ctx.today).stars, now.score)
    if target is None:
        return ctx.say("check_in.balance_top", balance=balance, score=two_places(now.score))
    return ctx.say(
        "check_in.balance_index",
        balance=balance,
        score=two_places(now.score),
        stars=ctx.say(f"stars.{target[1]}"),
        bound=target[0] // 100,
    )


def _lines(ctx: Context) -> Button:
    return Button(ctx.say("check_in.lines"), "points:lines")


def _undo(ctx: Context, activity: CheckIn) -> Reply:
    say = ctx.say
    was = attendance.found(ctx.session, activity.id, ctx.me)
    if was is None or was[0] != "present":
        return Reply(say("check_in.nothing_to_undo"), (Button(say("menu.check_in"), "check_in"),))
    if ctx.now > was[2] + UNDO_FOR:
        return Reply(say("check_in.undo_too_late", when=_when(ctx, was[2])))
    attended_round = attendance.undo(ctx.session, activity.id, ctx.me)
    assert attended_round is not None, "read as present in this transaction"
    entry = ledger.line(ctx.session, ctx.me, cause_of(activity.id, attended_round))
    if entry is not None:
        ledger.reverse(ctx.session, entry, booked_at=ctx.now, reason=say("check_in.undone_reason"))
    if activity.state != "planned":  # closed early: its figures and study hours follow
        closing.close_again(ctx.session, activity.id, ctx.now, ctx.zone)
    again = Button(say("check_in.again"), f"check_in:{activity.code}")
    balance = ledger.balance(ctx.session, ctx.me)
    return Reply(say("check_in.undone", title=activity.title, balance=balance), (again,))


def undo_last(ctx: Context) -> Reply:
    """`撤销签到`: take back the last check-in, wherever it was."""
    activity_id = attendance.last_present(ctx.session, ctx.me)
    activity = activities.by_id(ctx.session, activity_id) if activity_id is not None else None
    if activity is None:
        return Reply(ctx.say("check_in.nothing_to_undo"), (Button(ctx.say("menu.check_in"), "check_in"),))
    return _undo(ctx, activity)


def _remind(ctx: Context, activity: CheckIn) -> Reply:
    occurrences.remind(
        ctx.session,
        member_id=ctx.me,
        kind="check_in_opens",
        subject=f"activity:{activity.id}",
        due_at=activity.check_in_opens_at,
        expires_at=activity.check_in_closes_at,
    )
    return Reply(ctx.say("check_in.will_remind", opens=_day_and_clock(ctx, activity.check_in_opens_at)))


def _clock(ctx: Context, at: datetime) -> str:
    return at.astimezone(ctx.zone).strftime("%H:%M")


def _day_and_clock(ctx: Context, at: datetime) -> str:
    """Only the time when it is today's."""
    return _clock(ctx, at) if at.astimezone(ctx.zone).date() == ctx.today else _when(ctx, at)


def _when(ctx: Context, at: datetime) -> str:
    """A time of today as people say it; of another day with its date."""
    local = at.astimezone(ctx.zone)
    if local.date() == ctx.today:
        return ctx.say("check_in.today_at", time=local.strftime("%H:%M"))
    return ctx.say("check_in.day_at", month=local.month, day=local.day, time=local.strftime("%H:%M"))


CHECK_IN = Command(
    "check_in",
    ("签到", "打卡", "check in", "checkin"),
    check_in,
    slash=("/checkin",),
    phrases=("我要签到", "我来签到", "我到了", "我到现场了", "来开会了", "报到", "i am here", "check me in"),
    order=10,
    acts=True,  # with one open activity there is nothing left to ask
)
UNDO_CHECK_IN = Command(
    "undo_check_in",
    ("撤销签到", "取消签到", "撤销", "undo"),
    undo_last,
    phrases=("签错了", "我签错了", "不签到了", "不想签到了", "undo my check-in"),
    in_menu=False,
    acts=True,
)
