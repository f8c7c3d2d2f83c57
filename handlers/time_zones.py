"""Where a member's night is: picked from a few places, or written."""

from __future__ import annotations

from db import members
from handlers.conversation import Button, Context, Reply
from notices.time_zones import Place, named, place_of, places, zone_of


def time_zone(ctx: Context) -> Reply:
    """`letters:zone`, `letters:zone:city`, `letters:zone:ID` (with `-` for `/`), or what was typed after `say`."""
    word = ctx.arg(1)
    if word == "city":
        return _set(ctx, None)
    if not word:
        return _offered(ctx, ctx.say("letters.zone_which", now=_now(ctx)))
    found = named(" ".join(ctx.args[2:]) if word == "say" else word.replace("-", "/"))
    return _set(ctx, found) if found else _offered(ctx, ctx.say("letters.zone_wrong"))


def _offered(ctx: Context, text: str) -> Reply:
    steps = [Button(ctx.say("letters.zone_city"), "letters:zone:city")]
    steps += [_step(ctx, one) for one in places() if one.offered]
    return Reply(text, tuple(steps), expect="letters:zone:say", back="letters:quiet")


def _step(ctx: Context, place: Place) -> Button:
    return Button(place.name_in(ctx.say.language), f"letters:zone:{place.id.replace('/', '-')}")


def _set(ctx: Context, zone_id: str | None) -> Reply:
    member = members.get(ctx.session, ctx.me)
    member.timezone = None if zone_id == ctx.zone.key else zone_id
    ctx.session.add(member)
    quiet = Button(ctx.say("letters.quiet"), "letters:quiet")
    return Reply(ctx.say("letters.zone_set", now=_now(ctx)), (quiet,), back="letters")


def _now(ctx: Context) -> str:
    """`美国东部，当地现在 00:00`."""
    zone_id = members.get(ctx.session, ctx.me).timezone
    place = ctx.say("letters.zone_city") if zone_id is None else place_of(zone_id).name_in(ctx.say.language)
    here = ctx.now.astimezone(zone_of(zone_id, ctx.zone))
    return ctx.say("letters.zone_now", place=place, time=f"{here:%H:%M}")
