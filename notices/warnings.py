"""Warnings to secretaries: raised with a proof, repeated until acknowledged, taken further up, and cleared.

The same trouble in the same period is one row, so nothing is raised twice. Everything that a secretary has to
hear about one branch on one day is one message.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import activities, members, occurrences, organizations, warnings
from db.activities import Happened
from db.duties import CITY
from db.organizations import Organization
from db.warnings import OTHER, BranchWarning
from notices import outbox
from notices.channel import Button, Message
from notices.duty_days import LOOK_BACK
from notices.said_warnings import SHOWN_MAX, proof_of, said_cleared, said_missed, said_warning, warning_message
from notices.troubles import VETO, Branch, Trouble, troubles
from notices.voices import voices
from notices.wording import Wording
from scoring.catalogue import shipped
from scoring.fortress_facts import Activity as Fact

NAG_EVERY_DAYS = 7  # an open warning is repeated
ESCALATE_AFTER_DAYS = 14  # an open warning goes to the committee's reviewer, too
OWNER = "secretary"
TASK = "warnings"  # name of the daily task whose branches are looked at in parts
BATCH = 50  # branches of one transaction: less than a second even when all of them are behind


@dataclass(slots=True)
class _News:
    """What one branch has to be told: warnings to say (again), and warnings that are over."""

    branch: Organization
    say: list[BranchWarning] = field(default_factory=list)
    cleared: list[BranchWarning] = field(default_factory=list)
    escalate: list[BranchWarning] = field(default_factory=list)


def check_warnings(
    session: Session, now: datetime, zone: ZoneInfo = CITY, organization_ids: Sequence[int] | None = None
) -> int:
    """Raise, repeat, escalate and clear the warnings of these branches (None: of all); how many messages went out.

    It may run at any time and any number of times.
    """
    today = now.astimezone(zone).date()
    branches = _branches(session, today, organization_ids)
    found = _facts(session, branches, today, zone)
    standing: dict[int, list[BranchWarning]] = defaultdict(list)
    for one in warnings.live(session, organization_ids, kind=OTHER):
        standing[one.organization_id].append(one)
    told = 0
    escalated: dict[int, list[tuple[Organization, BranchWarning]]] = defaultdict(list)
    for branch in branches:
        assert branch.id is not None
        news = _compare(session, branch, found[branch.id], standing[branch.id], now, zone)
        told += _tell_secretaries(session, news, now, today)
        for reviewer in _reviewers(session, news, today):
            escalated[reviewer].extend((branch, one) for one in news.escalate)
    return told + _tell_reviewers(session, escalated, now, today)


def check_next(session: Session, now: datetime, zone: ZoneInfo = CITY) -> int:
    """Check the next BATCH branches of the daily check that is under way; how many. 0: there is none, or no more.

    The check of a whole city would hold up everybody who writes in the meantime.
    """
    part = occurrences.next_branches(session, TASK, BATCH)
    if part is None:
        return 0
    _, ids = part
    check_warnings(session, now, zone, ids)
    return len(ids)


def _branches(session: Session, today: date, only: Sequence[int] | None) -> list[Organization]:
    if only is not None:
        chosen = [organizations.get(session, organization_id) for organization_id in only]
        listed = [one for one in chosen if one.field is not None]
    else:
        listed = list(organizations.branches_under(session, "/"))
    return [
        one
        for one in listed
        if (one.founded_on is None or one.founded_on <= today) and (one.closed_on is None or one.closed_on > today)
    ]


def _facts(session: Session, branches: Sequence[Organization], today: date, zone: ZoneInfo) -> dict[int, Branch]:
    begin = datetime.combine(date(today.year, 1, 1), time(), zone)
    end = datetime.combine(date(today.year + 1, 1, 1), time(), zone)
    ids = [one.id for one in branches if one.id is not None]
    few = ids if len(ids) <= BATCH else None  # a longer list would be slower than looking at everything
    full = warnings.full_members(session, today, few)
    rows: dict[int, list[Happened]] = defaultdict(list)
    for row in activities.happened(session, begin, end, few):
        rows[row.organization_id].append(row)
    facts = {}
    for branch in branches:
        assert branch.id is not None
        own = rows[branch.id]
        facts[branch.id] = Branch(
            branch.founded_on,
            [_fact(row, zone) for row in own if row.should_attend is not None],
            [
                (row.starts_at.astimezone(zone).date(), frozenset(row.kinds.split(";")))
                for row in own
                if row.should_attend is None
            ],
            full.get(branch.id, 0),
        )
    return facts


def _fact(row: Happened, zone: ZoneInfo) -> Fact:
    return Fact(
        day=row.starts_at.astimezone(zone).date(),
        scope="region" if row.scope == "region" else "branch",
        kinds=frozenset(row.kinds.split(";")),
        should_attend=row.should_attend or 0,
        attended=row.attended or 0,
    )


def _compare(
    session: Session,
    branch: Organization,
    facts: Branch,
    standing: Sequence[BranchWarning],
    now: datetime,
    zone: ZoneInfo,
) -> _News:
    """Bring the branch's rows in line with its troubles."""
    news, today = _News(branch), now.astimezone(zone).date()
    known = {(one.kind, one.period): one for one in standing}
    for trouble in troubles(shipped(), facts, today):
        warning = known.pop((trouble.kind, trouble.period), None)
        if warning is None or _worse(warning, trouble):
            warning = _raise(session, branch, trouble, now)
            news.say.append(warning)
        else:
            warning.proof = json.dumps(trouble.proof)
            if warning.state == "open":
                _repeat(warning, news, now, zone)
        if trouble.up_on is not None:
            _rise(warning, trouble.up_on, news, now, zone)
    for warning in known.values():
        last = date.fromisoformat(proof_of(warning)["last"])
        over = last < today
        if over and _unheard(warning, facts, last, today):
            warning.escalated_at = now
            news.escalate.append(warning)
        warning.state, warning.cleared_at = ("ended" if over else "cleared"), now
        if not over:
            news.cleared.append(warning)
    session.flush()
    return news


