"""Records of members in the year: dues, proposals, grades, appeals and what undoes them."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select
from sqlmodel import col

from db import appeals, attendance, dues, grade_lists, ledger, members, proposals
from db.activities import Activity
from db.dues import DuesPayment
from db.ledger import Entry
from db.proposals import Proposal
from notices import closing
from scoring.booking import book_event, take_back
from scoring.catalogue import shipped
from tests.cast import DING, RUI, SUN
from tests.conftest import ZONE
from tests.scoring.year.town import YEAR, Town

PROPOSED = (
    *("PB3",) * 6,
    *("PP2", "PP2", "PP3", "PP4", "PP5"),
    *("PN1", "PN1", "PN2", "PN3", "PN4", "PN5", "PN6"),
)
GRADES = ("excellent", "qualified", "qualified", "qualified", "basically_qualified", "unqualified", "")


def pay_dues(town: Town) -> int:
    """A payment is noted: in time, or for an earlier month."""
    member_id, month = town.member(), f"{town.today:%Y-%m}"
    in_time = town.chance.random() < 0.85
    if not in_time:
        month = f"{town.today.replace(day=1) - timedelta(days=town.chance.randint(1, 100)):%Y-%m}"
    branch = town.home[member_id]
    round_ = dues.tick(
        town.session,
        member_id=member_id,
        month=month,
        organization_id=branch,
        in_time=in_time,
        by=SUN,
        at=town.now,
    )
    if round_ is None:
        return 0
    if in_time:
        cause = dues.cause_of(month, round_)
        book(town, member_id, "PB2", cause, organization_id=branch)
    return 1


def book(town: Town, member_id: int, rule_id: str, cause: str, **more: object) -> int | None:
    """One event of a member, today unless something else is said."""
    branch = members.branch_of(town.session, member_id, town.today)
    said = {"organization_id": branch.id if branch else None, "day": town.today, "reason": "x"} | more
    return book_event(town.session, member_id=member_id, rule_id=rule_id, cause=cause, at=town.now, **said)  # type: ignore[arg-type]


def unpay_dues(town: Town) -> int:
    """A tick was a mistake."""
    paid = select(DuesPayment).where(
        col(DuesPayment.state) == "paid", col(DuesPayment.ticked_at) > town.now - timedelta(days=30)
    )
    paid = paid.where(col(DuesPayment.member_id) >= town.member())
    order = (col(DuesPayment.member_id), col(DuesPayment.month))
    found = town.session.execute(paid.order_by(*order).limit(3)).scalars().all()
    if not found:
        return 0
    one = town.chance.choice(found)
    round_ = dues.untick(town.session, one.member_id, one.month)
    assert round_ is not None
    cause = dues.cause_of(one.month, round_)
    take_back(town.session, one.member_id, "PB2", cause, at=town.now, reason="x")
    town.session.expire_all()
    return 1


def propose(town: Town) -> int:
    """A record about some members is handed in."""
    chance = town.chance
    rule = "PZ1" if chance.random() < 0.04 else chance.choice(PROPOSED)
    first = town.member()
    draft = proposals.begin(
        town.session, member_id=SUN, organization_id=town.home[first], rule_id=rule, now=town.now
    )
    terms = shipped().rule(rule).terms_on(town.today)
    assert terms is not None
    picked = sorted({first, *(town.member() for _ in range(chance.choice((0, 0, 2, 5))))})
    proposals.fill(
        town.session,
        draft,
        day=town.past_day(60),
        grade=chance.choice(sorted(terms.grades)) if terms.grades else "",
        hundredths=50 * chance.randint(1, 16) if rule == "PB3" else 100,
        words="x",
        picked=";".join(map(str, picked)),
    )
    heard = town.today + timedelta(days=5) if rule.startswith("PN") else None
    return 1 if proposals.propose(town.session, draft, now=town.now, hear_until=heard) else 0


def decide(town: Town) -> int:
    """A second person confirms it, mostly; what is confirmed is booked."""
    one = _proposal(town, "proposed")
    if one is None or one.id is None or one.day is None:
        return 0
    what = town.chance.random()
    if what < 0.1:
        return int(proposals.refuse(town.session, one, by=RUI, role="committee_reviewer", now=town.now, why="x"))
    if what < 0.2:
        return int(proposals.withdraw(town.session, one, SUN, town.now))
    role = {"by": RUI, "role": "committee_reviewer"}
    if not proposals.confirm(town.session, one, **role, now=town.now, today=town.today):  # type: ignore[arg-type]
        return 0
    people = proposals.members_of(town.session, one.id)
    for person in people:
        assert person.id is not None
        key = {"member_id": person.id, "rule_id": one.rule_id, "cause": proposals.cause_of(one.id)}
        book(town, **key, day=one.day, grade=one.grade, hundredths=one.hundredths)  # type: ignore[arg-type]
    return len(people)


def revoke(town: Town) -> int:
    """What was confirmed is taken back for everybody."""
    one = _proposal(town, "confirmed")
    if one is None or one.id is None:
        return 0
    people = proposals.members_of(town.session, one.id)
    if not proposals.revoke(town.session, one, by=DING, now=town.now, why="x"):
        return 0
    cause = proposals.cause_of(one.id)
    for person in people:
        assert person.id is not None
        take_back(town.session, person.id, one.rule_id, cause, at=town.now, reason="x")
    return len(people)


def _proposal(town: Town, state: str) -> Proposal | None:
    waiting = select(Proposal).where(col(Proposal.state) == state).order_by(col(Proposal.id).desc()).limit(40)
    found = town.session.execute(waiting.execution_options(populate_existing=True)).scalars().all()
    return town.chance.choice(found) if found else None


def grade(town: Town) -> int:
    """The grades of a branch's review are handed in and confirmed, or returned."""
    branch = town.chance.choice(town.branches)
    held = select(func.max(col(Activity.id))).where(
        col(Activity.organization_id) == branch,
        col(Activity.kinds).contains("democratic_review"),
        col(Activity.starts_at) < town.now,
        col(Activity.starts_at) > town.now - timedelta(days=90),
    )
    activity = town.session.get(Activity, town.session.execute(held).scalar() or 0)
    people = town.people_of(branch)
    if activity is None or activity.id is None or not people or grade_lists.alive(town.session, branch, YEAR):
        return 0
    grades = {one: town.chance.choice(GRADES) for one in people}
    key = {"organization_id": branch, "year": YEAR, "activity_id": activity.id, "by": SUN}
    one = grade_lists.begin(town.session, **key, grades=grades)  # type: ignore[arg-type]
    assert grade_lists.submit(town.session, one, town.now)
    by = {"by": RUI, "role": "committee_reviewer", "now": town.now}
    if town.chance.random() < 0.2:
        return int(grade_lists.give_back(town.session, one, **by, why="x"))  # type: ignore[arg-type]
    assert grade_lists.confirm(town.session, one, **by)  # type: ignore[arg-type]
    cause, day = grade_lists.cause_of(YEAR), activity.starts_at.astimezone(ZONE).date()
    return sum(
        book(town, one, "PB4", cause, day=day, grade=given) is not None for one, given in grades.items() if given
    )


