"""The report of a letter: how far it is, whom it did not reach and why; once more to the failed."""

from __future__ import annotations

from db import letter_rights, letters, receipts
from db.letter_rights import WATCHING_ROLES
from db.letters import Letter
from handlers import letter_refusals
from handlers.conversation import Button, Command, Context, Reply
from handlers.letter_correction import steps_for
from notices.letter_reports import Report, branch_lines, report, send_again, state_of, why_not
from notices.letters import name_of

LISTED = 5  # letters in one list
PAGE = 6  # branches on one page
PEOPLE = 10  # names on one page


def letter_report(ctx: Context) -> Reply:
    """`发送报告`, or a button: a step of STEPS with the letter's id."""
    step = STEPS.get(ctx.arg())
    return step(ctx) if step else _list(ctx)


def _list(ctx: Context) -> Reply:
    """The letters that I wrote, approved, or that go out below me."""
    paths = [node.path for role, node in ctx.roles() if role in WATCHING_ROLES]
    found = letters.watched(ctx.session, ctx.me, paths, LISTED)
    if not found:
        return Reply(ctx.say("letter_report.none"))
    steps = [Button(name_of(letter), f"report:show:{letter.id}") for letter in found]
    return Reply(ctx.say("letter_report.which"), tuple(steps))


def _letter(ctx: Context) -> Letter | None:
    """The letter in the arguments, if it was sent and I may see how it does."""
    letter_id = ctx.arg_id(1)
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or letter.sent_at is None:
        return None
    return letter if letter_rights.may_watch(ctx.session, letter, ctx.me, ctx.today) else None


def _unknown(ctx: Context) -> Reply:
    """The same words for a letter that is none of my business and one that does not exist."""
    letter_refusals.elsewhere(ctx)
    return Reply(ctx.say("receipts.not_found"), (Button(ctx.say("letter_report.all"), "report"),))


def _show(ctx: Context, *, note: str = "") -> Reply:
    letter = _letter(ctx)
    if letter is None:
        return _unknown(ctx)
    found = report(ctx.session, letter, ctx.say)
    lines = [note] if note else []
    lines += said(ctx, found)
    return Reply("\n".join(lines), _steps(ctx, letter, found), back="report")


def said(ctx: Context, found: Report) -> list[str]:
    """The report in at most six short lines."""
    say = ctx.say
    lines = [say("letter_report.title", name=found.name, state=state_of(say, found))]
    channels = say("receipts.between").join(f"{name} {count}" for name, count in found.channels)
    lines.append(say("letter_report.sent", sent=found.sent, channels=channels or "0"))
    lines.append(say("letter_report.did", read=found.read, acked=found.acked, help=found.help))
    if found.reasons:
        why = say("receipts.between").join(
            say("receipts.people", count=count, why=words) for words, count in found.reasons
        )
        lines.append(say("receipts.not_reached", count=sum(count for _, count in found.reasons), why=why))
    lines.append(
        say("letter_report.reach", percent=found.reach_percent, people=found.people, unbound=found.unbound)
    )
    if found.left_out:
        lines.append(say("letter_report.left_out", count=found.left_out))
    if found.as_of is not None:
        lines.append(say("letter_report.as_of", time=found.as_of.astimezone(ctx.zone).strftime("%H:%M:%S")))
    return lines


def _steps(ctx: Context, letter: Letter, found: Report) -> tuple[Button, ...]:
    say, steps = ctx.say, []
    if found.under_way:
        steps.append(Button(say("letter_report.refresh"), f"report:show:{letter.id}"))
        steps.append(Button(say("broadcast.stop"), f"stop_letter:{letter.id}"))
    if (found.reasons or found.unbound) and _may_name(ctx, letter):
        steps.append(Button(say("letter_report.missed"), f"report:missed:{letter.id}"))
    if found.branches > 1:
        steps.append(Button(say("letter_report.branches"), f"report:branches:{letter.id}"))
    if found.again and not found.waiting and _may_send(ctx, letter):
        steps.append(Button(say("letter_report.again", count=found.again), f"report:again:{letter.id}"))
    steps += steps_for(ctx, letter)
    steps.append(page_step(ctx, letter))
    return tuple(steps)


def page_step(ctx: Context, letter: Letter) -> Button:
    """The way to the page with everything, and its tables to download."""
    return Button(ctx.say("letter_report.on_page"), f"report:page:{letter.id}")


def _may_name(ctx: Context, letter: Letter) -> bool:
    return ctx.names_allowed and letter_rights.may_name(ctx.session, letter, ctx.me, ctx.today)


