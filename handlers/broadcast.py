"""Writing a Red Letter: to whom, on what, the words, a preview, and the number of people typed to send it."""

from __future__ import annotations

from typing import Any

from db import addressing, audit, letter_rights, letters
from db.audiences import audience
from db.letters import SENDING_ROLES, Letter, Topic
from handlers import (
    letter_audience,
    letter_draft,
    letter_extras,
    letter_longer,
    letter_mandatory,
    letter_reach,
    letter_refusals,
    letter_repeats,
    letter_templates,
)
from handlers.conversation import Button, Command, Context, Message, Reply
from handlers.letter_draft import gone, mine
from handlers.letter_preview import preview
from handlers.meaning import folded, typed_number
from notices.letter_series import begin
from notices.letter_words import Reader
from notices.letters import change_action, key_of, letter_message, name_of, needs_second_person
from notices.outbox import tell


def broadcast(ctx: Context) -> Reply:
    """`发红信`, or a button: a step of STEPS with its arguments."""
    step = STEPS.get(ctx.arg())
    return step(ctx) if step else letter_audience.start(ctx)


def _confirm(ctx: Context) -> Reply:
    """`broadcast:confirm:ID:COUNT:MARK` with the number that was typed: only the right one sends."""
    letter = mine(ctx)
    if letter is None or not letter.body:
        return gone(ctx)
    if letter.state != "draft":  # it was confirmed and waits for its second person: nothing is submitted twice
        letter_refusals.draft(ctx, letter)
        return gone(ctx)
    word, _, to = ctx.arg(4).strip().partition(" ")
    if to and folded(word) in map(folded, BROADCAST.words):
        ctx.args = (to,)  # another audience by its name, and no number
        return letter_audience.start(ctx)
    if ctx.picture_id is not None:
        return letter_draft.picture(ctx)
    if why := letter_refusals.picture(ctx, letter) or letter_mandatory.too_many(ctx, letter):
        return preview(ctx, letter, note=why)
    count = letter_reach.count(ctx, audience(letter.audience))
    shown, mark, typed = ctx.arg_id(2), ctx.arg(3), ctx.arg(4)
    number = typed_number(folded(typed).removesuffix("人").removesuffix("位"))
    if letters.fingerprint(letter)[:12] != mark:
        letter_refusals.draft(ctx, letter)
        return preview(ctx, letter, note=ctx.say("broadcast.has_changed"))
    if count != shown:
        letter_refusals.draft(ctx, letter)
        return preview(ctx, letter, note=ctx.say("broadcast.count_changed", before=shown, count=count))
    if letter_longer.is_part(typed):
        return letter_longer.put_behind(ctx, letter, typed.strip())
    if number != str(count) or count == 0:
        return preview(ctx, letter, note=ctx.say("broadcast.wrong_number", typed=typed[:20], count=count))
    own = letter_rights.in_own_branch(ctx.session, letter, ctx.me, ctx.today)
    if not needs_second_person(letter, own=own):
        return _send(ctx, letter, count)
    return submit(ctx, letter) or preview(ctx, letter, note=ctx.say("broadcast.no_approver"))


def _send(ctx: Context, letter: Letter, count: int) -> Reply:
    if begin(ctx.session, letter, ctx.now, ctx.zone):
        audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.stands", **facts(letter))
        see = Button(ctx.say("broadcast.series", count=1), f"broadcast:series:{letter.id}")
        return Reply(letter_repeats.begun(ctx, letter), (see,))
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.sent", **facts(letter))
    steps = (
        Button(ctx.say("broadcast.progress"), f"receipts:show:{letter.id}"),
        Button(ctx.say("broadcast.stop"), f"receipts:stop:{letter.id}"),
    )
    if addressing.is_open(ctx.session, key_of(letter)):
        return Reply(ctx.say("broadcast.started_large", count=count), steps)
    return Reply(ctx.say("broadcast.started", recipients=letter.recipients, unbound=letter.unbound), steps)


def facts(letter: Letter) -> dict[str, Any]:
    """What the audit log says about a letter: never its words, only their hash."""
    return {
        "subject": key_of(letter),
        "audience": letter.audience,
        "recipients": letter.recipients,
        "unbound": letter.unbound,
        "content": letter.content_hash,
        "urgent": letter.urgent,
    }


