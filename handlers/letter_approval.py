"""The second person: sees exactly what would be sent and to how many, and sends it or gives it back."""

from __future__ import annotations

from db import audiences, audit, letter_rights, letters
from db.audiences import audience
from db.letters import APPROVAL_FOR, APPROVING_ROLES, Letter, Topic
from handlers.broadcast import facts
from handlers.conversation import Button, Command, Context, Message, Reply
from notices.letters import key_of, letter_message, name_of
from notices.outbox import queue_letter, tell

SHOWN = 5


def approvals(ctx: Context) -> Reply:
    """`审红信`, or a button: show, yes or no with the letter's id."""
    step = STEPS.get(ctx.arg())
    return step(ctx) if step else _waiting(ctx)


def _waiting(ctx: Context) -> Reply:
    since = ctx.now - APPROVAL_FOR
    found = [letter for letter in letters.submitted(ctx.session, since) if _may(ctx, letter)][:SHOWN]
    if not found:
        return Reply(ctx.say("broadcast.none_to_approve"))
    steps = tuple(Button(name_of(letter), f"approvals:show:{letter.id}") for letter in found)
    return Reply(ctx.say("broadcast.to_approve"), steps)


def _may(ctx: Context, letter: Letter) -> bool:
    return ctx.me in {person.id for person in letter_rights.approvers(ctx.session, letter, ctx.today)}


def _submitted(ctx: Context) -> Letter | None:
    """The letter in the arguments, if it waits for somebody like me; the same None for all other reasons."""
    letter_id = ctx.arg_id(1)
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or letter.state != "submitted" or not _may(ctx, letter):
        return None
    if letter.submitted_at is None or letter.submitted_at <= ctx.now - APPROVAL_FOR:
        return None
    return letter


def _unknown(ctx: Context) -> Reply:
    return Reply(ctx.say("broadcast.not_waiting"), (Button(ctx.say("menu.approvals"), "approvals"),))


def _show(ctx: Context, *, note: str = "") -> Reply:
    letter = _submitted(ctx)
    if letter is None:
        return _unknown(ctx)
    topic = ctx.session.get(Topic, letter.topic_id)
    assert topic is not None
    count = audiences.count(ctx.session, audience(letter.audience), ctx.today)
    text = letter_message(letter, topic, ctx.say, ctx.zone).text
    lines = [note] if note else []
    lines += [ctx.say("broadcast.approve_this"), text, "——", ctx.say("broadcast.would_reach", count=count)]
    if letter.urgent:
        lines.append(ctx.say("broadcast.even_at_night"))
    mark = letter.content_hash[:12]
    steps = (
        Button(ctx.say("broadcast.approve"), f"approvals:yes:{letter.id}:{count}:{mark}"),
        Button(ctx.say("broadcast.refuse"), f"approvals:no:{letter.id}"),
    )
    return Reply("\n".join(lines), steps, back="approvals")


def _yes(ctx: Context) -> Reply:
    """`approvals:yes:ID:COUNT:MARK`: bound to the words and the number that were shown."""
    letter = _submitted(ctx)
    if letter is None:
        return _unknown(ctx)
    count = audiences.count(ctx.session, audience(letter.audience), ctx.today)
    if letter.content_hash[:12] != ctx.arg(3) or count != ctx.arg_id(2):
        return _show(ctx, note=ctx.say("broadcast.has_changed"))
    if not letter_rights.author_may(ctx.session, letter, ctx.today):
        return _unknown(ctx)
    content_hash = letters.fingerprint(letter)
    if not letter_rights.approve(ctx.session, letter, by=ctx.me, content_hash=content_hash, at=ctx.now):
        return _unknown(ctx)
    queue_letter(ctx.session, letter, ctx.now, ctx.zone)
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.approved", **facts(letter))
    steps = (Button(ctx.say("broadcast.progress"), f"receipts:show:{letter.id}"),)
    _tell_author(ctx, letter, "approved", steps)
    return Reply(ctx.say("broadcast.approved_by_you", recipients=letter.recipients))


def _no(ctx: Context) -> Reply:
    letter = _submitted(ctx)
    if letter is None:
        return _unknown(ctx)
    letters.move(ctx.session, letter, was=("submitted",), state="draft", content_hash="", submitted_at=None)
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.refused", **facts(letter))
    _tell_author(ctx, letter, "refused", (Button(ctx.say("broadcast.edit"), f"broadcast:edit:{letter.id}"),))
    return Reply(ctx.say("broadcast.refused_by_you"), back="approvals")


def _tell_author(ctx: Context, letter: Letter, what: str, steps: tuple[Button, ...]) -> None:
    assert letter.author_id is not None
    message = Message(ctx.say(f"broadcast.was_{what}", name=name_of(letter)), steps)
    key = f"{key_of(letter)}:{what}:{ctx.now.isoformat()}"
    tell(ctx.session, member_id=letter.author_id, key=key, message=message, now=ctx.now)


STEPS = {"show": _show, "yes": _yes, "no": _no}
APPROVALS = Command(
    "approvals",
    ("审红信", "待审红信", "approvals"),
    approvals,
    roles=APPROVING_ROLES,
    phrases=("复核红信", "批红信", "letters to approve"),
    in_menu=False,  # whoever is to approve is told, with a button
)
