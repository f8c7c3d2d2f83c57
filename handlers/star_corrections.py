"""Correcting the stars of a closed year: one person of the district proposes with a reason, another one decides.

Actions: `star_corrections`, and its steps find CODE, stars:LINE, why:LINE:STARS, see:ID, yes:ID, no:ID.
A correction is a new line; the old one stays.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select
from sqlmodel import col

from db import audit, members, organizations, year_results
from db.members import Member
from db.organizations import Organization
from db.year_close import YearCorrection, YearResult
from handlers.conversation import Button, Command, Context, Reply
from notices.wording import two_places

ROLE = "district_org_department"
SHOWN_MAX, STARS_MAX = 5, 5
WHY_MIN, WHY_MAX = 4, 200  # characters


def correct(ctx: Context) -> Reply:
    """`更正星级`: what waits for a second person, and proposing a new correction."""
    steps: dict[str, Callable[[Context], Reply]] = {
        "find": _find,
        "stars": _stars,
        "why": _why,
        "see": _see,
        "yes": lambda ctx: _decide(ctx, "confirmed"),
        "no": lambda ctx: _decide(ctx, "rejected"),
    }
    step = steps.get(ctx.arg())
    return step(ctx) if step else _home(ctx)


def _home(ctx: Context, first: str = "") -> Reply:
    say, buttons = ctx.say, []
    for one in year_results.corrections(ctx.session, SHOWN_MAX):
        line = year_results.by_id(ctx.session, one.result_id)
        if line is not None and _within(ctx, line):
            buttons.append(Button(_whose(ctx, line), f"star_corrections:see:{one.id}"))
    text = say("star_corrections.waiting" if buttons else "star_corrections.none")
    text = f"{text}\n{say('star_corrections.ask')}"
    return Reply(
        f"{first}\n{text}" if first else text, tuple(buttons), expect="star_corrections:find", back="year_close"
    )


def _within(ctx: Context, line: YearResult) -> bool:
    """Whether the line's branch (a member's one of today) lies under the role's node."""
    branch = _branch_of(ctx, line)
    return branch is not None and members.has_role(ctx.session, ctx.me, ROLE, branch, ctx.today)


def _branch_of(ctx: Context, line: YearResult) -> Organization | None:
    if line.organization_id is not None:
        return organizations.get(ctx.session, line.organization_id)
    now = members.branch_of(ctx.session, line.member_id or 0, ctx.today)
    then = line.figures.get("branch")
    return now or (ctx.session.get(Organization, then) if then else None)


def _whose(ctx: Context, line: YearResult) -> str:
    if line.organization_id is not None:
        return f"{organizations.get(ctx.session, line.organization_id).name} {line.year}"
    member = members.get(ctx.session, line.member_id or 0)
    return f"{member.name if ctx.names_allowed else member.code} {line.year}"


def _find(ctx: Context) -> Reply:
    """The last frozen lines of the branch or member with this number on the roll."""
    say, code = ctx.say, " ".join(ctx.args[1:])
    branch = organizations.by_code(ctx.session, code)
    if branch is not None:
        found = year_results.latest(ctx.session, organization_id=branch.id)
    else:
        member = ctx.session.execute(select(col(Member.id)).where(col(Member.code) == code)).scalar()
        found = year_results.latest(ctx.session, member_id=member) if member is not None else ()
    listed = [line for line in found if _within(ctx, line)][:SHOWN_MAX]
    if not listed:
        return Reply(say("star_corrections.not_found"), expect="star_corrections:find", back="star_corrections")
    buttons = tuple(Button(_whose(ctx, line), f"star_corrections:stars:{line.id}") for line in listed)
    return Reply(say("star_corrections.which"), buttons, back="star_corrections")


def _line(ctx: Context) -> YearResult | None:
    """The line that the argument names, if it is the one that counts and lies within the role."""
    line = year_results.by_id(ctx.session, ctx.arg_id(1))
    if line is None or not _within(ctx, line):
        return None
    now = year_results.of_year(
        ctx.session, line.year, organization_id=line.organization_id, member_id=line.member_id
    )
    return line if now is not None and now.id == line.id else None


