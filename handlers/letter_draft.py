"""The draft of a letter: topic, words, time for answers, and the preview that shows what would happen."""

from __future__ import annotations

from typing import Any

from db import audiences, audit, letters
from db.audiences import Audience, audience
from db.letters import Letter, Topic
from db.organizations import Organization
from handlers.conversation import Button, Context, Reply
from handlers.letter_audience import name_for, refused
from handlers.spoken_time import spoken_window
from notices import quiet
from notices.channel import BACK_NUMBER, HOME_NUMBER
from notices.letters import OWN_LEVELS, TEXT_MAX, key_of, letter_message, needs_second_person, parted, topic_title
from notices.planner import ORDER

OPEN = ("draft", "submitted")  # states in which the author may still change it
EDIT_NUMBER = 8  # takes the place of 9 when 9 is the number of people


def mine(ctx: Context) -> Letter | None:
    """The letter in the arguments, if I may still change it. An approval that begins now waits for what I do."""
    letter_id = ctx.arg_id(1)
    lock = {"with_for_update": True, "populate_existing": True}
    letter = ctx.session.get(Letter, letter_id, **lock) if letter_id is not None else None
    if letter is None or letter.author_id != ctx.me or letter.state not in OPEN:
        return None
    if name_for(ctx, audience(letter.audience)) is None:  # the role has ended meanwhile
        return None
    return letter


def reopen(ctx: Context, letter: Letter) -> None:
    """Void a submission: whatever is changed now has to be approved anew."""
    if letter.state != "submitted":
        return
    void = {"state": "draft", "content_hash": "", "submitted_at": None}
    if letters.move(ctx.session, letter, was=("submitted",), **void):
        said = {"subject": key_of(letter), "step": ctx.arg()}
        audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.voided", **said)


def gone(ctx: Context) -> Reply:
    """A button of a draft that was sent, dropped, or is somebody else's."""
    return Reply(ctx.say("broadcast.draft_gone"), (Button(ctx.say("menu.broadcast"), "broadcast"),))


def choose_topic(ctx: Context) -> Reply:
    """`broadcast:topic:NODE:WHO`: on what; with the topic behind it, a new draft begins."""
    node_id, who = ctx.arg_id(1), ctx.arg(2)
    if node_id is None or name_for(ctx, Audience(node_id, who)) is None:
        return refused(ctx)
    topic = ctx.session.get(Topic, ctx.arg(3))
    if topic is not None:
        return _begin(ctx, Audience(node_id, who), topic)
    steps = tuple(
        Button(topic_title(one, ctx.say), f"broadcast:topic:{node_id}:{who}:{one.id}")
        for one in letters.topics(ctx.session)
    )
    return Reply(ctx.say("broadcast.which_topic"), steps, back=f"broadcast:whom:{node_id}")


def _begin(ctx: Context, whom: Audience, topic: Topic) -> Reply:
    node = name_for(ctx, whom)
    assert node is not None
    assert node.id is not None
    letters.drop_drafts(ctx.session, ctx.me)
    letter = Letter(
        topic_id=topic.id,
        author_id=ctx.me,
        organization_id=node.id,
        audience=whom.to_json(),
        title="",
        body="",
        lane=1 if node.level in OWN_LEVELS else 2,
        created_at=ctx.now,
    )
    ctx.session.add(letter)
    ctx.session.flush()
    return ask_text(ctx, letter)


def ask_text(ctx: Context, letter: Letter) -> Reply:
    """Wait for the words of the letter."""
    text = ctx.say("broadcast.write", most=TEXT_MAX)
    back = f"broadcast:show:{letter.id}" if letter.body else f"broadcast:whom:{letter.audience['node']}"
    return Reply(text, expect=f"broadcast:text:{letter.id}", back=back)


def text_given(ctx: Context) -> Reply:
    """`broadcast:text:ID` with what was typed."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    if len(ctx.args) < 3 or not ctx.args[-1].strip():
        return ask_text(ctx, letter)
    # The cleaned text is cut at some length; what was really sent says how long it was.
    length = max(len(ctx.args[-1]), len(ctx.incoming.text.strip()))
    if length > TEXT_MAX:
        say = ctx.say("broadcast.too_long", length=length, most=TEXT_MAX, over=length - TEXT_MAX)
        return Reply(say, expect=f"broadcast:text:{letter.id}", back=f"broadcast:show:{letter.id}")
    reopen(ctx, letter)
    letter.title, letter.body = parted(ctx.args[-1])
    _store(ctx, letter)
    return preview(ctx, letter)


def show(ctx: Context) -> Reply:
    """`broadcast:show:ID`: the preview, or the question for the words that are still missing."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    return preview(ctx, letter) if letter.body else ask_text(ctx, letter)


