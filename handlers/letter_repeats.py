"""Letters that go out again: when, until which day, which ones stand, and how to end one."""

from __future__ import annotations

import re
from datetime import date, timedelta

from db import letter_series
from db.letters import Letter
from handlers.conversation import Button, Context, Reply
from handlers.letter_draft import gone, mine, reopen, store
from handlers.letter_preview import preview
from handlers.spoken_time import spoken_day, spoken_window
from notices.letter_repeats import BY_CALENDAR, BY_EVENT, LAST_DAY, Repeat, repeat, said
from notices.letter_series import end
from notices.letters import name_of

LONGEST = timedelta(days=366)  # a standing letter that nobody looked at for a year has been forgotten
_LAST_DAY = re.compile("最后一天|月底|月末|last day", re.IGNORECASE)
SHOWN = 6


def choose(ctx: Context) -> Reply:
    """`broadcast:repeat:ID`, then with one of the ways behind it."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    when = ctx.arg(2)
    if when == "once":
        return _set(ctx, letter, None)
    if when in BY_CALENDAR:
        expect = f"broadcast:repeat_at:{letter.id}:{when}"
        return Reply(ctx.say(f"letter_series.when_{when}"), expect=expect, back=f"broadcast:repeat:{letter.id}")
    if when in BY_EVENT:
        return _until(ctx, letter, Repeat(when, ctx.today))
    ways = ("once", *BY_CALENDAR, *BY_EVENT) if letter.repeats else (*BY_CALENDAR, *BY_EVENT)
    steps = tuple(Button(ctx.say(f"letter_series.{way}"), f"broadcast:repeat:{letter.id}:{way}") for way in ways)
    return Reply(ctx.say("letter_series.which"), steps, back=f"broadcast:more:{letter.id}")


def at(ctx: Context) -> Reply:
    """`broadcast:repeat_at:ID:WAY` with what was typed: the day of the week or month, and the time."""
    letter, when = mine(ctx), ctx.arg(2)
    if letter is None or when not in BY_CALENDAR:
        return gone(ctx)
    text = ctx.args[-1] if len(ctx.args) > 3 else ""
    last = when == "month" and bool(_LAST_DAY.search(text))
    found = spoken_window(_LAST_DAY.sub("", text) if last else text, ctx.now, ctx.zone)
    if found is None:
        wrong = ctx.say("letter_series.when_wrong", example=ctx.say(f"letter_series.example_{when}"))
        return Reply(wrong, expect=f"broadcast:repeat_at:{letter.id}:{when}", back=f"broadcast:repeat:{letter.id}")
    begins = found.starts_at.astimezone(ctx.zone)
    day = LAST_DAY if last else begins.day if when == "month" else begins.weekday()
    return _until(ctx, letter, Repeat(when, ctx.today, day, 60 * begins.hour + begins.minute))


def _until(ctx: Context, letter: Letter, one: Repeat, note: str = "") -> Reply:
    """Ask for the last day. What was said so far goes along in the action."""
    action = f"broadcast:repeat_until:{letter.id}:{one.when}:{one.day}:{one.minute}"
    steps = (
        Button(ctx.say("letter_series.until_year"), f"{action}:year"),
        Button(ctx.say("letter_series.until_longest"), f"{action}:longest"),
    )
    text = note or ctx.say("letter_series.until_which")
    return Reply(text, steps, expect=action, back=f"broadcast:repeat:{letter.id}")


def until(ctx: Context) -> Reply:
    """`broadcast:repeat_until:ID:WAY:DAY:MINUTE` with the last day, typed or one of the two that are offered."""
    letter, when, day, minute = mine(ctx), ctx.arg(2), ctx.arg_id(3), ctx.arg_id(4)
    known = when in (*BY_CALENDAR, *BY_EVENT) and day is not None and minute is not None
    if letter is None or not known or day is None or minute is None:
        return gone(ctx)
    if day > (6 if when == "week" else LAST_DAY) or minute >= 24 * 60 or (when == "month" and day < 1):
        return gone(ctx)
    typed = ctx.args[-1] if len(ctx.args) > 5 else ""
    offered = {"year": date(ctx.today.year, 12, 31), "longest": ctx.today + LONGEST}
    last = offered.get(typed) or spoken_day(typed, ctx.today)
    one = Repeat(when, last or ctx.today, day, minute)
    if last is None or last > ctx.today + LONGEST:
        return _until(ctx, letter, one, ctx.say("letter_series.until_wrong"))
    return _set(ctx, letter, one)


def _set(ctx: Context, letter: Letter, one: Repeat | None) -> Reply:
    reopen(ctx, letter)
    letter.repeats = one.to_json() if one is not None else None
    if one is not None:
        letter.answer_until = None  # an hour of one day means nothing on the next
    store(ctx, letter)
    return preview(ctx, letter)


def standing(ctx: Context) -> Reply:
    """`broadcast:series`, or with a letter's number behind it: what goes out again by itself."""
    found = letter_series.of_author(ctx.session, ctx.me)
    if ctx.arg_id(1) is not None:
        chosen = next((one for one in found if one.id == ctx.arg_id(1)), None)
        return _unknown(ctx) if chosen is None else _show(ctx, chosen)
    if not found:
        return Reply(ctx.say("letter_series.none"), (Button(ctx.say("menu.broadcast"), "broadcast"),))
    steps = tuple(Button(name_of(one), f"broadcast:series:{one.id}") for one in found[:SHOWN])
    return Reply(ctx.say("letter_series.yours"), steps, back="broadcast")


def _show(ctx: Context, letter: Letter) -> Reply:
    assert letter.id is not None
    assert letter.repeats is not None
    count = len(letter_series.made(ctx.session, letter.id))
    text = ctx.say("letter_series.shown", said=said(repeat(letter.repeats), ctx.say), count=count)
    stop = Button(ctx.say("letter_series.end"), f"broadcast:series_end:{letter.id}")
    return Reply("\n".join((f"“{name_of(letter)}”", text)), (stop,), back="broadcast:series")


def stop(ctx: Context) -> Reply:
    """`broadcast:series_end:ID`: no more of it, at once: it can do no harm."""
    chosen = next((one for one in letter_series.of_author(ctx.session, ctx.me) if one.id == ctx.arg_id(1)), None)
    if chosen is None or not end(ctx.session, chosen, by=ctx.me, why="author", now=ctx.now):
        return _unknown(ctx)
    return Reply(ctx.say("letter_series.ended", name=name_of(chosen)), back="broadcast:series")


def begun(ctx: Context, letter: Letter) -> str:
    """What its author is told when a standing letter begins."""
    assert letter.repeats is not None
    return ctx.say("letter_series.begun", said=said(repeat(letter.repeats), ctx.say))


def _unknown(ctx: Context) -> Reply:
    return Reply(ctx.say("letter_series.not_there"), (Button(ctx.say("menu.broadcast"), "broadcast"),))
