"""The preview of a letter: how it will look, whom it reaches on which way, and what to type to send it."""

from __future__ import annotations

from collections.abc import Mapping

from db import audiences, letter_rights
from db.audiences import audience
from db.letters import Letter, Topic, fingerprint
from handlers.conversation import Button, Context, Reply
from handlers.letter_audience import said_audience
from handlers.letter_reach import reach
from notices import quiet
from notices.carried import described
from notices.channel import BACK_NUMBER, HOME_NUMBER
from notices.letter_repeats import repeat, said
from notices.letter_words import Reader, is_personal
from notices.letters import letter_message, needs_second_person
from notices.markup import Marked, joined
from notices.planner import ORDER

EDIT_NUMBER = 8  # takes the place of 9 when 9 is the number of people


def preview(ctx: Context, letter: Letter, *, note: str = "") -> Reply:
    """The letter as it will look, how many people it reaches on which way, and how to send it."""
    whom = audience(letter.audience)
    reached = reach(ctx, whom, letter.topic_id)
    count = reached.count
    topic = ctx.session.get(Topic, letter.topic_id)
    assert topic is not None
    me = Reader(ctx.who.name, ctx.who.branch_name)
    shown = letter_message(letter, topic, ctx.say, ctx.zone, reader=me)
    lines: list[str | Marked] = [note] if note else []
    lines += [ctx.say("broadcast.preview"), Marked(shown.text, shown.marks), "——"]
    lines += described(letter, ctx.say, ctx.zone)
    if is_personal(letter):
        lines.append(ctx.say("broadcast.personal"))
    if count == 0:
        lines.append(ctx.say("broadcast.nobody"))
        words = joined(lines)
        steps = _steps(ctx, letter, count)
        return Reply(words.text, steps, shown.picture, back="broadcast", marks=words.marks)
    ways = _ways(ctx, reached.ways)
    if whom.field is not None or whom.region_id is not None:
        lines.append(ctx.say("broadcast.scope", scope=said_audience(ctx, whom)))
    reaches = "goes_to" if letter.repeats is None else "are_there"
    lines.append(ctx.say(f"broadcast.{reaches}", count=count, ways=ways))
    if reached.left and not topic.mandatory:
        lines.append(ctx.say("broadcast.have_left", count=reached.left))
    lines.append(_night(ctx, letter) if letter.repeats is None else said(repeat(letter.repeats), ctx.say))
    lines.append(_how(ctx, letter, count))
    words = joined(lines)
    expect = f"broadcast:confirm:{letter.id}:{count}:{fingerprint(letter)[:12]}"
    steps = _steps(ctx, letter, count, expect)
    return Reply(words.text, steps, shown.picture, expect=expect, marks=words.marks)


def _steps(ctx: Context, letter: Letter, count: int, confirm: str = "") -> tuple[Button, ...]:
    """Next steps whose numbers are never the number of people: that one sends."""
    numbers = [number for number in range(1, EDIT_NUMBER) if number != count]
    edit_number = EDIT_NUMBER if count == BACK_NUMBER else BACK_NUMBER
    second = "edit_until" if letter.repeats is None else "repeat"
    steps = [
        Button(ctx.say("broadcast.rehearse"), f"broadcast:rehearse:{letter.id}", numbers[0]),
        Button(
            ctx.say(f"broadcast.{second}"), f"broadcast:{second.removeprefix('edit_')}:{letter.id}", numbers[1]
        ),
        Button(ctx.say("broadcast.edit"), f"broadcast:edit:{letter.id}", edit_number),
        Button(ctx.say("broadcast.drop"), f"broadcast:drop:{letter.id}", HOME_NUMBER),
    ]
    if count == BACK_NUMBER:  # 9 is `back` in every message, unless the message gives it a meaning of its own
        steps.insert(2, Button(ctx.say("broadcast.send_to", count=count), f"{confirm}:{count}", BACK_NUMBER))
    return tuple(steps)


def _ways(ctx: Context, ways: Mapping[str, int]) -> str:
    """`微信 17、Telegram 2、网页 5、另有 4 人未绑定`."""
    order = (*ORDER, audiences.OTHER, audiences.UNREACHABLE, audiences.UNBOUND)
    found = [ctx.say(f"broadcast.way_{way}", count=ways[way]) for way in order if ways.get(way)]
    return ctx.say("broadcast.between").join(found)


def _night(ctx: Context, letter: Letter) -> str:
    if letter.urgent:
        return ctx.say("broadcast.even_at_night")
    night = quiet.until(ctx.now, ctx.zone)
    if night is None:
        return ctx.say("broadcast.quiet_later", begins=quiet.shown(quiet.FROM_MINUTE))
    return ctx.say("broadcast.quiet_now", ends=quiet.shown(quiet.TO_MINUTE))


def _how(ctx: Context, letter: Letter, count: int) -> str:
    own = letter_rights.in_own_branch(ctx.session, letter, ctx.me, ctx.today)
    verb = "submit" if needs_second_person(letter, own=own) else "send" if letter.repeats is None else "stand"
    edit_number = EDIT_NUMBER if count == BACK_NUMBER else BACK_NUMBER
    return ctx.say(f"broadcast.type_to_{verb}", count=count, edit=edit_number)
