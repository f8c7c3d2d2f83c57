"""Answering an appeal: reject it with a reason, or accept it: the opposite line, and the right one if needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from db import appeals, attendance, audit, dues, ledger, ledger_lines, organizations, proposals
from db.appeals import Appeal
from db.ledger import Entry
from handlers.conversation import Button, Context, Picture, Reply
from handlers.line_evidence import evidence
from handlers.proposal_review import reason_in
from handlers.spoken_hours import said_hours, spoken_half_hours
from notices import closing, record_notes
from notices.warnings import check_warnings
from scoring.booking import book_event
from scoring.catalogue import shipped
from scoring.record_rules import record_rules

HOURS = ("PB3", "PP2")  # rules whose quantity is hours
HOURS_MAX = 24


def reach(ctx: Context) -> list[tuple[str, str]]:
    """(role, path) in which this person answers appeals."""
    roles = ("committee_reviewer", "district_org_department")
    return [(role, node.path) for role, node in ctx.roles() if role in roles]


def _asked(ctx: Context) -> tuple[Appeal, Entry] | None:
    one = appeals.by_id(ctx.session, ctx.arg_id(1))
    line = ledger_lines.by_id(ctx.session, one.entry_id) if one is not None else None
    if one is None or line is None:
        return None
    path = organizations.get(ctx.session, one.organization_id).path
    return (one, line) if any(role == one.goes_to and path.startswith(node) for role, node in reach(ctx)) else None


def _see(ctx: Context) -> Reply | str:
    found = _asked(ctx)
    return _shown(ctx, *found) if found is not None else ctx.say("record_review.unknown")


def _shown(ctx: Context, one: Appeal, line: Entry, first: str = "") -> Reply:
    """The line, what stands behind it, what the member says, and what can be answered."""
    say = ctx.say
    shown = evidence(ctx, line)
    lines = [first] if first else []
    lines.append(
        say(
            "appeal.line",
            rule=shipped().rule(line.rule_id).title_in(say.language),
            points=f"{line.points:+d}",
            day=line.day.isoformat(),
            reason=line.reason,
        )
    )
    lines += [shown.words, say("appeal.says", words=one.words)]
    if one.state != "open":
        lines.append(say(f"appeal.state_{one.state}", answer=one.answer))
    buttons: list[Button] = []
    if one.state == "open" and ctx.me not in (one.member_id, one.booked_by):
        buttons.append(Button(say("appeal.reject"), f"record_review:appeal_no:{one.id}"))
        buttons.append(Button(say("appeal.undo"), f"record_review:appeal_yes:{one.id}:none"))
        buttons += _corrections(ctx, one, line)
    if shown.picture_id is not None and one.picture_id is not None:
        buttons.append(Button(say("appeal.evidence"), f"record_review:appeal_proof:{one.id}"))
    picture_id = one.picture_id if one.picture_id is not None else shown.picture_id
    picture = None
    if picture_id is not None:
        picture = Picture("stored", {"id": picture_id}, say("record_review.picture_alt"))
    return Reply("\n".join(lines), tuple(buttons), picture, back="record_review")


def _corrections(ctx: Context, one: Appeal, line: Entry) -> list[Button]:
    """What can stand in the line's place: another grade, or other hours."""
    action = f"record_review:appeal_yes:{one.id}"
    if line.rule_id in HOURS:
        return [Button(ctx.say("appeal.other_hours"), f"{action}:hours")]
    terms = shipped().rule(line.rule_id).terms_on(line.day)
    rule = record_rules().of(line.rule_id)
    if terms is None or terms.grades is None or rule is None:
        return []
    return [
        Button(ctx.say("appeal.correct_to", grade=choice.title_in(ctx.say.language)), f"{action}:{choice.id}")
        for choice in rule.choice
        if terms.grades.get(choice.id) not in (None, line.points)
    ]


def _proof(ctx: Context) -> Reply | str:
    found = _asked(ctx)
    shown = evidence(ctx, found[1]) if found is not None else None
    if found is None or shown is None or shown.picture_id is None:
        return ctx.say("record_review.unknown")
    picture = Picture("stored", {"id": shown.picture_id}, ctx.say("record_review.picture_alt"))
    return Reply(shown.words, picture=picture, back=f"record_review:appeal:{found[0].id}")


def _reject(ctx: Context) -> Reply | str:
    found = _asked(ctx)
    if found is None:
        return ctx.say("record_review.unknown")
    one, line = found
    see, ask = f"record_review:appeal:{one.id}", ctx.say("appeal.ask_reject")
    why, question = reason_in(ctx, 2, ask, f"record_review:appeal_no:{one.id}", see)
    if question:
        return question
    if not appeals.decide(ctx.session, one, by=ctx.me, accepted=False, now=ctx.now, answer=why):
        return _shown(ctx, appeals.by_id(ctx.session, one.id) or one, line, ctx.say("record_review.not_now"))
    _tell(ctx, one, line, "appeal_rejected", why)
    return ctx.say("appeal.rejected")


