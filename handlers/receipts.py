"""Receipts: who got a letter, read it, answered it; one reminder a day to the rest; stop what is not sent yet."""

from __future__ import annotations

from db import addressing, audit, letter_rights, letters, mass, receipts
from db.letters import SENDING_ROLES, Letter
from db.organizations import Organization
from db.receipts import Tally
from handlers import letter_refusals, letter_stop
from handlers.answer_steps import author_steps
from handlers.conversation import Button, Command, Context, Reply
from handlers.letter_report import page_step
from notices.letter_reports import why_not
from notices.letters import OWN_LEVELS, key_of, name_of
from notices.outbox import chase

SHOWN = 5  # letters in one list
PAGE = 10  # people on one page
LISTS = ("unread", "help", "all")


def receipt(ctx: Context) -> Reply:
    """`回执`, or a button: a step of STEPS with the letter's id."""
    step = STEPS.get(ctx.arg())
    return step(ctx) if step else _sent(ctx)


def _sent(ctx: Context) -> Reply:
    page = ctx.arg_id(1) or 0
    found = letters.by_author(ctx.session, ctx.me, most=SHOWN + 1, offset=page * SHOWN)
    if not found:
        return Reply(ctx.say("receipts.none_yet"), (Button(ctx.say("menu.broadcast"), "broadcast"),))
    if len(found) == 1 and not page:
        return _figures(ctx, found[0])
    steps = [Button(_listed(ctx, letter), f"receipts:show:{letter.id}") for letter in found[:SHOWN]]
    if len(found) > SHOWN:
        steps.append(Button(ctx.say("receipts.more"), f"receipts:older:{page + 1}"))
    return Reply(ctx.say("receipts.which"), tuple(steps))


def _listed(ctx: Context, letter: Letter) -> str:
    assert letter.id is not None
    day = (letter.sent_at or letter.created_at).astimezone(ctx.zone)
    tally = receipts.tally(ctx.session, letter.id)
    return ctx.say(
        "receipts.listed", name=name_of(letter), month=day.month, day=day.day, read=tally.read, sent=tally.sent
    )


def _mine(ctx: Context) -> Letter | None:
    """The letter in the arguments, if I have sent it."""
    letter_id = ctx.arg_id(1)
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or letter.author_id != ctx.me or letter.sent_at is None:
        return None
    return letter if letter_rights.may_watch(ctx.session, letter, ctx.me, ctx.today) else None


def _unknown(ctx: Context) -> Reply:
    """The same words for a letter of somebody else and one that does not exist."""
    letter_refusals.elsewhere(ctx)
    return Reply(ctx.say("receipts.not_found"), (Button(ctx.say("menu.receipts"), "receipts"),))


def _show(ctx: Context) -> Reply:
    letter = _mine(ctx)
    return _unknown(ctx) if letter is None else _figures(ctx, letter)


def _figures(ctx: Context, letter: Letter, *, note: str = "") -> Reply:
    assert letter.id is not None
    say, tally = ctx.say, receipts.tally(ctx.session, letter.id)
    lines = [note] if note else []
    lines.append(say("receipts.title", name=name_of(letter)))
    written = not addressing.is_open(ctx.session, key_of(letter))
    under_way = letter.state == "sending" and (tally.waiting > 0 or not written)
    if under_way:
        lines.append(
            say("receipts.under_way", done=letter.recipients - tally.waiting, recipients=letter.recipients)
        )
    if letter.state == "stopped":
        lines.append(say(f"receipts.stopped_{letter.stop_reason or 'author'}"))
    lines.append(say("receipts.figures", sent=tally.sent, read=tally.read, acked=tally.acked, help=tally.help))
    lines += _not_reached(ctx, letter, tally)
    lines.append(say("receipts.what_read_means"))
    if tally.as_of is not None:
        lines.append(say("letter_report.as_of", time=tally.as_of.astimezone(ctx.zone).strftime("%H:%M:%S")))
    steps: list[Button] = []
    if under_way:
        steps.append(Button(say("receipts.stop"), f"receipts:stop:{letter.id}"))
    if tally.unread and letter.state != "stopped":
        steps.append(Button(say("receipts.chase", count=tally.unread), f"receipts:chase:{letter.id}"))
    named = _is_own(ctx, letter)
    if named:
        steps.append(Button(say("receipts.names"), f"receipts:{'names' if tally.unread else 'all'}:{letter.id}"))
    if named and tally.help:
        steps.append(Button(say("receipts.helpless", count=tally.help), f"receipts:help:{letter.id}"))
    steps.append(Button(say("receipts.export"), f"report:page:{letter.id}"))
    steps += author_steps(letter, say)
    steps.append(Button(say("letter_report.all"), f"report:show:{letter.id}"))
    return Reply("\n".join(lines), tuple(steps), back="receipts:older:0" if ctx.arg() else "menu")