def _may_send(ctx: Context, letter: Letter) -> bool:
    """Whether it may go out once more: not when it was stopped, or is too old, or its author has lost the role."""
    if letter.state == "stopped" or (letter.expires_at is not None and letter.expires_at <= ctx.now):
        return False
    return letter_rights.may_send_for(ctx.session, letter, ctx.me, ctx.today) and letter_rights.author_may(
        ctx.session, letter, ctx.today
    )


def _missed(ctx: Context) -> Reply:
    """`report:missed:ID:PAGE`: who did not get it and why, by name where names may be shown."""
    letter = _letter(ctx)
    if letter is None or letter.id is None:
        return _unknown(ctx)
    back = f"report:show:{letter.id}"
    if not _may_name(ctx, letter):
        where = "own_branch_only" if ctx.names_allowed else "elsewhere"
        return Reply(ctx.say(f"receipts.names_{where}"), (page_step(ctx, letter),), back=back)
    page = ctx.arg_id(2) or 0
    found = receipts.missed(ctx.session, letter.id, ctx.today, most=PEOPLE + 1, offset=page * PEOPLE)
    if not found:
        return Reply(ctx.say("letter_report.nobody_missed"), back=back)
    lines = [ctx.say("letter_report.missed_head", name=name_of(letter))]
    for number, one in enumerate(found[:PEOPLE], page * PEOPLE + 1):
        why = why_not(ctx.say, one.kind, one.state, one.reason)
        lines.append(ctx.say("receipts.line", number=number, name=one.name, state=why))
    more = (Button(ctx.say("receipts.next_page"), f"report:missed:{letter.id}:{page + 1}"),)
    return Reply("\n".join(lines), more if len(found) > PEOPLE else (), back=back)


def _branches(ctx: Context) -> Reply:
    """`report:branches:ID:PAGE`: the branches with the lowest reach first: those are to be helped."""
    letter = _letter(ctx)
    if letter is None or letter.id is None:
        return _unknown(ctx)
    page = ctx.arg_id(2) or 0
    found = branch_lines(ctx.session, letter.id, most=PAGE + 1, offset=page * PAGE)
    lines = [ctx.say("letter_report.branches_head")]
    for name, line in found[:PAGE]:
        percent = 100 * line.sent // line.people
        lines.append(
            ctx.say("letter_report.branch", name=name, percent=percent, sent=line.sent, people=line.people)
        )
    more = (Button(ctx.say("receipts.next_page"), f"report:branches:{letter.id}:{page + 1}"),)
    return Reply("\n".join(lines), more if len(found) > PAGE else (), back=f"report:show:{letter.id}")


def _again(ctx: Context) -> Reply:
    """`report:again:ID:COUNT`: first what would happen; with the number that was shown, do it."""
    letter = _letter(ctx)
    if letter is None:
        return _unknown(ctx)
    found = report(ctx.session, letter, ctx.say)
    if not found.again or found.waiting or not _may_send(ctx, letter):
        return _show(ctx, note=ctx.say("letter_report.nothing_again"))
    if ctx.arg_id(2) != found.again:
        confirm = Button(ctx.say("letter_report.do_again"), f"report:again:{letter.id}:{found.again}")
        words = ctx.say("letter_report.would_again", count=found.again, doubt=found.ambiguous)
        return Reply(words, (confirm,), back=f"report:show:{letter.id}")
    people = send_again(ctx.session, letter, by=ctx.me, now=ctx.now, zone=ctx.zone)
    if people is None:
        return _show(ctx, note=ctx.say("letter_report.again_today"))
    return _show(ctx, note=ctx.say("letter_report.sent_again", count=people))


def _page(ctx: Context) -> Reply:
    """`report:page:ID`: where the page is. It opens for those who may watch, in their own web chat."""
    letter = _letter(ctx)
    if letter is None:
        return _unknown(ctx)
    who = f"?as={ctx.me}" if ctx.demo else ""
    name = "page" if ctx.site else "page_behind"  # no setting says where the pages are: whoever reads on one knows
    words = ctx.say(f"letter_report.{name}", address=f"{ctx.site.rstrip('/')}/letters/{letter.id}{who}")
    return Reply(words, back=f"report:show:{letter.id}")


STEPS = {
    "show": _show,
    "missed": _missed,
    "branches": _branches,
    "again": _again,
    "page": _page,
}
REPORT = Command(
    "report",
    ("发送报告", "红信报告", "letter report"),
    letter_report,
    roles=WATCHING_ROLES,
    phrases=("红信发得怎么样", "谁没收到", "谁没收到红信", "who did not get it"),
    in_menu=False,
)
