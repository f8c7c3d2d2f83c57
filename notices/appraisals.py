"""Appraisal polls on their own: proposed in December, opened in parts, told to members, reminded, closed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import appraisals, members, organizations, poll_drives, polls, values
from db.appraisals import VOICES
from db.organizations import Organization
from db.polls import Poll
from notices import outbox
from notices.channel import Button, Message
from notices.schedule import Moment
from notices.voices import voices
from notices.wording import Wording, two_places
from scoring.appraisal import AppraisalTerms, enough, good_share, members_masses, written_share
from scoring.catalogue import shipped

OPENERS = ("committee_reviewer", "district_org_department")
BATCH = 20  # branches of one transaction: their members are told in it
AUTUMN, SPRING = 10, 4  # months: from the first on a poll is about the year, before the second about the last one
LANE = 1


def terms_of(poll: Poll, zone: ZoneInfo = outbox.CITY) -> AppraisalTerms:
    """The questions and grades with which the poll was opened."""
    return shipped().ratings.appraisal.terms_on(poll.opened_at.astimezone(zone).date())


def poll_year(today: date) -> int | None:
    """The year that a poll opened on `today` is about; None from April to September: no year ends there."""
    if today.month < SPRING:
        return today.year - 1
    return today.year if today.month >= AUTUMN else None


def other_voices(session: Session, branch: Organization, day: date) -> set[int]:
    """Who speaks for the branch itself or as its superior, and so has no paper: one person, one voice."""
    found = {one.id for role in ("secretary", OPENERS[0]) for one in members.holders(session, branch, role, day)}
    return {member_id for member_id in found if member_id is not None}


def voters(session: Session, branch: Organization, day: date) -> Sequence[int]:
    """The members who have a paper in the branch's poll."""
    assert branch.id is not None
    return polls.voters(session, branch.id, other_voices(session, branch, day))


def open_branch(
    session: Session, branch: Organization, *, year: int, opened_by: int, now: datetime, closes_at: datetime
) -> int | None:
    """Open one branch's poll; its id. None when the year has one already. Its members are told by `tell_next`."""
    assert branch.id is not None
    terms = shipped().ratings.appraisal.terms_on(now.astimezone(outbox.CITY).date())
    return polls.open_poll(
        session,
        organization_id=branch.id,
        year=year,
        opened_by=opened_by,
        opened_at=now,
        closes_at=closes_at,
        questions=[one.id for one in terms.question],
        grades=[one.id for one in terms.grade],
    )


def propose(session: Session, moment: Moment) -> int:
    """Remind those who may open polls that it is time; how many were told."""
    day = moment.scheduled_for.astimezone(moment.zone).date()
    to = sorted({one for role in OPENERS for one in poll_drives.role_holders(session, role, day)})
    told = 0
    for member_id, say in voices(session, to).items():
        message = Message(
            say("appraisal.propose", year=day.year), (Button(say("appraisal.open"), "appraisal:open"),)
        )
        key = f"appraisal:propose:{day.year}"
        told += outbox.tell(session, member_id=member_id, key=key, message=message, now=moment.now, lane=LANE)
    return told


def open_next(session: Session, now: datetime, zone: ZoneInfo = outbox.CITY) -> int:
    """Open the polls of the next branches of a drive; how many branches were looked at."""
    drive = poll_drives.next_drive(session)
    if drive is None:
        return 0
    node = organizations.get(session, drive.organization_id)
    ids = poll_drives.branches_after(session, node.path, drive.after_id, BATCH)
    over = drive.closes_at <= now  # after a long outage there is nothing to open any more
    if not poll_drives.advance(session, drive, ids[-1] if ids else drive.after_id, done=not ids or over):
        return 0
    for branch_id in [] if over else ids:
        open_branch(
            session,
            organizations.get(session, branch_id),
            year=drive.year,
            opened_by=drive.opened_by,
            now=now,
            closes_at=drive.closes_at,
        )
    return max(1, len(ids))