def edit(ctx: Context) -> Reply:
    """`broadcast:edit:ID`: what to change."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    ask = "no_ask" if letter.ask == "ack" else "do_ask"
    urgent = "not_urgent" if letter.urgent else "urgent"
    steps = (
        Button(ctx.say("broadcast.edit_text"), f"broadcast:text:{letter.id}"),
        Button(ctx.say("broadcast.edit_until"), f"broadcast:until:{letter.id}"),
        Button(ctx.say(f"broadcast.{ask}"), f"broadcast:ask:{letter.id}"),
        Button(ctx.say(f"broadcast.{urgent}"), f"broadcast:urgent:{letter.id}"),
        Button(ctx.say("broadcast.edit_whom"), "broadcast"),
    )
    return Reply(ctx.say("broadcast.edit_which"), steps, back=f"broadcast:show:{letter.id}")


def toggle_ask(ctx: Context) -> Reply:
    """`broadcast:ask:ID`: with or without the 收到 button."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    reopen(ctx, letter)
    letter.ask = "none" if letter.ask == "ack" else "ack"
    _store(ctx, letter)
    return preview(ctx, letter)


def toggle_urgent(ctx: Context) -> Reply:
    """`broadcast:urgent:ID`: also in quiet hours, and then only with a second person."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    reopen(ctx, letter)
    letter.urgent = not letter.urgent
    node = ctx.session.get(Organization, letter.organization_id)
    assert node is not None
    letter.lane = 0 if letter.urgent else 1 if node.level in OWN_LEVELS else 2
    _store(ctx, letter)
    return preview(ctx, letter)


def until(ctx: Context) -> Reply:
    """`broadcast:until:ID` with what was typed: until when an answer is asked for."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    waiting: dict[str, Any] = {"expect": f"broadcast:until:{letter.id}", "back": f"broadcast:show:{letter.id}"}
    if len(ctx.args) < 3:
        return Reply(ctx.say("broadcast.until_when"), **waiting)
    found = spoken_window(ctx.args[-1], ctx.now, ctx.zone)
    if found is None or found.starts_at <= ctx.now:
        return Reply(ctx.say("broadcast.until_wrong"), **waiting)
    reopen(ctx, letter)
    letter.answer_until, letter.ask = found.starts_at.astimezone(ctx.now.tzinfo), "ack"
    _store(ctx, letter)
    return preview(ctx, letter)


def _store(ctx: Context, letter: Letter) -> None:
    letter.content_hash = ""
    ctx.session.add(letter)
    ctx.session.flush()


def preview(ctx: Context, letter: Letter, *, note: str = "") -> Reply:
    """The letter as it will look, how many people it reaches on which way, and how to send it."""
    whom = audience(letter.audience)
    recipients = audiences.members_in(ctx.session, whom, ctx.today)
    count = audiences.count(ctx.session, whom, ctx.today)
    topic = ctx.session.get(Topic, letter.topic_id)
    assert topic is not None
    shown = letter_message(letter, topic, ctx.say, ctx.zone).text
    lines = [note] if note else []
    lines += [ctx.say("broadcast.preview"), shown, "——"]
    if count == 0:
        lines.append(ctx.say("broadcast.nobody"))
        return Reply("\n".join(lines), _steps(ctx, letter, count), back="broadcast")
    ways = _ways(ctx, audiences.ways(ctx.session, recipients, ORDER))
    lines.append(ctx.say("broadcast.goes_to", count=count, ways=ways))
    left = 0 if topic.mandatory else audiences.left_topic(ctx.session, recipients, topic.id)
    if left:
        lines.append(ctx.say("broadcast.have_left", count=left))
    lines += [_night(ctx, letter), _how(ctx, letter, count)]
    mark = letters.fingerprint(letter)[:12]
    expect = f"broadcast:confirm:{letter.id}:{count}:{mark}"
    return Reply("\n".join(lines), _steps(ctx, letter, count, expect), expect=expect)


def _steps(ctx: Context, letter: Letter, count: int, confirm: str = "") -> tuple[Button, ...]:
    """Next steps whose numbers are never the number of people: that one sends."""
    numbers = [number for number in range(1, EDIT_NUMBER) if number != count]
    edit_number = EDIT_NUMBER if count == BACK_NUMBER else BACK_NUMBER
    steps = [
        Button(ctx.say("broadcast.rehearse"), f"broadcast:rehearse:{letter.id}", numbers[0]),
        Button(ctx.say("broadcast.edit_until"), f"broadcast:until:{letter.id}", numbers[1]),
        Button(ctx.say("broadcast.edit"), f"broadcast:edit:{letter.id}", edit_number),
        Button(ctx.say("broadcast.drop"), f"broadcast:drop:{letter.id}", HOME_NUMBER),
    ]
    if count == BACK_NUMBER:  # 9 is `back` in every message, unless the message gives it a meaning of its own
        steps.insert(2, Button(ctx.say("broadcast.send_to", count=count), f"{confirm}:{count}", BACK_NUMBER))
    return tuple(steps)


def _ways(ctx: Context, ways: dict[str, int]) -> str:
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
    node = ctx.session.get(Organization, letter.organization_id)
    assert node is not None
    verb = "submit" if needs_second_person(letter, node) else "send"
    edit_number = EDIT_NUMBER if count == BACK_NUMBER else BACK_NUMBER
    return ctx.say(f"broadcast.type_to_{verb}", count=count, edit=edit_number)
