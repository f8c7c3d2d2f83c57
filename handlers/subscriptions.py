"""What a member wants to hear: topic by topic, or a pause until a day. It belongs to the member, not to a chat."""

from __future__ import annotations

import re
from datetime import date, timedelta

from db import letters, members
from db.letters import Topic
from handlers.conversation import Button, Context, Reply
from handlers.meaning import folded
from handlers.spoken_time import spoken_day
from notices.letters import topic_title

PAUSES = {"week": timedelta(days=7), "month": timedelta(days=30)}
ALL = "all"
EVERYTHING = ("全部", "所有", "全部红信", "所有红信", "全部主题", "所有主题", "everything")
PAUSE_MAX = timedelta(days=366)
_SPAN = re.compile(r"(\d{1,3})\s*(天|日|days?|个?星期|个?礼拜|周|weeks?|个?月|months?)")
_DAYS_OF = {"天": 1, "日": 1, "d": 1, "周": 7, "期": 7, "拜": 7, "w": 7, "月": 30, "m": 30}
_SPOKEN = {
    "半个月": 15,
    "半月": 15,
    "两周": 14,
    "两个星期": 14,
    "一周": 7,
    "一个星期": 7,
    "一个月": 30,
    "两个月": 60,
}


def topics(ctx: Context) -> Reply:
    """`letters:topics`: every topic with what was chosen; a number changes it."""
    left = letters.left_topics(ctx.session, ctx.me)
    steps: list[Button] = []
    for topic in letters.topics(ctx.session):
        state = "must" if topic.mandatory else "off" if topic.id in left else "on"
        verb = "on" if state == "off" else "off"
        label = ctx.say(f"letters.topic_{state}", title=topic_title(topic, ctx.say))
        steps.append(Button(label, f"letters:{verb}:{topic.id}"))
    if any(not topic.mandatory and topic.id not in left for topic in letters.topics(ctx.session)):
        steps.append(Button(ctx.say("letters.leave_all"), f"letters:off:{ALL}"))
    return Reply(ctx.say("letters.topics_which"), tuple(steps), back="letters")


def on(ctx: Context) -> Reply:
    """`letters:on:TOPIC`, or `订阅 法律小常识`."""
    topic = _topic(ctx)
    return topics(ctx) if topic is None else choose(ctx, topic, wanted=True)


def off(ctx: Context) -> Reply:
    """`letters:off:TOPIC`, `letters:off:all`, or `退订 法律小常识` and `退订全部`."""
    if folded(" ".join(ctx.args[1:])) in (ALL, *EVERYTHING):
        return _leave_all(ctx)
    topic = _topic(ctx)
    return topics(ctx) if topic is None else choose(ctx, topic, wanted=False)


def _topic(ctx: Context) -> Topic | None:
    """The topic in the arguments: its id from a button, or its name in either language as it was typed."""
    found = ctx.session.get(Topic, ctx.arg(1))
    if found is not None:
        return found
    said = folded(" ".join(ctx.args[1:]))
    named = [one for one in letters.topics(ctx.session) if said in (one.title.lower(), one.title_en.lower())]
    return named[0] if said and len(named) == 1 else None


def _leave_all(ctx: Context) -> Reply:
    """Leave every topic that can be left."""
    found = letters.topics(ctx.session)
    for topic in found:
        if not topic.mandatory:
            letters.choose(ctx.session, ctx.me, topic.id, wanted=False, at=ctx.now)
    must = ctx.say("letters.still_mandatory") if any(topic.mandatory for topic in found) else ""
    listed = Button(ctx.say("letters.topics"), "letters:topics")
    return Reply(ctx.say("letters.left_all") + must, (listed,), back="letters")


def choose(ctx: Context, topic: Topic, *, wanted: bool) -> Reply:
    """Take the topic or leave it; one that is mandatory cannot be left."""
    title = topic_title(topic, ctx.say)
    listed = Button(ctx.say("letters.topics"), "letters:topics")
    if topic.mandatory and not wanted:
        return Reply(ctx.say("letters.cannot_leave", title=title), (listed,), back="letters")
    letters.choose(ctx.session, ctx.me, topic.id, wanted=wanted, at=ctx.now)
    done, undo, verb = ("joined", "undo_join", "off") if wanted else ("left", "rejoin", "on")
    back = Button(ctx.say(f"letters.{undo}"), f"letters:{verb}:{topic.id}")
    return Reply(ctx.say(f"letters.{done}", title=title), (back, listed), back="letters")


def pause(ctx: Context) -> Reply:
    """`letters:pause`, `letters:pause:week`, or after `say` and in `暂停到 3月1日` what was typed."""
    typed = _bare(" ".join(ctx.args[2:])) if ctx.arg(1) == "say" else ""
    span = PAUSES.get(ctx.arg(1))
    until = ctx.today + span if span else until_day(typed, ctx.today) if typed else None
    if until is None:
        steps = tuple(Button(ctx.say(f"letters.{name}"), f"letters:pause:{name}") for name in PAUSES)
        text = ctx.say("letters.pause_wrong" if typed else "letters.pause_which")
        return Reply(text, steps, expect="letters:pause:say", back="letters")
    _set_pause(ctx, until)
    resume_step = Button(ctx.say("letters.resume"), "letters:resume")
    return Reply(ctx.say("letters.paused_now", day=said_day(ctx, until)), (resume_step,), back="letters")


def until_day(text: str, today: date) -> date | None:
    """The day on which letters come again: `3月1日`, `到下周一`, `10天`; None: none, past, or over a year away."""
    said = _bare(text)
    spoken = next((days for word, days in _SPOKEN.items() if said == word), None)
    span = _SPAN.fullmatch(said)
    if spoken is None and span is not None:
        unit = span[2]
        spoken = int(span[1]) * (_DAYS_OF.get(unit[-1]) or _DAYS_OF[unit[0]])
    day = today + timedelta(days=spoken) if spoken is not None else spoken_day(said, today)
    return day if day is not None and today < day <= today + PAUSE_MAX else None


def _bare(text: str) -> str:
    """What was said of the day or the time, without the words around it; empty when those were all."""
    said = folded(text)
    for word in ("暂停", "接收", "红信", "pause", "until", "for", "到", "至"):
        said = said.removeprefix(word).strip()
    return said


def said_day(ctx: Context, day: date) -> str:
    """`3 月 1 日`, with the year when it is another one."""
    name = "letters.day" if day.year == ctx.today.year else "letters.day_of_year"
    return ctx.say(name, year=day.year, month=day.month, day=day.day)


def resume(ctx: Context) -> Reply:
    """`letters:resume`: letters come again from now on."""
    _set_pause(ctx, None)
    return Reply(ctx.say("letters.resumed"), (Button(ctx.say("letters.last"), "letters:last"),), back="letters")


def _set_pause(ctx: Context, until: date | None) -> None:
    member = members.get(ctx.session, ctx.me)
    member.letters_paused_until = until
    ctx.session.add(member)