def _not_reached(ctx: Context, letter: Letter, tally: Tally) -> list[str]:
    """Whom it did not reach, counted by reasons that a secretary can act on."""
    say = ctx.say
    why: dict[str, int] = {}
    for kind, reasons in (("mailbox", tally.mailbox), ("not_sent", tally.not_sent)):
        for reason, people in reasons.items():
            text = why_not(say, kind, "", reason)
            why[text] = why.get(text, 0) + people
    if tally.partly:
        why[say("receipts.why_partly")] = tally.partly
    lines = []
    if why:
        told = say("receipts.between").join(
            say("receipts.people", count=count, why=text) for text, count in why.items()
        )
        lines.append(say("receipts.not_reached", count=sum(why.values()), why=told))
    if left_out := mass.not_reached(ctx.session, letter.id or 0):
        lines.append(say("letter_report.left_out", count=left_out))
    if letter.unbound > 0:
        lines.append(say("receipts.unbound", count=letter.unbound))
    return lines


def _names(ctx: Context) -> Reply:
    return _list(ctx, "unread")


def _help(ctx: Context) -> Reply:
    return _list(ctx, "help")


def _all(ctx: Context) -> Reply:
    return _list(ctx, "all")


def _list(ctx: Context, what: str) -> Reply:
    """`receipts:names:ID:PAGE`: people by name, for a letter to the own branch, where names may be shown."""
    letter = _mine(ctx)
    if letter is None or letter.id is None:
        return _unknown(ctx)
    back = f"receipts:show:{letter.id}"
    if not ctx.names_allowed:
        return Reply(ctx.say("receipts.names_elsewhere"), (page_step(ctx, letter),), back=back)
    if not _is_own(ctx, letter):
        return Reply(ctx.say("receipts.names_own_branch_only"), (page_step(ctx, letter),), back=back)
    page = ctx.arg_id(2) or 0
    only = None if what == "all" else what
    found = receipts.lines(ctx.session, letter.id, only=only, most=PAGE + 1, offset=page * PAGE)
    everybody = () if what == "all" else (Button(ctx.say("receipts.everybody"), f"receipts:all:{letter.id}"),)
    if not found:
        return Reply(ctx.say(f"receipts.empty_{what}"), everybody, back=back)
    lines = [ctx.say(f"receipts.head_{what}", name=name_of(letter))]
    for number, line in enumerate(found[:PAGE], page * PAGE + 1):
        state = _state(ctx, line.state) if what == "all" else ""
        lines.append(
            ctx.say("receipts.line" if state else "receipts.line_name", number=number, name=line.name, state=state)
        )
    verb = "names" if what == "unread" else what
    more = (Button(ctx.say("receipts.next_page"), f"receipts:{verb}:{letter.id}:{page + 1}"),)
    return Reply("\n".join(lines), (*(more if len(found) > PAGE else ()), *everybody), back=back)


def _is_own(ctx: Context, letter: Letter) -> bool:
    """Whether it is a letter to one's own people, whom one knows by name."""
    node = ctx.session.get(Organization, letter.organization_id)
    return node is not None and node.level in OWN_LEVELS


def _state(ctx: Context, state: str) -> str:
    name = f"receipts.is_{state}"
    return ctx.say(name) if ctx.say.has(name) else why_not(ctx.say, "not_sent", "", state)


def _chase(ctx: Context) -> Reply:
    letter = _mine(ctx)
    if letter is None:
        return _unknown(ctx)
    if letter.state == "stopped":
        return _figures(ctx, letter, note=ctx.say("receipts.chase_stopped"))
    reminded = chase(ctx.session, letter, ctx.now, ctx.zone)
    if reminded is None:
        return _figures(ctx, letter, note=ctx.say("receipts.chased_today"))
    if reminded == 0:
        return _figures(ctx, letter, note=ctx.say("receipts.nobody_to_chase"))
    audit.record(
        ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.chased", subject=key_of(letter), people=reminded
    )
    return Reply(ctx.say("receipts.chased", count=reminded), back=f"receipts:show:{letter.id}")


def _stop(ctx: Context) -> Reply:
    """Buttons of letters that were sent before stopping had a command of its own."""
    letter = _mine(ctx)
    return _unknown(ctx) if letter is None else letter_stop.stopped(ctx, letter)


STEPS = {
    "older": _sent,
    "show": _show,
    "names": _names,
    "help": _help,
    "all": _all,
    "chase": _chase,
    "stop": _stop,
}
RECEIPTS = Command(
    "receipts",
    ("回执", "receipts"),
    receipt,
    slash=("/receipts",),
    roles=SENDING_ROLES,
    phrases=("谁没看", "谁没看红信", "谁没有回复", "看进度", "who has read"),
    in_menu=False,
    order=110,
)
