"""The appraisal for those who lead: the branch's own score, the superior's, opening polls, and how far they are.

Who has answered is known to nobody but as a number; the service itself reminds those who have not.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta

from db import audit, members, organizations, poll_drives, polls, year_close
from db.organizations import Organization
from db.polls import Poll
from handlers.conversation import Button, Context, Reply
from handlers.dates import said_day
from notices.appraisals import OPENERS, open_branch, poll_year, terms_of, voters
from notices.wording import two_places
from scoring.catalogue import shipped
from scoring.exact import fraction, half_up

SUPERIOR = "committee_reviewer"
SHOWN_MAX = 6


def ways(ctx: Context) -> list[Button]:
    """What this person's roles add to the first page."""
    say, held = ctx.say, {role for role, _ in ctx.roles()}
    buttons = []
    if "secretary" in held:
        own = ctx.node("secretary")
        poll = polls.open_ones(ctx.session, own.id, ctx.now)[:1] if own and own.id else ()
        buttons += [Button(say("appraisal.ask_self_button"), f"appraisal:self:{one.id}") for one in poll]
    if SUPERIOR in held:
        buttons.append(Button(say("appraisal.superior_button"), "appraisal:superiors"))
    if held & set(OPENERS):
        buttons.append(Button(say("appraisal.open"), "appraisal:open"))
    if held & {"secretary", *OPENERS}:
        buttons.append(Button(say("appraisal.progress_button"), "appraisal:progress"))
    return buttons


def _leader(ctx: Context) -> Organization | None:
    """The highest node whose polls this person may open."""
    nodes = [node for role, node in ctx.roles() if role in OPENERS]
    return min(nodes, key=lambda node: len(node.path), default=None)


def _no(ctx: Context, name: str = "appraisal.not_yours") -> Reply:
    return Reply(ctx.say(name), back="appraisal")


# ---- the two voices that have a name ------------------------------------------------------------------------


def _score_of(text: str) -> int | None:
    """What was typed as a score, in hundredths; None unless it is a number from 0 to 100."""
    try:
        typed = fraction(text.strip().rstrip("分").strip())
    except ValueError:
        return None
    return half_up(typed) if 0 <= typed <= 100 else None


def _said(ctx: Context, poll: Poll, voice: str, branch: Organization) -> Reply:
    """Ask for the score, or note the one that was typed."""
    say, step = ctx.say, "self" if voice == "self_score" else "superior"
    typed = " ".join(ctx.args[2:])
    hundredths = _score_of(typed) if typed else None
    if hundredths is None:
        text = say(f"appraisal.ask_{voice}", branch=branch.name, year=poll.year)
        first = f"{say('appraisal.a_number')}\n" if typed else ""
        return Reply(first + text, expect=f"appraisal:{step}:{poll.id}", back="appraisal")
    assert poll.id is not None
    if not polls.say_score(ctx.session, poll.id, voice, hundredths, ctx.now):
        return _no(ctx, "appraisal.over")
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=f"poll.{step}",
        subject=f"poll:{poll.id}",
        hundredths=hundredths,
    )
    text = say(
        "appraisal.noted", branch=branch.name, score=two_places(hundredths), until=said_day(ctx, poll.closes_at)
    )
    more = (Button(say("appraisal.superior_button"), "appraisal:superiors"),) if step == "superior" else ()
    return Reply(text, more, back="appraisal")


def _voice(ctx: Context, voice: str, role: str) -> Reply:
    poll = polls.get(ctx.session, ctx.arg_id(1))
    if poll is None:
        return _no(ctx)
    branch = organizations.get(ctx.session, poll.organization_id)
    if not members.has_role(ctx.session, ctx.me, role, branch, ctx.today):
        return _no(ctx)
    if poll.state != "open" or poll.closes_at <= ctx.now:
        return _no(ctx, "appraisal.over")
    return _said(ctx, poll, voice, branch)


def _self(ctx: Context) -> Reply:
    return _voice(ctx, "self_score", "secretary")


def _superior(ctx: Context) -> Reply:
    return _voice(ctx, "superior", SUPERIOR)


def _superiors(ctx: Context) -> Reply:
    """Branches whose superior has not spoken yet."""
    say, node = ctx.say, ctx.node(SUPERIOR)
    year = poll_year(ctx.today)
    if node is None or year is None:
        return _no(ctx)
    listed = poll_drives.without_voice(ctx.session, node.path, year, "superior", ctx.now, SHOWN_MAX)
    buttons = []
    for branch in listed:
        poll = polls.of_branch(ctx.session, branch.id or 0, year)
        if poll is not None:
            buttons.append(Button(branch.name, f"appraisal:superior:{poll.id}"))
    text = say("appraisal.superiors" if buttons else "appraisal.no_superiors", year=year)
    return Reply(text, tuple(buttons), back="appraisal")


# ---- opening ------------------------------------------------------------------------------------------------


def _open(ctx: Context) -> Reply:
    """Which polls would be opened, and until when; a branch is chosen by its number or name."""
    say, node, year = ctx.say, _leader(ctx), _year(ctx)
    if node is None:
        return _no(ctx)
    if year is None:
        return _no(ctx, "appraisal.not_now")
    total, opened, closed = poll_drives.progress(ctx.session, node.path, year)
    text = say("appraisal.how_far", node=node.name, year=year, total=total, opened=opened, closed=closed)
    if opened >= total:
        return Reply(text, back="appraisal")
    days = shipped().ratings.appraisal.terms_on(ctx.today).open_days
    text += "\n" + say("appraisal.open_which", days=days)
    every = Button(say("appraisal.open_all", count=total - opened), f"appraisal:open_all:{node.id}:{year}")
    return Reply(text, (every,), expect="appraisal:open_one", back="appraisal")