def appeal(town: Town) -> int:
    """A member appeals a line; when it was wrong, it is undone, and perhaps another takes its place."""
    session, chance = town.session, town.chance
    last = session.execute(select(func.max(col(Entry.id)))).scalar() or 0
    line = session.get(Entry, chance.randint(max(1, last - 400), last)) if last else None
    if line is None or line.id is None or line.cause.startswith("undo:"):
        return 0
    branch = line.organization_id or town.branches[0]
    said = {"entry_id": line.id, "member_id": line.member_id, "organization_id": branch}
    role = {"booked_by": RUI, "goes_to": "district_org_department", "words": "x", "made_at": town.now}
    if not appeals.make(session, **said, **role):
        return 0
    one = appeals.of_entry(session, line.id)
    assert one is not None
    if not appeals.decide(session, one, by=DING, accepted=chance.random() < 0.7, now=town.now, answer="x"):
        return 0
    if one.state == "accepted":
        _correct(town, one, line)
    return 1


def _correct(town: Town, one: appeals.Appeal, line: Entry) -> None:
    """As the conversation does it: the opposite line, what it rested on, and the right line, if there is one."""
    assert one.id is not None
    ledger.reverse(town.session, line, booked_at=town.now, reason="x")
    kind, _, rest = line.cause.partition(":")
    first = rest.split(":")[0]
    if kind == "activity" and attendance.undo(town.session, int(first), line.member_id) is not None:
        closing.close_again(town.session, int(first), town.now, ZONE)
    elif kind == "dues":
        dues.untick(town.session, line.member_id, first)
    elif kind == "proposal":
        proposals.let_go(town.session, int(first), line.member_id)
    terms = shipped().rule(line.rule_id).terms_on(line.day)
    graded = bool(terms and terms.grades)
    if town.chance.random() < 0.5 and (graded or line.rule_id == "PB3"):
        right = town.chance.choice(sorted(terms.grades or {})) if graded and terms else ""
        more = {"day": line.day, "grade": right, "hundredths": 100 if graded else 50 * town.chance.randint(1, 9)}
        book(town, line.member_id, line.rule_id, appeals.cause_of(one.id), **more)