def _worse(warning: BranchWarning, trouble: Trouble) -> bool:
    """Whether a later checkpoint asks again for what was acknowledged at an earlier one."""
    return warning.state == "acknowledged" and trouble.proof.get("due", 0) > proof_of(warning).get("due", 0)


def _raise(session: Session, branch: Organization, trouble: Trouble, now: datetime) -> BranchWarning:
    assert branch.id is not None
    warning = warnings.found(session, branch.id, trouble.kind, trouble.period)
    if warning is None:
        warning = BranchWarning(
            organization_id=branch.id,
            kind=trouble.kind,
            period=trouble.period,
            owner_role=OWNER,
            proof="",
            raised_at=now,
        )
        session.add(warning)
    warning.proof = json.dumps(trouble.proof)
    warning.state, warning.raised_at, warning.reminded_at = "open", now, now
    warning.acknowledged_by = warning.acknowledged_at = warning.cleared_at = warning.escalated_at = None
    session.flush()
    return warning


def _repeat(warning: BranchWarning, news: _News, now: datetime, zone: ZoneInfo) -> None:
    """Say an open warning again after a week; after two, take it further up."""
    today = now.astimezone(zone).date()
    said_on = (warning.reminded_at or warning.raised_at).astimezone(zone).date()
    if (today - said_on).days >= NAG_EVERY_DAYS:
        warning.reminded_at = now
        news.say.append(warning)
    raised_on = warning.raised_at.astimezone(zone).date()
    if warning.escalated_at is None and (today - raised_on).days >= ESCALATE_AFTER_DAYS:
        warning.escalated_at = now
        news.escalate.append(warning)


def _rise(warning: BranchWarning, up_on: date, news: _News, now: datetime, zone: ZoneInfo) -> None:
    """The period is nearly over, or a checkpoint has come: the committee hears of it, acknowledged or not."""
    risen_on = warning.escalated_at.astimezone(zone).date() if warning.escalated_at is not None else None
    if now.astimezone(zone).date() >= up_on and (risen_on is None or risen_on < up_on):
        warning.escalated_at = now
        news.escalate.append(warning)


def _unheard(warning: BranchWarning, facts: Branch, last: date, today: date) -> bool:
    """Whether the service was down when the committee should have heard of a period that is over by now.

    Within LOOK_BACK and the same year, if it was missed in the end: after a year the appraisal looks at it.
    """
    if warning.kind == VETO or warning.escalated_at is not None:
        return False
    if today - last > LOOK_BACK or last.year != today.year:
        return False
    return any(
        (one.kind, one.period) == (warning.kind, warning.period) for one in troubles(shipped(), facts, last)
    )


def _tell_secretaries(session: Session, news: _News, now: datetime, today: date) -> int:
    if not news.say and not news.cleared:
        return 0
    listeners = members.holders(session, news.branch, OWNER, today)
    if not listeners:  # nobody to act: the committee hears of it at once
        for one in news.say:
            if one.escalated_at is None:
                one.escalated_at = now
                news.escalate.append(one)
        return 0
    told = 0
    for member_id, say in voices(session, [one.id for one in listeners if one.id is not None]).items():
        if news.say:
            told += outbox.tell(
                session,
                member_id=member_id,
                key=_key("warnings", news.say, today),
                message=warning_message(say, news.say, today),
                now=now,
                lane=1,
            )
        if news.cleared:
            text = "\n".join(said_cleared(say, one) for one in news.cleared)
            key = _key("warnings:cleared", news.cleared, today)
            message = Message(text, (Button(say("warnings.list"), "warnings"),))
            told += outbox.tell(session, member_id=member_id, key=key, message=message, now=now, lane=1)
    return told


def _key(name: str, listed: Sequence[BranchWarning], today: date) -> str:
    return f"{name}:{today}:{'-'.join(str(one.id) for one in listed)}"


def _reviewers(session: Session, news: _News, today: date) -> list[int]:
    if not news.escalate:
        return []
    found = members.holders(session, news.branch, "committee_reviewer", today)
    return [member.id for member in found if member.id is not None]


def _tell_reviewers(
    session: Session,
    escalated: Mapping[int, Sequence[tuple[Organization, BranchWarning]]],
    now: datetime,
    today: date,
) -> int:
    """One message to each reviewer about all branches of the day."""
    told = 0
    for member_id, say in voices(session, list(escalated)).items():
        listed = escalated[member_id]
        lines = [
            say("warnings.of_branch", branch=branch.name, line=_above(say, one, today))
            for branch, one in listed[:SHOWN_MAX]
        ]
        text = "\n".join((say("warnings.escalated", count=len(listed)), *lines))
        message = Message(text, (Button(say("warnings.list"), "warnings"),))
        key = _key("warnings:escalated", [one for _, one in listed], today)
        told += outbox.tell(session, member_id=member_id, key=key, message=message, now=now, lane=1)
    return told


def _above(say: Wording, warning: BranchWarning, today: date) -> str:
    return said_missed(say, warning) if warning.state == "ended" else said_warning(say, warning, today)
