"""记实: what officers (or members about their study) say that happened, question by question, then a preview.

Nothing is booked here: another person confirms it in `record_review`. Who loses points is heard first.
"""

from __future__ import annotations

from collections.abc import Sequence

from db import audit, members, proposals
from db.members import Member
from db.proposals import Proposal
from handlers import picking
from handlers.conversation import Button, Command, Context, Reply
from handlers.recording_answers import take
from handlers.recording_steps import OFFICERS, ORDER, ask, following, home_of, reports_oneself, rule_of
from handlers.spoken_hours import said_hours
from notices import record_notes
from notices.working_days import working_day_after
from scoring.booking import worth
from scoring.catalogue import shipped
from scoring.record_rules import record_rules

OWN_MAX = 7
PLUS, MINUS = ("base", "positive"), ("conduct", "zero_clear")


def records(ctx: Context) -> Reply:
    """`记实`: what this person can note; `plus`, `minus`: the rules of one kind; `own`: what they proposed."""
    views = {"plus": _plus, "minus": _minus, "own": _own, "see": _see, "back": _withdraw}
    view = views.get(ctx.arg())
    return view(ctx) if view else _tree(ctx)


def _tree(ctx: Context) -> Reply:
    say = ctx.say
    steps = [
        ("record_tree.plus", "records:plus"),
        ("record_tree.minus", "records:minus"),
        ("record_tree.own", "records:own"),
    ]
    if ctx.node("secretary") is not None:
        first = [("menu.dues", "dues"), ("menu.study", "study")]
        steps = [*first, *steps, ("menu.grades", "grades"), ("menu.resolutions", "resolutions")]
    return Reply(say("record_tree.tree"), tuple(Button(say(name), action) for name, action in steps))


def _plus(ctx: Context) -> Reply:
    return _rules(ctx, PLUS)


def _minus(ctx: Context) -> Reply:
    return _rules(ctx, MINUS)


def _rules(ctx: Context, parts: tuple[str, ...]) -> Reply:
    mine = [
        rule
        for one in record_rules().proposed_by({role for role, _ in ctx.roles()})
        if (rule := shipped().rule(one.rule)).part in parts and rule.terms_on(ctx.today) is not None
    ]
    buttons = tuple(
        Button(record_notes.short_title(ctx.say, rule.id), f"recording:new:{rule.id}") for rule in mine
    )
    name = "which_plus" if parts == PLUS else "which_minus"
    return Reply(ctx.say(f"record_tree.{name}"), buttons, back="records")


def _own(ctx: Context, first: str = "") -> Reply:
    """What the speaker proposed, the newest first, and how each stands."""
    found = proposals.of_proposer(ctx.session, ctx.me, most=OWN_MAX)
    buttons = tuple(Button(title(ctx, one), f"records:see:{one.id}") for one in found)
    text = ctx.say("record_tree.own_list" if found else "record_tree.own_none")
    return Reply(f"{first}\n{text}" if first else text, buttons, back="records")


def title(ctx: Context, one: Proposal) -> str:
    """A proposal in one line, without names."""
    assert one.day is not None
    return ctx.say(
        "record_tree.title",
        rule=record_notes.short_title(ctx.say, one.rule_id),
        month=one.day.month,
        day=one.day.day,
        state=ctx.say(f"record_tree.state_{one.state}"),
    )


def _see(ctx: Context) -> Reply:
    one = proposals.by_id(ctx.session, ctx.arg_id(1))
    if one is None or one.id is None or one.proposed_by != ctx.me:
        return _own(ctx, ctx.say("record_tree.unknown"))
    people = proposals.members_of(ctx.session, one.id)
    back = Button(ctx.say("record_tree.withdraw"), f"records:back:{one.id}")
    note = f"\n{ctx.say('records.note', why=one.note)}" if one.note else ""
    text = f"{title(ctx, one)}\n{told(ctx, one, people)}{note}"
    return Reply(text, (back,) if one.state == "proposed" else (), back="records:own")


def _withdraw(ctx: Context) -> Reply:
    one = proposals.by_id(ctx.session, ctx.arg_id(1))
    if one is None or one.id is None or not proposals.withdraw(ctx.session, one, ctx.me, ctx.now):
        return _own(ctx, ctx.say("record_tree.decided"))
    people = proposals.members_of(ctx.session, one.id)
    audit.record(
        ctx.session, at=ctx.now, actor_id=ctx.me, action="proposal.withdrawn", subject=f"proposal:{one.id}"
    )
    if one.hear_until is not None:
        record_notes.dropped(ctx.session, one, people, ctx.now)
    return _own(ctx, ctx.say("record_tree.withdrawn"))


def told(ctx: Context, one: Proposal, people: Sequence[Member]) -> str:
    """What a proposal says: whom, how much it is worth, when and what."""
    assert one.day is not None
    rule = rule_of(one)
    choice = rule.named(one.grade)
    due = worth(one.rule_id, one.day, one.grade, one.hundredths)
    hours = ctx.say("record_tree.hours", hours=said_hours(one.hundredths)) if rule.asks == "hours" else ""
    return ctx.say(
        "record_tree.told",
        rule=shipped().rule(one.rule_id).title_in(ctx.say.language),
        grade=ctx.say("record_tree.choice", choice=choice.title_in(ctx.say.language)) if choice else "",
        names=picking.names(ctx, people),
        hours=hours,
        points=f"{due.points:+d}" if due else "0",
        day=one.day.isoformat(),
        words=one.words,
    )


