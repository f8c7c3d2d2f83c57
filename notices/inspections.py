"""What is told about inspections by itself: the card, appeals, decisions, postings, and deadlines.

No names in it, because nobody knows yet over which channel it goes; who came stays unknown after a covert visit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import inspection_appeals, inspections, members, organizations, rectifications
from db.inspections import Inspection
from db.organizations import Organization
from db.rectifications import Rectification
from notices import outbox
from notices.channel import Button, Message
from notices.inspection_terms import decide_by, last_appeal_day, next_step, terms
from notices.said_inspections import said_date, said_result, said_title
from notices.schedule import Moment
from notices.voices import voices
from scoring.inspected import item_on

BATCH = 50  # rows of one transaction
APPEALS_LOOKED_AT = timedelta(days=40)  # no deadline of some working days is longer, whatever holidays there are
TOLD_FROM = timedelta(hours=9)  # what a day brings is told from nine in the morning

Step = tuple[str, str]  # name of the button's words, action


def secretaries(session: Session, branch: Organization, day: date) -> list[int]:
    """Who answers for the branch: its secretaries, else whoever reviews for its committee."""
    found = members.holders(session, branch, "secretary", day)
    return [one.id for one in found if one.id is not None] or _above(session, branch, day)


def deciders(session: Session, inspection: Inspection, branch: Organization, day: date) -> list[int]:
    """Who may decide an appeal: the committee's reviewers, else the district; neither inspector nor branch."""
    for role in ("committee_reviewer", "district_org_department"):
        found = [one.id for one in members.holders(session, branch, role, day) if one.id is not None]
        free = [one for one in found if one != inspection.inspector_id and not _belongs(session, one, branch, day)]
        if free:
            return free
    return []


def lookers(session: Session, inspection: Inspection, branch: Organization, day: date) -> list[int]:
    """Who looks at what the branch hands in: the inspector, or the deciders when the inspector is gone."""
    if still_inspects(session, inspection, branch, day):
        return [inspection.inspector_id]
    return deciders(session, inspection, branch, day)


def still_inspects(session: Session, inspection: Inspection, branch: Organization, day: date) -> bool:
    """Whether the inspector is there and still inspects this branch."""
    active = members.get(session, inspection.inspector_id).status == "active"
    return active and members.has_role(session, inspection.inspector_id, "inspector", branch, day)


def _belongs(session: Session, member_id: int, branch: Organization, day: date) -> bool:
    own = members.branch_of(session, member_id, day)
    return own is not None and own.id == branch.id


def _above(session: Session, branch: Organization, day: date, but: int | None = None) -> list[int]:
    """The committee's reviewers, else the district, without the member `but`."""
    for role in ("committee_reviewer", "district_org_department"):
        found = members.holders(session, branch, role, day)
        free = [one.id for one in found if one.id is not None and one.id != but]
        if free:
            return free
    return []


def _tell(
    session: Session,
    member_ids: Iterable[int],
    name: str,
    inspection: Inspection,
    now: datetime,
    *steps: Step,
    key: str = "",
    **values: object,
) -> int:
    """Tell the members `inspections.told_NAME`, each in the own language; how many were not told before."""
    branch = organizations.get(session, inspection.organization_id)
    item = item_on(inspection.item_id, inspection.day)
    told = 0
    for member_id, say in voices(session, list(member_ids)).items():
        days = {place: said_date(say, one) for place, one in values.items() if isinstance(one, date)}
        given = {"title": said_title(say, inspection), "result": said_result(say, item, inspection.value)}
        text = say(f"inspections.told_{name}", branch=branch.name, **given, **{**values, **days})
        told += outbox.tell(
            session,
            member_id=member_id,
            key=key or f"inspection:{inspection.id}:{name}",
            message=Message(text, tuple(Button(say(f"inspections.{label}"), action) for label, action in steps)),
            now=now,
        )
    return told


def _card_of(session: Session, inspection: Inspection, branch: Organization, day: date) -> Step:
    """The way to the card: a secretary's, or a reviewer's when there is none."""
    own = bool(members.holders(session, branch, "secretary", day))
    return "see_card", f"{'rectify' if own else 'inspection_review'}:see:{inspection.id}"


def made(session: Session, inspection: Inspection, due: date | None, now: datetime) -> None:
    """The branch hears of it at once: the card with its deadlines, or that all is in order."""
    branch = organizations.get(session, inspection.organization_id)
    listeners = secretaries(session, branch, inspection.day)
    if due is None:
        _tell(session, listeners, "clear", inspection, now)
        return
    until = last_appeal_day(inspection.day)
    step = _card_of(session, inspection, branch, inspection.day)
    _tell(session, listeners, "card", inspection, now, step, due=due, until=until)


def appealed(session: Session, inspection: Inspection, now: datetime, day: date) -> int:
    """Whoever may decide hears of the appeal; how many there are."""
    branch = organizations.get(session, inspection.organization_id)
    step = ("see_appeal", f"inspection_review:see:{inspection.id}")
    found = deciders(session, inspection, branch, day)
    _tell(session, found, "appealed", inspection, now, step)
    return len(found)


def decided(session: Session, inspection: Inspection, now: datetime, day: date, why: str, *, upheld: bool) -> None:
    """The branch and the inspector hear how the appeal ended, and why."""
    name = "upheld" if upheld else "dismissed"
    _both(session, inspection, name, now, day, why=why)


def refused(session: Session, inspection: Inspection, now: datetime, day: date, why: str) -> None:
    """The branch and the inspector hear that it will not count."""
    _both(session, inspection, "refused", now, day, why=why)