def _accept(ctx: Context) -> Reply | str:
    """`appeal_yes:ID:WHAT`, then the reason; WHAT: none, a grade, or hours (asked for, then `3h`)."""
    found = _asked(ctx)
    if found is None:
        return ctx.say("record_review.unknown")
    one, line = found
    see, what = f"record_review:appeal:{one.id}", ctx.arg(2)
    if what == "hours":
        said = spoken_half_hours(" ".join(ctx.args[3:])) if line.rule_id in HOURS else None
        if said is None or not 0 < said <= 2 * HOURS_MAX:
            return Reply(ctx.say("appeal.how_many"), expect=f"record_review:appeal_yes:{one.id}:hours", back=see)
        ctx.args = (*ctx.args[:2], f"{said}h")
        what = f"{said}h"
    if not _fits(line, what):
        return _shown(ctx, one, line, ctx.say("record_review.unknown"))
    ask = ctx.say("appeal.ask_undo" if what == "none" else "appeal.ask_correct", to=_said(ctx, line, what))
    why, question = reason_in(ctx, 3, ask, f"record_review:appeal_yes:{one.id}:{what}", see)
    if question:
        return question
    if not appeals.decide(ctx.session, one, by=ctx.me, accepted=True, now=ctx.now, answer=why):
        return _shown(ctx, appeals.by_id(ctx.session, one.id) or one, line, ctx.say("record_review.not_now"))
    _correct(ctx, one, line, what, why)
    _tell(ctx, one, line, "appeal_accepted", why)
    return ctx.say("appeal.accepted")


def _fits(line: Entry, what: str) -> bool:
    if what == "none":
        return True
    if line.rule_id in HOURS:
        halves = spoken_half_hours(what) if what.endswith("h") else None
        return halves is not None and 0 < halves <= 2 * HOURS_MAX
    terms = shipped().rule(line.rule_id).terms_on(line.day)
    return terms is not None and terms.grades is not None and what in terms.grades


def _said(ctx: Context, line: Entry, what: str) -> str:
    if what == "none":
        return ""
    if line.rule_id in HOURS:
        return ctx.say("record_tree.hours", hours=said_hours(50 * (spoken_half_hours(what) or 0)))
    rule = record_rules().of(line.rule_id)
    named = rule.named(what) if rule is not None else None
    return named.title_in(ctx.say.language) if named else what


def _correct(ctx: Context, one: Appeal, line: Entry, what: str, why: str) -> None:
    """Book the opposite line and, with a correction, the right one; what it rested on follows."""
    assert one.id is not None
    ledger.reverse(ctx.session, line, booked_at=ctx.now, reason=why)
    _follow(ctx, line)
    if what == "none":
        return
    hours = line.rule_id in HOURS
    book_event(
        ctx.session,
        member_id=line.member_id,
        organization_id=line.organization_id,
        rule_id=line.rule_id,
        cause=appeals.cause_of(one.id),
        day=line.day,
        reason=_said(ctx, line, what),
        at=ctx.now,
        grade="" if hours else what,
        hundredths=50 * (spoken_half_hours(what) or 0) if hours else 100,
    )


def _follow(ctx: Context, line: Entry) -> None:
    """The attendance, the tick or the record that booked the line does not stand any more either."""
    kind, _, rest = line.cause.partition(":")
    first = rest.split(":")[0]
    if kind == "activity" and attendance.undo(ctx.session, int(first), line.member_id) is not None:
        closing.close_again(ctx.session, int(first), ctx.now, ctx.zone)
        check_warnings(ctx.session, ctx.now, ctx.zone, [line.organization_id] if line.organization_id else [])
    elif kind == "dues":
        dues.untick(ctx.session, line.member_id, first)
    elif kind == "dues_reminder":
        dues.void(ctx.session, line.member_id, line.day)
    elif kind == "proposal":
        proposals.let_go(ctx.session, int(first), line.member_id)


def _tell(ctx: Context, one: Appeal, line: Entry, name: str, why: str) -> None:
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=f"entry.{name}",
        subject=f"entry:{line.id}",
        member=one.member_id,
        why=why,
    )
    key, steps = f"appeal:{one.id}:{name}", [("recording.lines", "points:lines")]
    record_notes.tell(ctx.session, [one.member_id], name, key, ctx.now, steps, rule_id=line.rule_id, why=why)


STEPS: Mapping[str, Callable[[Context], Reply | str]] = {
    "appeal": _see,
    "appeal_proof": _proof,
    "appeal_no": _reject,
    "appeal_yes": _accept,
}
