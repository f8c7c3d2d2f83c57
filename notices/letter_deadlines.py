"""A letter's deadline: one reminder before it; afterwards each secretary hears how many have not answered.

Some working days later each committee hears in which branches. Every step is a row, so each happens once; long
ones go in parts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import addressing, deliveries, letter_counts, letter_deadlines, members, organizations
from db.letter_deadlines import LetterDeadline, Open
from db.letters import Letter
from db.organizations import Organization
from notices import outbox
from notices.answer_terms import committees_at, sent_on
from notices.channel import Button, Message
from notices.letters import key_of, name_of
from notices.said_time import said
from notices.voices import voices
from notices.wording import Wording

BATCH = 50  # branches of one transaction
SHOWN_MAX = 5  # branches in a message
KEPT_FOR = timedelta(days=14)  # then nobody is told any more: the letter is long past


def keep_next(session: Session, now: datetime, zone: ZoneInfo) -> int:
    """Do the next part of what is due about deadlines; 0: nothing is."""
    found = letter_deadlines.next_due(session, now)
    if found is None:
        return 0
    step, letter = found
    if letter.state not in ("sending", "done"):
        letter_deadlines.finish(session, step, "void", now)
    elif step.stage == "remind":
        _remind(session, step, letter, now)
    elif step.stage == "secretaries":
        _tell_secretaries(session, step, letter, now, zone)
    else:
        _tell_committees(session, step, letter, now, zone)
    return 1


def _remind(session: Session, step: LetterDeadline, letter: Letter, now: datetime) -> None:
    """One reminder to those who have not answered; none when the time is over already."""
    assert letter.id is not None
    assert letter.answer_until is not None
    late = now >= letter.answer_until
    if not letter_deadlines.finish(session, step, "void" if late else "done", now) or late:
        return
    key = f"{key_of(letter)}:chase:deadline"
    if letter.recipients > letter_counts.DIRECT_MAX:
        addressing.begin(session, letter.id, key=key, what="deadline", now=now)
        return
    deliveries.enqueue_for_all(
        session,
        letter_deadlines.to_remind(letter.id),
        key=key,
        letter_id=letter.id,
        lane=letter.lane,
        urgent=False,
        not_before=now,
        expires_at=letter.answer_until,
    )


def _tell_secretaries(
    session: Session, step: LetterDeadline, letter: Letter, now: datetime, zone: ZoneInfo
) -> None:
    """The next BATCH branches; after the last one the committees' turn is noted."""
    assert letter.id is not None
    ids = letter_deadlines.branches_after(session, letter.id, step.place, BATCH)
    if not ids:
        if letter_deadlines.finish(session, step, "done", now):
            letter_deadlines.plan(session, letter.id, "committees", committees_at(letter, now, zone))
        return
    if not letter_deadlines.advance(session, step, ids[-1]):
        return
    today, day = now.astimezone(zone).date(), sent_on(letter, zone)
    nodes = {one: organizations.branch_of_group(session, organizations.get(session, one)) for one in ids}
    branches = {node.id: node for node in nodes.values() if node.id is not None}
    units = letter_deadlines.units_of(session, letter.id, list(branches))
    # A branch is told with the part that holds the first of its units.
    turn = {branch_id: mine for branch_id, mine in units.items() if mine[0] in nodes}
    of_turn = [unit for mine in turn.values() for unit in mine]
    found = letter_deadlines.open_in(session, letter, of_turn, sent_on=day, today=today)
    for branch_id, mine in turn.items():
        here = [one for one in found if one.organization_id in mine]
        if here:
            _tell_one_branch(session, letter, branches[branch_id], here, now, zone)


def _tell_one_branch(
    session: Session, letter: Letter, node: Organization, found: Sequence[Open], now: datetime, zone: ZoneInfo
) -> None:
    today = now.astimezone(zone).date()
    to = [member.id for member in members.holders(session, node, "secretary", today) if member.id]
    for member_id, say in voices(session, to).items():
        text = say(
            "not_yet.told_secretary",
            name=name_of(letter),
            when=said(say, letter.answer_until or now, now, zone),
            branch=node.name,
            open=sum(one.open for one in found),
        )
        see = Button(say("not_yet.names"), f"not_yet:people:{letter.id}:{node.id}")
        _tell(session, member_id, f"{key_of(letter)}:not_yet:{node.id}", Message(text, (see,)), now)


def _tell_committees(
    session: Session, step: LetterDeadline, letter: Letter, now: datetime, zone: ZoneInfo
) -> None:
    """The next committee, with all its branches at once; those of a committee within it are that one's."""
    assert letter.id is not None
    node = organizations.committee_after(session, int(letter.audience["node"]), step.place)
    if node is None or node.id is None:
        letter_deadlines.finish(session, step, "done", now)
        return
    if not letter_deadlines.advance(session, step, node.id):
        return
    within = [one.path for one in organizations.committees_under(session, node.path) if one.id != node.id]
    under = letter_deadlines.branches_under(session, letter.id, node.path, but=within)
    today, day = now.astimezone(zone).date(), sent_on(letter, zone)
    found = letter_deadlines.open_in(session, letter, under, sent_on=day, today=today)
    if found:
        _tell_reviewers(session, letter, node, found, now, zone)


def _tell_reviewers(
    session: Session, letter: Letter, node: Organization, found: Sequence[Open], now: datetime, zone: ZoneInfo
) -> None:
    today = now.astimezone(zone).date()
    people = by_branch(session, found)
    names = organizations.names(session, list(people))
    to = [member.id for member in members.holders(session, node, "committee_reviewer", today) if member.id]
    for member_id, say in voices(session, to).items():
        head = say(
            "not_yet.told_committee",
            name=name_of(letter),
            when=said(say, letter.answer_until or now, now, zone),
            node=node.name,
            count=len(people),
        )
        lines = branch_lines(say, people, names)[:SHOWN_MAX]
        see = Button(say("not_yet.branches"), f"not_yet:branches:{letter.id}")
        text = "\n".join((head, *lines))
        _tell(session, member_id, f"{key_of(letter)}:open_branches:{node.id}", Message(text, (see,)), now)


def by_branch(session: Session, found: Sequence[Open]) -> Mapping[int, int]:
    """How many have not answered per branch; a Party group's people are its branch's."""
    counts: dict[int, int] = defaultdict(int)
    for one in found:
        branch = organizations.branch_of_group(session, organizations.get(session, one.organization_id))
        assert branch.id is not None
        counts[branch.id] += one.open
    return counts


def branch_lines(say: Wording, people: Mapping[int, int], names: Mapping[int, str]) -> list[str]:
    """One line per branch, by id: no order that could be read as a list of the worst."""
    return [say("not_yet.branch_line", branch=names[one], open=people[one]) for one in sorted(people)]


def _tell(session: Session, member_id: int, key: str, message: Message, now: datetime) -> None:
    outbox.tell(session, member_id=member_id, key=key, message=message, now=now, expires_at=now + KEPT_FOR)
