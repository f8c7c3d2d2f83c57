"""党费: a member sees the own months; the secretary ticks who paid. Only ticks are kept, never an amount.

A month that is ticked within itself pays PB2; a late tick is noted and pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from db import audit, dues, members, offices, organizations, proposals
from db.members import Member
from db.organizations import Organization
from db.proposals import Proposal
from handlers import picking
from handlers.conversation import Button, Command, Context, Reply
from handlers.proposal_review import reason_in
from notices import dues as reminding
from notices import record_notes
from scoring.booking import book_event, take_back
from scoring.record_rules import record_rules

RULE = "PB2"
ARREARS_MAX = 20  # names in one list


def run(ctx: Context) -> Reply:
    """`党费`; with arguments a step of the secretary."""
    steps: Mapping[str, Callable[[Context, Organization], Reply]] = {
        "month": _month,
        "tick": _tick,
        "yes": _yes,
        "undo": _undo,
        "arrears": _arrears,
    }
    branch = ctx.node("secretary")
    step = steps.get(ctx.arg())
    if branch is None and ctx.arg() == "arrears":  # the officer who is told how many owe sees who, and ticks none
        held = offices.branch_ids_of(ctx.session, ctx.me, "organization_officer", ctx.today)
        return _arrears(ctx, organizations.get(ctx.session, held[0])) if held else _mine(ctx)
    if ctx.arg() == "mine" or branch is None or branch.id is None:
        return _mine(ctx)
    return step(ctx, branch) if step else _shown(ctx, branch, month_of(ctx.today))


def month_of(day: date) -> str:
    """`2026-06`."""
    return f"{day:%Y-%m}"


def last_day(month: str) -> date:
    """The last day of a month."""
    year, number = int(month[:4]), int(month[5:])
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


def _mine(ctx: Context) -> Reply:
    year = ctx.today.year
    found = dues.months_of(ctx.session, ctx.me, year)
    if not found:
        return Reply(ctx.say("dues.mine_none", year=year), back="points")
    told = ctx.say("dues.joint").join(
        ctx.say("dues.mine_in_time" if in_time else "dues.mine_late", month=int(month[5:]))
        for month, in_time in found.items()
    )
    return Reply(ctx.say("dues.mine", year=year, months=told), back="points")


def _asked(ctx: Context) -> str | None:
    """The month of the argument: this one, or one so far back as dues can be paid without approval."""
    wanted = ctx.arg(1)
    earlier = reminding.months_back(ctx.today, record_rules().dues.back_months)
    return wanted if wanted in (month_of(ctx.today), *earlier) else None


def _due(ctx: Context, branch: Organization, month: str) -> list[Member]:
    """Who owes dues for the month: whoever belonged to the branch on its last day, or today."""
    assert branch.id is not None
    return list(members.members_of(ctx.session, branch.id, min(last_day(month), ctx.today)))


def _unpaid(ctx: Context, branch: Organization, month: str) -> list[Member]:
    due = _due(ctx, branch, month)
    done = dues.paid(ctx.session, [one.id for one in due if one.id is not None], month)
    return [one for one in due if one.id not in done]


def _month(ctx: Context, branch: Organization) -> Reply:
    return _shown(ctx, branch, _asked(ctx) or month_of(ctx.today))


def _shown(ctx: Context, branch: Organization, month: str, first: str = "") -> Reply:
    """How the month stands, and the steps."""
    say = ctx.say
    due, unpaid = _due(ctx, branch, month), _unpaid(ctx, branch, month)
    text = say("dues.month", month=int(month[5:]), year=month[:4], paid=len(due) - len(unpaid), unpaid=len(unpaid))
    if month != month_of(ctx.today):
        text += "\n" + say("dues.late_month")
    buttons = [Button(say("dues.tick"), f"dues:tick:{month}")] if unpaid else []
    if len(unpaid) < len(due):
        buttons.append(Button(say("dues.undo"), f"dues:undo:{month}"))
    before = month_of(date(int(month[:4]), int(month[5:]), 1) - timedelta(days=1))
    if before in reminding.months_back(ctx.today, record_rules().dues.back_months):
        buttons.append(Button(say("dues.month_before", month=int(before[5:])), f"dues:month:{before}"))
    buttons.append(Button(say("dues.arrears"), "dues:arrears"))
    buttons.append(Button(say("dues.own"), "dues:mine"))
    return Reply(f"{first}\n{text}" if first else text, tuple(buttons), back="records")


def _tick(ctx: Context, branch: Organization) -> Reply:
    """`tick:MONTH`: the numbered list; with numbers behind it the preview."""
    month = _asked(ctx)
    if month is None:
        return _shown(ctx, branch, month_of(ctx.today), ctx.say("dues.too_far_back"))
    unpaid = _unpaid(ctx, branch, month)
    said = " ".join(ctx.args[2:])
    if not unpaid:
        return _shown(ctx, branch, month, ctx.say("dues.all_paid"))
    chosen = _chosen(ctx, unpaid, said)
    if not chosen:
        problem = ctx.say("recording.whom_unknown") if said else ctx.say("dues.whom", month=int(month[5:]))
        text = f"{problem}\n{picking.listed(unpaid)}" if ctx.names_allowed else ctx.say("recording.whom_name")
        return Reply(text, expect=f"dues:tick:{month}", back=f"dues:month:{month}")
    assert branch.id is not None
    draft = proposals.begin(ctx.session, member_id=ctx.me, organization_id=branch.id, rule_id=RULE, now=ctx.now)
    ids = ";".join(str(one.id) for one in chosen)
    proposals.fill(ctx.session, draft, picked=ids, words=month)
    pays = month == month_of(ctx.today)
    text = ctx.say(
        "dues.preview" if pays else "dues.preview_late",
        month=int(month[5:]),
        names=picking.names(ctx, chosen),
        count=len(chosen),
    )
    return Reply(text, (Button(ctx.say("dues.confirm"), f"dues:yes:{month}"),), back=f"dues:tick:{month}")


def _chosen(ctx: Context, people: list[Member], said: str) -> list[Member]:
    places = picking.picked(said, len(people)) if ctx.names_allowed else None
    if places:
        return [people[place] for place in places]
    found = picking.by_word(people, said.strip()) if said else []
    return found if len(found) == 1 else []


def _yes(ctx: Context, branch: Organization) -> Reply:
    draft = proposals.draft_of(ctx.session, ctx.me)
    month = _asked(ctx)
    fits = draft is not None and draft.rule_id == RULE and draft.words == month
    if draft is None or month is None or not fits or draft.organization_id != branch.id:
        return _shown(ctx, branch, month or month_of(ctx.today), ctx.say("recording.gone"))
    due = {one.id for one in _due(ctx, branch, month)}
    wanted = [int(one) for one in draft.picked.split(";")]
    done = [member_id for member_id in wanted if member_id in due and _pay(ctx, branch, draft, member_id)]
    proposals.fill(ctx.session, draft, picked="", words="")
    return _shown(ctx, branch, month, ctx.say("dues.noted", count=len(done)))


def _pay(ctx: Context, branch: Organization, draft: Proposal, member_id: int) -> bool:
    """Note one payment, book it when it is in time, and tell. False when it was noted before."""
    assert branch.id is not None
    month = draft.words
    in_time = month == month_of(ctx.today)
    round_ = dues.tick(
        ctx.session,
        member_id=member_id,
        month=month,
        organization_id=branch.id,
        in_time=in_time,
        by=ctx.me,
        at=ctx.now,
    )
    if round_ is None:
        return False
    points = 0
    if in_time:
        points = (
            book_event(
                ctx.session,
                member_id=member_id,
                organization_id=branch.id,
                rule_id=RULE,
                cause=dues.cause_of(month, round_),
                day=ctx.today,
                reason=ctx.say("dues.reason", month=int(month[5:])),
                at=ctx.now,
            )
            or 0
        )
    _log(ctx, "payment.ticked", member_id, month, in_time=in_time)
    name = "dues_paid" if points else "dues_late"
    key = f"dues:{month}:{round_}"
    record_notes.tell(ctx.session, [member_id], name, key, ctx.now, month=int(month[5:]), points=points)
    return True


def _undo(ctx: Context, branch: Organization) -> Reply:
    """`undo:MONTH`, a member, then the reason."""
    month = _asked(ctx)
    if month is None:
        return _shown(ctx, branch, month_of(ctx.today), ctx.say("dues.too_far_back"))
    unpaid = {one.id for one in _unpaid(ctx, branch, month)}
    paid = [one for one in _due(ctx, branch, month) if one.id not in unpaid]
    action, back = f"dues:undo:{month}", f"dues:month:{month}"
    word = ctx.arg(2)
    marked, page = picking.marked(word, "m"), picking.marked(word, "p") or 0
    found = [one for one in paid if one.id == marked] if marked is not None else []
    if not found and word and picking.marked(word, "p") is None:
        found = picking.by_word(paid, " ".join(ctx.args[2:]))
    if len(found) != 1:
        if not ctx.names_allowed:
            return Reply(ctx.say("recording.whom_name"), expect=action, back=back)
        buttons = picking.buttons(ctx, paid, action, page)
        return Reply(ctx.say("dues.undo_whom", month=int(month[5:])), buttons, expect=action, back=back)
    person = found[0]
    assert person.id is not None
    ask = ctx.say("dues.ask_undo", name=ctx.called(person.name), month=int(month[5:]))
    place = 3 if marked is not None else len(ctx.args)
    why, question = reason_in(ctx, place, ask, f"{action}:m{person.id}", back)
    if question:
        return question
    return _taken_back(ctx, branch, month, person, why)


def _taken_back(ctx: Context, branch: Organization, month: str, person: Member, why: str) -> Reply:
    assert person.id is not None
    round_ = dues.untick(ctx.session, person.id, month)
    if round_ is None:
        return _shown(ctx, branch, month, ctx.say("dues.not_paid"))
    take_back(ctx.session, person.id, RULE, dues.cause_of(month, round_), at=ctx.now, reason=why)
    _log(ctx, "payment.unticked", person.id, month, why=why)
    key = f"dues:{month}:{round_}:undone"
    record_notes.tell(ctx.session, [person.id], "dues_undone", key, ctx.now, month=int(month[5:]), why=why)
    return _shown(ctx, branch, month, ctx.say("dues.undone", name=ctx.called(person.name)))


def _arrears(ctx: Context, branch: Organization) -> Reply:
    """Who has not paid for earlier months. Whether anything follows is the branch's decision."""
    assert branch.id is not None
    found = reminding.arrears(ctx.session, branch.id, ctx.today)
    if not found:
        return Reply(ctx.say("dues.nobody_owes"), back="dues")
    people = members.by_ids(ctx.session, [one.member_id for one in found])
    lines = [ctx.say("dues.arrears_head", count=len(found))]
    flags = record_rules().dues.flag_months
    for one in sorted(found, key=lambda one: -len(one.months))[:ARREARS_MAX]:
        name = ctx.called(people[one.member_id].name)
        lines.append(ctx.say("dues.owes", name=name, count=len(one.months), since=one.months[0]))
    buttons: tuple[Button, ...] = ()
    if max(len(one.months) for one in found) >= max(flags):
        lines.append(ctx.say("dues.six_months"))
        if ctx.node("secretary") is not None:
            buttons = (Button(ctx.say("dues.propose_clear"), "recording:new:PZ1"),)
    return Reply("\n".join(lines), buttons, back="dues")


def _log(ctx: Context, action: str, member_id: int, month: str, **more: object) -> None:
    subject = f"member:{member_id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=subject, month=month, **more)


DUES = Command(
    "dues",
    ("党费", "登记党费", "dues"),
    run,
    slash=("/dues",),
    phrases=("收党费", "谁没交党费", "交了哪几个月党费"),
    in_menu=False,
)