# Filling in


def recording(ctx: Context) -> Reply:
    """`继续填写`: the next question of the draft; with arguments an answer to one of them."""
    if ctx.arg() == "new":
        return _new(ctx)
    draft = proposals.draft_of(ctx.session, ctx.me)
    if draft is None or rule_of(draft).fed_by != "proposal" or not _may(ctx, draft.rule_id):
        return Reply(ctx.say("recording.gone"), back=home_of(ctx))
    step = ctx.arg()
    if step == "yes":
        return _propose(ctx, draft)
    if step not in ORDER or step == "preview":
        return ask(ctx, draft, following(draft), _preview)
    problem = take(ctx, draft, step)
    if problem:
        return ask(ctx, draft, step, _preview, problem)
    return ask(ctx, draft, following(draft, step), _preview)


def _may(ctx: Context, rule_id: str) -> bool:
    rule = record_rules().of(rule_id)
    roles = {role for role, _ in ctx.roles()} | {"member"}
    return rule is not None and bool(roles.intersection(rule.by))


def _new(ctx: Context) -> Reply:
    """`recording:new:RULE`, with `self` behind it for one's own study."""
    rule_id, oneself = ctx.arg(1), ctx.arg(2) == "self"
    node = ctx.branch() if oneself else ctx.node("secretary") or ctx.node("committee_reviewer")
    rule = record_rules().of(rule_id)
    allowed = {"member"} if oneself else {role for role, _ in ctx.roles()}
    if node is None or node.id is None or rule is None or not allowed.intersection(rule.by):
        return Reply(ctx.say("recording.not_yours"), back=home_of(ctx))
    draft = proposals.begin(ctx.session, member_id=ctx.me, organization_id=node.id, rule_id=rule_id, now=ctx.now)
    if oneself:
        proposals.fill(ctx.session, draft, picked=str(ctx.me))
    return ask(ctx, draft, following(draft), _preview)


def _complete(draft: Proposal) -> bool:
    rule = rule_of(draft)
    shown = draft.picture_id is not None or not rule.picture
    chosen = rule.asks != "choice" or bool(draft.grade)
    return draft.day is not None and bool(draft.picked) and bool(draft.words) and shown and chosen


def _people(ctx: Context, draft: Proposal) -> list[Member]:
    found = members.by_ids(ctx.session, [int(one) for one in draft.picked.split(";") if one])
    return [found[member_id] for member_id in sorted(found)]


def _preview(ctx: Context, draft: Proposal) -> Reply:
    if not _complete(draft):
        return Reply(ctx.say("recording.gone"), back=home_of(ctx))
    days = rule_of(draft).hearing_days
    text = f"{ctx.say('recording.preview')}\n{told(ctx, draft, _people(ctx, draft))}"
    text += (
        f"\n{ctx.say('recording.will_be_heard', days=days) if days else ctx.say('recording.will_be_confirmed')}"
    )
    return Reply(text, (Button(ctx.say("recording.submit"), "recording:yes"),), back=home_of(ctx))


def _propose(ctx: Context, draft: Proposal) -> Reply:
    rule = rule_of(draft)
    if not _complete(draft):
        return Reply(ctx.say("recording.gone"), back=home_of(ctx))
    hear_until = working_day_after(ctx.today, rule.hearing_days) if rule.hearing_days else None
    wanted = len(draft.picked.split(";"))
    oneself = reports_oneself(draft)
    taken = proposals.propose(ctx.session, draft, now=ctx.now, hear_until=hear_until)
    if taken is None:
        return Reply(ctx.say("recording.gone"), back=home_of(ctx))
    if not taken:
        return Reply(ctx.say("recording.known"), back=home_of(ctx))
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="proposal.made",
        subject=f"proposal:{draft.id}",
        rule=draft.rule_id,
        members=taken,
        grade=draft.grade,
        hundredths=draft.hundredths,
        words=draft.words,
    )
    if hear_until is not None:
        record_notes.heard(ctx.session, draft, taken, ctx.now)
    record_notes.waiting(
        ctx.session, draft.organization_id, rule.confirms, ctx.now, ctx.today, but=(ctx.me, *taken)
    )
    text = ctx.say("recording.reported" if oneself else "recording.proposed")
    if len(taken) < wanted:
        text += "\n" + ctx.say("recording.some_known", count=wanted - len(taken))
    return Reply(
        text, (Button(ctx.say("record_tree.own"), "records:own"),) if not oneself else (), back=home_of(ctx)
    )


RECORDS = Command(
    "records",
    ("记实", "记录", "records"),
    records,
    slash=("/records",),
    roles=OFFICERS,
    phrases=("给党员记分", "给党员加分", "给党员扣分", "登记表彰", "登记志愿服务"),
    in_menu=False,
    order=95,
)
RECORDING = Command("recording", ("继续填写", "go on filling in"), recording, in_menu=False)
