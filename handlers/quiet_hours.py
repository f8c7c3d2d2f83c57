"""Quiet hours of one's own: picked from a few, or written."""

from __future__ import annotations

import re

from db import members
from handlers.conversation import Button, Context, Reply
from handlers.meaning import folded
from handlers.spoken_time import spoken_window
from notices import quiet

CHOICES = ((20 * 60, 8 * 60), (22 * 60 + 30, 6 * 60 + 30))  # minutes after midnight, beside the city's hours
_HOURS = re.compile(r"([0-9]{1,2})[:：]([0-9]{2})\s*(?:-|–|—|~|到|至|to)\s*([0-9]{1,2})[:：]([0-9]{2})")


def hours(ctx: Context) -> tuple[int, int]:
    """The quiet hours that hold for me, in minutes after local midnight."""
    member = members.get(ctx.session, ctx.me)
    begins, ends = member.quiet_from_minute, member.quiet_to_minute
    return quiet.FROM_MINUTE if begins is None else begins, quiet.TO_MINUTE if ends is None else ends


def quiet_hours(ctx: Context) -> Reply:
    """`letters:quiet`, `letters:quiet:city`, `letters:quiet:1200:480` (minutes), or typed hours after `say`."""
    if ctx.arg(1) == "city":
        return _set_quiet(ctx, None)
    if ctx.arg(1) == "say":
        return _quiet_typed(ctx, ctx.arg(2))
    begins, ends = ctx.arg_id(1), ctx.arg_id(2)
    if begins is not None and ends is not None and max(begins, ends) < 24 * 60:
        return _set_quiet(ctx, (begins, ends))
    return _offered(ctx, ctx.say("letters.quiet_which", now=_span(ctx, *hours(ctx))))


def _offered(ctx: Context, text: str) -> Reply:
    """`text` with the few hours to pick from; others can be written."""
    city = _span(ctx, quiet.FROM_MINUTE, quiet.TO_MINUTE)
    steps = [Button(ctx.say("letters.quiet_city", hours=city), "letters:quiet:city")]
    for first, last in CHOICES:
        steps.append(Button(_span(ctx, first, last), f"letters:quiet:{first}:{last}"))
    steps.append(Button(ctx.say("letters.quiet_off"), "letters:quiet:0:0"))
    steps.append(Button(ctx.say("letters.zone"), "letters:zone"))
    return Reply(text, tuple(steps), expect="letters:quiet:say", back="letters")


def _quiet_typed(ctx: Context, text: str) -> Reply:
    found = _HOURS.fullmatch(folded(text))
    numbers = [int(group) for group in found.groups()] if found else _spoken(ctx, text)
    if numbers[0] > 23 or numbers[2] > 23 or max(numbers[1], numbers[3]) > 59:
        return _offered(ctx, ctx.say("letters.quiet_wrong"))
    return _set_quiet(ctx, (numbers[0] * 60 + numbers[1], numbers[2] * 60 + numbers[3]))


def _spoken(ctx: Context, text: str) -> list[int]:
    """`晚上十点到早上六点` as hour, minute, hour, minute; numbers that no clock shows for anything else."""
    window = spoken_window(text, ctx.now, ctx.zone)
    if window is None or window.ends_at is None:
        return [99] * 4
    begins, ends = window.starts_at.astimezone(ctx.zone), window.ends_at.astimezone(ctx.zone)
    return [begins.hour, begins.minute, ends.hour, ends.minute]


def _set_quiet(ctx: Context, chosen: tuple[int, int] | None) -> Reply:
    member = members.get(ctx.session, ctx.me)
    member.quiet_from_minute, member.quiet_to_minute = chosen or (None, None)
    ctx.session.add(member)
    return Reply(ctx.say("letters.quiet_set", now=_span(ctx, *hours(ctx))), back="letters")


def _span(ctx: Context, begins: int, ends: int) -> str:
    return ctx.say("letters.quiet_none") if begins == ends else f"{quiet.shown(begins)}–{quiet.shown(ends)}"