def submit(ctx: Context, letter: Letter) -> Reply | None:
    """Ask a second person; nobody is written to before one has approved exactly this. None: there is nobody."""
    people = letter_rights.approvers(ctx.session, letter, ctx.today)
    if not people:
        return None
    content_hash = letters.fingerprint(letter)
    letters.move(
        ctx.session, letter, was=("draft",), state="submitted", content_hash=content_hash, submitted_at=ctx.now
    )
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.submitted", **facts(letter))
    see = Button(ctx.say("broadcast.look"), f"approvals:show:{letter.id}")
    message = Message(ctx.say("broadcast.please_approve", name=name_of(letter)), (see,))
    key = f"{key_of(letter)}:submitted:{ctx.now.isoformat()}"
    for person in people:
        assert person.id is not None
        tell(ctx.session, member_id=person.id, key=key, message=message, now=ctx.now, urgent=letter.urgent)
    steps = [Button(ctx.say("broadcast.edit"), change_action(letter))]
    if letter.corrects is None:
        steps.append(Button(ctx.say("broadcast.drop"), f"broadcast:drop:{letter.id}"))
    return Reply(ctx.say("broadcast.submitted", count=len(people), mark=content_hash[:4]), tuple(steps))


def _rehearse(ctx: Context) -> Reply:
    """`broadcast:rehearse:ID`: send it to oneself alone, looking different from the real one."""
    letter = mine(ctx)
    if letter is None or not letter.body:
        return gone(ctx)
    topic = ctx.session.get(Topic, letter.topic_id)
    assert topic is not None
    message = letter_message(
        letter, topic, ctx.say, ctx.zone, reader=Reader(ctx.who.name, ctx.who.branch_name), trial=True
    )
    key = f"rehearsal:{letter.id}:{letters.fingerprint(letter)[:12]}"
    first = tell(ctx.session, member_id=ctx.me, key=key, message=message, now=ctx.now, urgent=True)
    note = ctx.say("broadcast.rehearsed" if first else "broadcast.rehearsed_before")
    return preview(ctx, letter, note=note)


def _drop(ctx: Context) -> Reply:
    """`broadcast:drop:ID`: throw the draft away; nothing was sent."""
    letter = mine(ctx)
    if letter is None:
        return gone(ctx)
    letter_draft.reopen(ctx, letter)
    letters.drop_drafts(ctx.session, ctx.me)
    return Reply(ctx.say("broadcast.dropped"), (Button(ctx.say("menu.broadcast"), "broadcast"),))


STEPS = {
    "whom": letter_audience.whom,
    "under": letter_audience.under,
    "part": letter_audience.part,
    "topic": letter_draft.choose_topic,
    "text": letter_draft.text_given,
    "add": letter_longer.add,
    "cut": letter_longer.cut,
    "picture": letter_draft.picture,
    "no_picture": letter_draft.no_picture,
    "show": letter_draft.show,
    "edit": letter_draft.edit,
    "more": letter_draft.more,
    "ask": letter_draft.toggle_ask,
    "urgent": letter_draft.toggle_urgent,
    "until": letter_draft.until,
    "templates": letter_templates.templates,
    "begin": letter_templates.begin,
    "keep": letter_templates.keep,
    "forget": letter_templates.forget,
    "repeat": letter_repeats.choose,
    "repeat_at": letter_repeats.at,
    "repeat_until": letter_repeats.until,
    "series": letter_repeats.standing,
    "series_end": letter_repeats.stop,
    "confirm": _confirm,
    "rehearse": _rehearse,
    "drop": _drop,
    **letter_extras.STEPS,
}
BROADCAST = Command(
    "broadcast",
    ("发红信", "群发", "发通知", "broadcast"),
    broadcast,
    slash=("/broadcast",),
    roles=SENDING_ROLES,
    phrases=("给大家发通知", "通知大家", "通知全体党员", "write to everybody"),
    steps={"定期红信": "series", "自动红信": "series", "repeated letters": "series"},
    in_menu=False,
    order=100,
)
