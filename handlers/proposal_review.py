"""A second person on what somebody proposed: confirm and book, refuse, or take back what was confirmed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from db import audit, members, organizations, proposals
from db.proposals import Proposal
from handlers.conversation import Button, Context, Picture, Reply
from handlers.recording import told
from notices import record_notes
from scoring.booking import book_event, take_back
from scoring.record_rules import record_rules

REASON_MIN, REASON_MAX = 2, 100  # characters
SHOWN_MAX = 7


def role_for(ctx: Context, one: Proposal) -> str | None:
    """The role in which this person may decide on it; None: in none."""
    rule = record_rules().of(one.rule_id)
    path = organizations.get(ctx.session, one.organization_id).path
    held = {role for role, node in ctx.roles() if path.startswith(node.path)}
    return next((role for role in rule.confirms if role in held), None) if rule else None


def waiting(ctx: Context, *, most: int) -> Sequence[Proposal]:
    """What this person can decide on: first what need not be heard any more."""
    found: list[Proposal] = []
    for role in {role for role, _ in ctx.roles()}:
        rules = [one.rule for one in record_rules().record if role in one.confirms]
        paths = [node.path for held, node in ctx.roles() if held == role]
        found += proposals.to_confirm(ctx.session, paths, rules, ctx.me, ctx.today, most=most)
    return list({one.id: one for one in found}.values())[:most]


def title(ctx: Context, one: Proposal) -> str:
    """A proposal on a button: the branch and the rule."""
    branch = organizations.get(ctx.session, one.organization_id).name
    rule = record_notes.short_title(ctx.say, one.rule_id)
    name = "a_hearing" if one.hear_until is not None and one.hear_until >= ctx.today else "a_record"
    return ctx.say(f"record_review.{name}", branch=branch, rule=rule)


def _asked(ctx: Context) -> Proposal | None:
    one = proposals.by_id(ctx.session, ctx.arg_id(1))
    return one if one is not None and role_for(ctx, one) is not None else None


def _see(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    return shown(ctx, one) if one is not None else ctx.say("record_review.unknown")


def shown(ctx: Context, one: Proposal, first: str = "") -> Reply:
    """A proposal as its reviewer sees it: what, the evidence, what the member says, and what can be decided."""
    assert one.id is not None
    say = ctx.say
    people = proposals.members_of(ctx.session, one.id)
    proposer = members.get(ctx.session, one.proposed_by)
    lines = [first] if first else []
    lines.append(told(ctx, one, people))
    lines.append(
        say("record_review.by", name=ctx.called(proposer.name), state=say(f"record_tree.state_{one.state}"))
    )
    if one.objection:
        lines.append(say("record_review.objection", words=one.objection))
    hearing = one.state == "proposed" and one.hear_until is not None and one.hear_until >= ctx.today
    if hearing and one.hear_until is not None:
        lines.append(say("record_review.hearing", month=one.hear_until.month, day=one.hear_until.day))
    buttons: list[Button] = []
    involved = ctx.me == one.proposed_by or ctx.me in {person.id for person in people}
    if one.state == "proposed" and not involved:
        if not hearing:
            buttons.append(Button(say("record_review.confirm"), f"record_review:yes:{one.id}"))
        buttons.append(Button(say("record_review.refuse"), f"record_review:no:{one.id}"))
    if one.state == "confirmed" and not involved:
        buttons.append(Button(say("record_review.revoke"), f"record_review:revoke:{one.id}"))
    if one.objection_picture_id is not None:
        buttons.append(Button(say("record_review.their_picture"), f"record_review:theirs:{one.id}"))
    picture = None
    if one.picture_id is not None:
        picture = Picture("stored", {"id": one.picture_id}, say("record_review.picture_alt"))
    return Reply("\n".join(lines), tuple(buttons), picture, back="record_review")


def _theirs(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    if one is None or one.objection_picture_id is None:
        return ctx.say("record_review.unknown")
    picture = Picture("stored", {"id": one.objection_picture_id}, ctx.say("record_review.picture_alt"))
    text = ctx.say("record_review.objection", words=one.objection)
    return Reply(text, picture=picture, back=f"record_review:record:{one.id}")


def _confirm(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    if one is None or one.id is None:
        return ctx.say("record_review.unknown")
    role = role_for(ctx, one) or ""
    if not proposals.confirm(ctx.session, one, by=ctx.me, role=role, now=ctx.now, today=ctx.today):
        return shown(ctx, proposals.by_id(ctx.session, one.id) or one, ctx.say("record_review.not_now"))
    booked = _book(ctx, one)
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="proposal.confirmed",
        subject=f"proposal:{one.id}",
        rule=one.rule_id,
        booked=booked,
    )
    return ctx.say("record_review.confirmed", count=len(booked))


def _book(ctx: Context, one: Proposal) -> dict[int, int]:
    """One line for every member; points by member."""
    assert one.id is not None
    assert one.day is not None
    booked: dict[int, int] = {}
    for person in proposals.members_of(ctx.session, one.id):
        assert person.id is not None
        branch = members.branch_of(ctx.session, person.id, one.day)
        points = book_event(
            ctx.session,
            member_id=person.id,
            organization_id=branch.id if branch else one.organization_id,
            rule_id=one.rule_id,
            cause=proposals.cause_of(one.id),
            day=one.day,
            reason=one.words,
            at=ctx.now,
            grade=one.grade,
            hundredths=one.hundredths,
        )
        if points is not None:
            booked[person.id] = points
            _tell(ctx, one, person.id, points)
    return booked


def _tell(ctx: Context, one: Proposal, member_id: int, points: int) -> None:
    name = "booked" if points > 0 else "deducted" if points < 0 else "noted"
    steps = [("recording.lines", "points:lines")]
    key = f"proposal:{one.id}:booked"
    record_notes.tell(
        ctx.session,
        [member_id],
        "cleared" if one.rule_id == "PZ1" else name,
        key,
        ctx.now,
        steps,
        rule_id=one.rule_id,
        grade=one.grade,
        points=abs(points),
        words=one.words,
        days=record_rules().appeal.within_days,
    )


def reason_in(ctx: Context, place: int, ask: str, expect: str, back: str) -> tuple[str, Reply | None]:
    """The typed reason behind the arguments, or the question for it: `ask` is what will happen."""
    why = " ".join(" ".join(ctx.args[place:]).split())
    problem = ""
    if why and sum(letter.isalnum() for letter in why) < REASON_MIN:
        problem = ctx.say("record_review.reason_short")
    elif len(why) > REASON_MAX:
        problem = ctx.say("record_review.reason_long", most=REASON_MAX)
    if why and not problem:
        return why, None
    return "", Reply(f"{problem}\n{ask}" if problem else ask, expect=expect, back=back)


def _refuse(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    if one is None or one.id is None:
        return ctx.say("record_review.unknown")
    see = f"record_review:record:{one.id}"
    why, question = reason_in(ctx, 2, ctx.say("record_review.ask_refuse"), f"record_review:no:{one.id}", see)
    if question:
        return question
    role = role_for(ctx, one) or ""
    if not proposals.refuse(ctx.session, one, by=ctx.me, role=role, now=ctx.now, why=why):
        return shown(ctx, proposals.by_id(ctx.session, one.id) or one, ctx.say("record_review.not_now"))
    _log(ctx, one, "proposal.refused", why)
    people = proposals.members_of(ctx.session, one.id)
    if one.hear_until is not None:
        record_notes.dropped(ctx.session, one, people, ctx.now)
    key = f"proposal:{one.id}:refused"
    record_notes.tell(ctx.session, [one.proposed_by], "refused", key, ctx.now, rule_id=one.rule_id, why=why)
    return ctx.say("record_review.refused")


def _revoke(ctx: Context) -> Reply | str:
    """Take back what was confirmed: the opposite line for every member."""
    one = _asked(ctx)
    if one is None or one.id is None:
        return ctx.say("record_review.unknown")
    people = proposals.members_of(ctx.session, one.id)
    if ctx.me == one.proposed_by or ctx.me in {person.id for person in people}:
        return shown(ctx, one, ctx.say("record_review.not_now"))
    see = f"record_review:record:{one.id}"
    ask = ctx.say("record_review.ask_revoke", count=len(people))
    why, question = reason_in(ctx, 2, ask, f"record_review:revoke:{one.id}", see)
    if question:
        return question
    if not proposals.revoke(ctx.session, one, by=ctx.me, now=ctx.now, why=why):
        return shown(ctx, proposals.by_id(ctx.session, one.id) or one, ctx.say("record_review.not_now"))
    cause = proposals.cause_of(one.id)
    for person in people:
        assert person.id is not None
        moved = take_back(ctx.session, person.id, one.rule_id, cause, at=ctx.now, reason=why)
        if moved is not None:
            key = f"proposal:{one.id}:revoked"
            record_notes.tell(
                ctx.session,
                [person.id],
                "revoked",
                key,
                ctx.now,
                rule_id=one.rule_id,
                grade=one.grade,
                points=f"{moved:+d}",
                why=why,
            )
    _log(ctx, one, "proposal.revoked", why)
    return ctx.say("record_review.revoked")


def _log(ctx: Context, one: Proposal, action: str, why: str) -> None:
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=f"proposal:{one.id}", why=why)


def _done(ctx: Context) -> Reply:
    """What this person confirmed last: a wrong one is taken back from here."""
    found = proposals.of_decider(ctx.session, ctx.me, most=SHOWN_MAX)
    buttons = tuple(Button(title(ctx, one), f"record_review:record:{one.id}") for one in found)
    return Reply(
        ctx.say("record_review.done_list" if found else "record_review.done_none"), buttons, back="record_review"
    )


STEPS: Mapping[str, Callable[[Context], Reply | str]] = {
    "record": _see,
    "theirs": _theirs,
    "yes": _confirm,
    "no": _refuse,
    "revoke": _revoke,
    "done": _done,
}