def corrected(session: Session, inspection: Inspection, now: datetime, day: date, why: str) -> None:
    """The branch and the inspector hear that a posting was taken back."""
    _both(session, inspection, "corrected", now, day, why=why)


def posted(session: Session, inspection: Inspection, now: datetime, day: date) -> None:
    """The branch and the inspector hear that it counts now."""
    _both(session, inspection, "posted", now, day)


def _both(session: Session, inspection: Inspection, name: str, now: datetime, day: date, **values: str) -> None:
    branch = organizations.get(session, inspection.organization_id)
    to = [*secretaries(session, branch, day), inspection.inspector_id]
    _tell(session, dict.fromkeys(to), name, inspection, now, **values)


def handed_in(session: Session, inspection: Inspection, now: datetime, day: date) -> None:
    """Whoever looks at it hears that the branch has handed something in. Each time asks once."""
    branch = organizations.get(session, inspection.organization_id)
    key = f"inspection:{inspection.id}:handed_in:{now:%Y%m%d%H%M%S}"
    mine = still_inspects(session, inspection, branch, day)
    step = ("see_closing", f"{'inspect' if mine else 'inspection_review'}:closing:{inspection.id}")
    _tell(session, lookers(session, inspection, branch, day), "handed_in", inspection, now, step, key=key)


def looked_at(session: Session, card: Rectification, inspection: Inspection, now: datetime, day: date) -> None:
    """The branch hears whether what it handed in is accepted."""
    branch = organizations.get(session, inspection.organization_id)
    listeners = secretaries(session, branch, day)
    if card.state == "closed":
        _tell(session, listeners, "closed", inspection, now)
        return
    key = f"inspection:{inspection.id}:sent_back:{now:%Y%m%d%H%M%S}"
    why, due = card.sent_back_reason, card.due_on
    step = _card_of(session, inspection, branch, day)
    _tell(session, listeners, "sent_back", inspection, now, step, key=key, why=why, due=due)


# What time brings


def remind(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Say of up to BATCH open cards that the deadline comes near, is today, or is over; how many there were."""
    today = (now.astimezone(zone) - TOLD_FROM).date()
    found = rectifications.due_steps(session, today, BATCH)
    for card in found:
        inspection = inspections.by_id(session, card.inspection_id)
        assert inspection is not None
        if inspection.state == "appealed":  # the deadline stands still until the appeal is decided
            rectifications.advance(session, card, today + timedelta(days=1))
            continue
        over = card.due_on < today
        noted = {"overdue_at": card.overdue_at or now} if over else {}
        if not rectifications.advance(session, card, next_step(card.due_on, today), **noted):
            continue  # another process has it
        _say_step(session, inspection, card.due_on, now, today)
    return len(found)


def _say_step(session: Session, inspection: Inspection, due: date, now: datetime, today: date) -> None:
    branch = organizations.get(session, inspection.organization_id)
    name = "overdue" if due < today else "due_today" if due == today else "due_soon"
    key = f"inspection:{inspection.id}:{name}:{due}"
    to = secretaries(session, branch, today)
    _tell(session, to, name, inspection, now, _card_of(session, inspection, branch, today), key=key, due=due)
    if due < today:
        above = [one for one in _above(session, branch, today) if one not in to]
        step = ("see_overdue", "inspection_review:overdue")
        _tell(session, above, "escalated", inspection, now, step, key=f"{key}:above", due=due)


def remind_deciders(session: Session, run: Moment) -> int:
    """The day after the last one for deciding, say once in one message how many appeals wait; how many."""
    day = run.scheduled_for.astimezone(run.zone).date()
    over = day - timedelta(days=1)
    until = datetime.combine(day, time(), run.zone)
    waiting: dict[int, int] = defaultdict(int)
    count = 0
    for inspection, made_at in inspection_appeals.undecided(session, until - APPEALS_LOOKED_AT, until):
        if decide_by(made_at.astimezone(run.zone).date()) == over:
            count += 1
            branch = organizations.get(session, inspection.organization_id)
            for member_id in deciders(session, inspection, branch, day):
                waiting[member_id] += 1
    for member_id, say in voices(session, list(waiting)).items():
        text = say("inspections.told_undecided", count=waiting[member_id], days=terms().decide_working_days)
        button = Button(say("inspections.list_appealed"), "inspection_review:appealed")
        key = f"inspections:undecided:{day}"
        outbox.tell(session, member_id=member_id, key=key, message=Message(text, (button,)), now=run.now, lane=1)
    return count


def tell_ready(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Tell reviewers once of up to BATCH inspections that can be posted; how many inspections."""
    today = now.astimezone(zone).date()
    found = inspections.untold(session, now, BATCH)
    waiting: dict[int, list[int]] = defaultdict(list)
    for inspection in found:
        assert inspection.id is not None
        if inspections.tell_once(session, inspection.id):
            branch = organizations.get(session, inspection.organization_id)
            for member_id in _above(session, branch, today, but=inspection.inspector_id):
                waiting[member_id].append(inspection.id)
    for member_id, say in voices(session, list(waiting)).items():
        ids = waiting[member_id]
        button = Button(say("inspections.see_ready"), "inspection_review:ready")
        outbox.tell(
            session,
            member_id=member_id,
            key=f"inspections:ready:{ids[0]}-{ids[-1]}",
            message=Message(say("inspections.told_ready", count=len(ids)), (button,)),
            now=now,
            lane=1,
        )
    return len(found)