def tell_next(session: Session, now: datetime, zone: ZoneInfo = outbox.CITY) -> int:
    """Tell the members of the next polls that they are open, or soon over; how many polls."""
    today = now.astimezone(zone).date()
    done = 0
    for poll in polls.to_tell(session, "none", datetime.max.replace(tzinfo=now.tzinfo), BATCH, now):
        branch = organizations.get(session, poll.organization_id)
        if polls.mark_told(session, poll, "invited"):
            _tell(session, poll, branch, voters(session, branch, today), "invite", now, zone)
            secretaries = [one.id for one in members.holders(session, branch, "secretary", today) if one.id]
            _tell(session, poll, branch, secretaries, "ask_self", now, zone)
            done += 1
    soon = now + timedelta(days=shipped().ratings.appraisal.terms_on(today).remind_before_days)
    for poll in polls.to_tell(session, "invited", soon, BATCH, now):
        branch = organizations.get(session, poll.organization_id)
        silent = polls.silent(session, poll, voters(session, branch, today))
        if polls.mark_told(session, poll, "reminded"):
            _tell(session, poll, branch, silent, "remind", now, zone)
            done += 1
    return done


def _tell(
    session: Session,
    poll: Poll,
    branch: Organization,
    to: Collection[int],
    what: str,
    now: datetime,
    zone: ZoneInfo,
) -> None:
    last = poll.closes_at.astimezone(zone)
    for member_id, say in voices(session, to).items():
        text = say(f"appraisal.{what}", branch=branch.name, year=poll.year, month=last.month, day=last.day)
        action = f"appraisal:self:{poll.id}" if what == "ask_self" else f"appraisal:paper:{poll.id}"
        message = Message(text, (Button(say(f"appraisal.{what}_button"), action),))
        outbox.tell(
            session,
            member_id=member_id,
            key=f"poll:{poll.id}:{what}",
            message=message,
            now=now,
            lane=LANE,
            expires_at=poll.closes_at,
        )


def close_due(session: Session, now: datetime, zone: ZoneInfo = outbox.CITY) -> int:
    """Close the polls whose time is over and record what came out; how many."""
    return sum(close(session, poll, now, zone) for poll in polls.due(session, now, BATCH))


def close(session: Session, poll: Poll, now: datetime, zone: ZoneInfo = outbox.CITY) -> bool:
    """Close one poll and record its three voices, and the share of good answers as a value. False: was closed."""
    assert poll.id is not None
    if not polls.close(session, poll.id):
        return False
    terms, counts = terms_of(poll, zone), polls.tallies(session, poll.id)
    figure, good = members_masses(terms, counts), good_share(terms, counts)
    answers = polls.count_done(session, poll)
    session.refresh(poll)
    cause = f"poll:{poll.id}"
    for voice, hundredths in zip(VOICES, (poll.self_score, figure, poll.superior), strict=True):
        appraisals.record(
            session,
            organization_id=poll.organization_id,
            year=poll.year,
            voice=voice,
            hundredths=hundredths,
            cause=cause,
            recorded_at=now,
        )
    if good is not None:
        values.record(
            session,
            organization_id=poll.organization_id,
            indicator_id=terms.good_item,
            period=f"{poll.year}-12",  # it speaks for the whole year, so for its last month
            value=written_share(good),
            collect="auto",
            cause=cause,
            recorded_at=now,
        )
    polls.put_away(session, poll, answers, tallies_too=not enough(terms, counts))
    _tell_result(session, poll, now, zone)
    return True


def _tell_result(session: Session, poll: Poll, now: datetime, zone: ZoneInfo) -> None:
    branch = organizations.get(session, poll.organization_id)
    today = now.astimezone(zone).date()
    to = {one.id for one in members.holders(session, branch, "secretary", today) if one.id is not None}
    for member_id, say in voices(session, to).items():
        text = (
            f"{say('appraisal.is_closed', branch=branch.name, year=poll.year)}\n{said_result(session, say, poll)}"
        )
        key = f"poll:{poll.id}:closed"
        outbox.tell(session, member_id=member_id, key=key, message=Message(text), now=now, lane=LANE)


def said_result(session: Session, say: Wording, poll: Poll) -> str:
    """What came out of a closed poll: the three voices, and why one is missing."""
    found = appraisals.of_year(session, poll.organization_id, poll.year)

    def figure(hundredths: int | None, missing: str) -> str:
        return two_places(hundredths) if hundredths is not None else say(missing)

    return say(
        "appraisal.result",
        own=figure(found.self_score if found else None, "appraisal.not_given"),
        members=figure(found.members_masses if found else None, "appraisal.too_few"),
        superior=figure(found.superior if found else None, "appraisal.not_given"),
        answers=poll.answers or 0,
    )