def _year(ctx: Context) -> int | None:
    """The year that a poll opened now is about; None out of season, and once that year is closed."""
    year = poll_year(ctx.today)
    closing = year_close.get(ctx.session, year) if year is not None else None
    return None if closing is not None and closing.state != "open" else year


def _closes_at(ctx: Context) -> datetime:
    """The end of the last day on which answers are taken."""
    days = shipped().ratings.appraisal.terms_on(ctx.today).open_days
    return datetime.combine(ctx.today + timedelta(days=days + 1), time(), ctx.zone)


def _open_all(ctx: Context) -> Reply:
    """All that are not open yet, after one more yes."""
    node, year = _leader(ctx), _year(ctx)
    if node is None or year is None or ctx.arg_id(1) != node.id or ctx.arg_id(2) != year or node.id is None:
        return _open(ctx)
    say = ctx.say
    if ctx.arg(3) != "yes":
        total, opened, _ = poll_drives.progress(ctx.session, node.path, year)
        until = said_day(ctx, _closes_at(ctx) - timedelta(seconds=1))
        text = say("appraisal.sure_all", node=node.name, year=year, count=total - opened, until=until)
        yes = Button(say("appraisal.yes"), f"appraisal:open_all:{node.id}:{year}:yes")
        return Reply(text, (yes,), back="appraisal:open")
    fresh = poll_drives.drive(
        ctx.session,
        organization_id=node.id,
        year=year,
        opened_by=ctx.me,
        opened_at=ctx.now,
        closes_at=_closes_at(ctx),
    )
    if fresh:
        audit.record(
            ctx.session,
            at=ctx.now,
            actor_id=ctx.me,
            action="poll.opened",
            subject=f"node:{node.id}",
            year=year,
        )
    progress = (Button(say("appraisal.progress_button"), "appraisal:progress"),)
    return Reply(say("appraisal.opening" if fresh else "appraisal.opened_before"), progress, back="appraisal")


def _open_one(ctx: Context) -> Reply:
    """One branch: named by its number on the roll or its name, then confirmed by its button."""
    node, year = _leader(ctx), _year(ctx)
    if node is None or year is None:
        return _no(ctx)
    say, sure = ctx.say, ctx.arg(2) == "yes"
    branch = _by_id(ctx, ctx.arg_id(1)) if sure else organizations.by_code(ctx.session, " ".join(ctx.args[1:]))
    if branch is None or branch.field is None or not branch.path.startswith(node.path):
        return Reply(say("appraisal.no_branch"), expect="appraisal:open_one", back="appraisal:open")
    if not sure:
        few = shipped().ratings.appraisal.terms_on(ctx.today).answers_min
        count = len(voters(ctx.session, branch, ctx.today))
        text = say("appraisal.sure_one", branch=branch.name, year=year, count=count)
        text += "\n" + say("appraisal.never_enough", few=few) if count < few else ""
        return Reply(
            text, (Button(say("appraisal.yes"), f"appraisal:open_one:{branch.id}:yes"),), back="appraisal:open"
        )
    poll_id = open_branch(ctx.session, branch, year=year, opened_by=ctx.me, now=ctx.now, closes_at=_closes_at(ctx))
    if poll_id is None:
        return Reply(say("appraisal.opened_before"), back="appraisal")
    audit.record(
        ctx.session, at=ctx.now, actor_id=ctx.me, action="poll.opened", subject=f"poll:{poll_id}", year=year
    )
    return Reply(say("appraisal.opening"), back="appraisal")


def _by_id(ctx: Context, organization_id: int | None) -> Organization | None:
    return ctx.session.get(Organization, organization_id) if organization_id is not None else None


# ---- how far ------------------------------------------------------------------------------------------------


def _progress(ctx: Context) -> Reply:
    """How many have answered, never who; how many polls are open and closed under the node."""
    say, lines, year = ctx.say, [], poll_year(ctx.today) or ctx.today.year
    own, node = ctx.node("secretary"), _leader(ctx)
    if own is not None and own.id is not None:
        for poll in polls.open_ones(ctx.session, own.id, ctx.now):
            able, done = len(voters(ctx.session, own, ctx.today)), polls.count_done(ctx.session, poll)
            few = terms_of(poll, ctx.zone).answers_min
            until = said_day(ctx, poll.closes_at - timedelta(seconds=1))
            lines.append(say("appraisal.progress", branch=own.name, done=done, able=able, few=few, until=until))
    if node is not None:
        total, opened, closed = poll_drives.progress(ctx.session, node.path, year)
        lines.append(
            say("appraisal.how_far", node=node.name, year=year, total=total, opened=opened, closed=closed)
        )
    return Reply("\n".join(lines) or say("appraisal.none"), back="appraisal")


STEPS: dict[str, Callable[[Context], Reply]] = {
    "self": _self,
    "superior": _superior,
    "superiors": _superiors,
    "open": _open,
    "open_all": _open_all,
    "open_one": _open_one,
    "progress": _progress,
}
