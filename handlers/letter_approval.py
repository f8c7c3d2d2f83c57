"""The second person: sees exactly what would be sent and to how many, and sends it or gives it back.

Who approves is a person, whatever chat they use. An approval holds for the content and the number that were shown,
for 24 hours, once. Whatever is refused here stands in the audit log.
"""

from __future__ import annotations

from db import addressing, audit, letter_rights, letters, members
from db.audiences import audience
from db.letters import APPROVAL_FOR, APPROVING_ROLES, MARK, Letter, Topic
from db.organizations import Organization
from handlers import letter_mandatory, letter_reach
from handlers.broadcast import facts
from handlers.conversation import Button, Command, Context, Message, Reply
from handlers.letter_audience import said_audience
from notices.carried import described
from notices.letter_corrections import send
from notices.letter_repeats import repeat, said
from notices.letter_series import begin
from notices.letters import change_action, key_of, letter_message, name_of
from notices.markup import Marked, joined
from notices.outbox import tell

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


def _asked(ctx: Context) -> tuple[Letter | None, str]:
    """The letter in the arguments, and why I cannot decide on it; an empty reason: I can.

    `unknown` stands for a letter that does not exist and for one that is none of my business alike.
    """
    letter_id = ctx.arg_id(1)
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None:
        return None, "unknown"
    if letter.author_id == ctx.me:
        return letter, "own"
    if not _may(ctx, letter):
        return letter, "unknown"
    if letter.approved_by == ctx.me:
        return letter, "done"
    if letter.state != "submitted" or letter.submitted_at is None:
        return letter, "unknown"
    return letter, "overdue" if letter.submitted_at <= ctx.now - APPROVAL_FOR else ""


def _refused(ctx: Context, why: str, *, act: bool) -> Reply:
    """Say why not. act: it was more than a look, so the audit log has it."""
    if act:
        _note_denied(ctx, why)
    return Reply(ctx.say(f"broadcast.not_waiting_{why}"), (Button(ctx.say("menu.approvals"), "approvals"),))


def _note_denied(ctx: Context, why: str) -> None:
    subject = f"letter:{ctx.arg(1)[:12]}"
    audit.record(
        ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.approval_denied", subject=subject, why=why
    )


def _show(ctx: Context, *, note: str = "") -> Reply:
    letter, why = _asked(ctx)
    if letter is None or why:
        return _refused(ctx, why, act=False)
    topic = ctx.session.get(Topic, letter.topic_id)
    assert topic is not None
    count = letter_reach.count(ctx, audience(letter.audience))
    shown = letter_message(letter, topic, ctx.say, ctx.zone)
    lines: list[str | Marked] = [note] if note else []
    lines += [ctx.say("broadcast.approve_this"), Marked(shown.text, shown.marks), "——", *_from_and_to(ctx, letter)]
    lines += [*described(letter, ctx.say, ctx.zone), ctx.say("broadcast.would_reach", count=count)]
    if letter.repeats is not None:
        lines.append(said(repeat(letter.repeats), ctx.say))
    if letter.urgent:
        lines.append(ctx.say("broadcast.even_at_night"))
    mark = letter.content_hash[:MARK]
    lines.append(ctx.say("broadcast.content_mark", mark=mark[:4]))
    steps = (
        Button(ctx.say("broadcast.approve"), f"approvals:yes:{letter.id}:{count}:{mark}"),
        Button(ctx.say("broadcast.refuse"), f"approvals:no:{letter.id}"),
    )
    words = joined(lines)
    return Reply(words.text, steps, shown.picture, back="approvals", marks=words.marks)


def _from_and_to(ctx: Context, letter: Letter) -> tuple[str, str]:
    """Who writes, in whose name, and to whom: whoever approves a letter answers for that, too."""
    assert letter.author_id is not None
    shown = ctx.called(members.get(ctx.session, letter.author_id).name)
    node = ctx.session.get(Organization, letter.organization_id)
    by = ctx.say("broadcast.by", name=shown, node=node.name if node is not None else "")
    return by, ctx.say("broadcast.scope", scope=said_audience(ctx, audience(letter.audience)))


def _yes(ctx: Context) -> Reply:
    """`approvals:yes:ID:COUNT:MARK`: bound to the words and the number that were shown."""
    letter, why = _asked(ctx)
    if letter is None or why:
        return _refused(ctx, why, act=True)
    count = letter_reach.count(ctx, audience(letter.audience))
    if letter.content_hash[:MARK] != ctx.arg(3) or count != ctx.arg_id(2):
        _note_denied(ctx, "changed")
        return _show(ctx, note=ctx.say("broadcast.has_changed"))
    if rare := letter_mandatory.too_many(ctx, letter):
        return _show(ctx, note=rare)
    if not letter_rights.author_may(ctx.session, letter, ctx.today):
        return _refused(ctx, "author", act=True)
    if not letter_rights.approve(ctx.session, letter, by=ctx.me, content_hash=letter.content_hash, at=ctx.now):
        return _refused(ctx, "changed", act=True)
    stands = letter.corrects is None and begin(ctx.session, letter, ctx.now, ctx.zone)
    if letter.corrects is not None:
        send(ctx.session, letter, by=letter.author_id or ctx.me, now=ctx.now, zone=ctx.zone)
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.approved", **facts(letter))
    if stands:
        see = (Button(ctx.say("broadcast.series", count=1), f"broadcast:series:{letter.id}"),)
        _tell_author(ctx, letter, "approved_to_stand", see)
        end = (Button(ctx.say("letter_series.end"), f"stop_letter:{letter.id}"),)
        return Reply(
            ctx.say("letter_series.approved_by_you", said=said(repeat(letter.repeats or {}), ctx.say)), end
        )
    steps = (Button(ctx.say("broadcast.progress"), f"receipts:show:{letter.id}"),)
    _tell_author(ctx, letter, "approved", steps)
    mine = (
        Button(ctx.say("broadcast.progress"), f"report:show:{letter.id}"),
        Button(ctx.say("broadcast.stop"), f"stop_letter:{letter.id}"),
    )
    if addressing.is_open(ctx.session, key_of(letter)):
        return Reply(ctx.say("broadcast.started_large", count=count), mine)
    return Reply(ctx.say("broadcast.approved_by_you", recipients=letter.recipients), mine)


def _no(ctx: Context) -> Reply:
    letter, why = _asked(ctx)
    if letter is None or why:
        return _refused(ctx, why, act=True)
    letters.move(ctx.session, letter, was=("submitted",), state="draft", content_hash="", submitted_at=None)
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.refused", **facts(letter))
    _tell_author(ctx, letter, "refused", (Button(ctx.say("broadcast.edit"), change_action(letter)),))
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