def _stars(ctx: Context) -> Reply:
    say, line = ctx.say, _line(ctx)
    if line is None:
        return _home(ctx, say("star_corrections.not_found"))
    buttons = tuple(
        Button(say(f"stars.{stars}"), f"star_corrections:why:{line.id}:{stars}")
        for stars in range(STARS_MAX, -1, -1)
        if stars != line.stars
    )
    text = say(
        "star_corrections.is",
        whose=_whose(ctx, line),
        stars=say(f"stars.{line.stars}"),
        score=two_places(line.score),
    )
    return Reply(text, buttons, back="star_corrections")


def _why(ctx: Context) -> Reply:
    """Ask for the reason, or propose with it."""
    say, line, stars = ctx.say, _line(ctx), ctx.arg_id(2)
    if line is None or line.id is None or stars is None or stars > STARS_MAX or stars == line.stars:
        return _home(ctx, say("star_corrections.not_found"))
    words = " ".join(" ".join(ctx.args[3:]).split())
    if not WHY_MIN <= len(words) <= WHY_MAX:
        return Reply(
            say("star_corrections.ask_why"),
            expect=f"star_corrections:why:{line.id}:{stars}",
            back="star_corrections",
        )
    made = year_results.propose(ctx.session, result_id=line.id, stars=stars, reason=words, by=ctx.me, now=ctx.now)
    if made is None:
        return _home(ctx, say("star_corrections.proposed_before"))
    _log(ctx, "correction.proposed", made, stars=stars, why=words)
    return _home(ctx, say("star_corrections.proposed"))


def _asked(ctx: Context) -> tuple[YearCorrection, YearResult] | None:
    one = year_results.correction(ctx.session, ctx.arg_id(1))
    line = year_results.by_id(ctx.session, one.result_id) if one else None
    return (one, line) if one is not None and line is not None and _within(ctx, line) else None


def _see(ctx: Context) -> Reply:
    say, asked = ctx.say, _asked(ctx)
    if asked is None:
        return _home(ctx, say("star_corrections.not_found"))
    one, line = asked
    text = say(
        f"star_corrections.is_{one.state}",
        whose=_whose(ctx, line),
        before=say(f"stars.{line.stars}"),
        after=say(f"stars.{one.stars}"),
        why=one.reason,
    )
    if one.state != "proposed" or one.proposed_by == ctx.me:
        own = f"\n{say('star_corrections.own')}" if one.state == "proposed" else ""
        return Reply(text + own, back="star_corrections")
    buttons = (
        Button(say("star_corrections.confirm"), f"star_corrections:yes:{one.id}"),
        Button(say("star_corrections.reject"), f"star_corrections:no:{one.id}"),
    )
    return Reply(text, buttons, back="star_corrections")


def _decide(ctx: Context, state: str) -> Reply:
    say, asked = ctx.say, _asked(ctx)
    if asked is None or asked[0].id is None:
        return _home(ctx, say("star_corrections.not_found"))
    one, line = asked
    own = one.proposed_by == ctx.me
    new = _corrected(ctx, one, line)
    if not year_results.decide(ctx.session, asked[0].id, state, ctx.me, ctx.now):
        return _home(ctx, say("star_corrections.own" if own else "star_corrections.decided_before"))
    if state == "confirmed":
        year_results.add(ctx.session, [new])
    _log(ctx, f"correction.{state}", one.id or 0)
    return _home(ctx, say(f"star_corrections.done_{state}"))


def _corrected(ctx: Context, one: YearCorrection, line: YearResult) -> dict[str, object]:
    return {
        "year": line.year,
        "organization_id": line.organization_id,
        "member_id": line.member_id,
        "version": line.version + 1,
        "score": line.score,
        "stars": one.stars,
        "veto": line.veto and one.stars == 0,
        "rules": line.rules,
        "figures": line.figures,
        "reason": one.reason,
        "recorded_by": one.proposed_by,
        "second_by": ctx.me,
        "recorded_at": ctx.now,
    }


def _log(ctx: Context, action: str, correction_id: int, **detail: object) -> None:
    subject = f"year_correction:{correction_id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=subject, **detail)


STAR_CORRECTIONS = Command(
    "star_corrections",
    ("更正星级", "correct stars"),
    correct,
    slash=("/correctstars",),
    roles=frozenset({ROLE}),
    phrases=("星级错了要更正",),
    in_menu=False,
    order=152,
)
