"""Ending a letter before it has gone out: because somebody says so, or because nobody may send it any more."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import addressing, audit, letter_rights, letter_stopping, letters, members, organizations
from db.letters import Letter
from notices import letter_series
from notices.channel import Button, Message
from notices.letters import change_action, key_of, name_of
from notices.outbox import tell
from notices.voices import voice, voices

AT_ONCE_MAX = 2_000  # rows that are taken back in one transaction: some 40 ms, so that nobody waits for it
EXPIRED_MAX = 20  # letters of one round


def stop(session: Session, letter: Letter, *, by: int | None, why: str, now: datetime) -> int | None:
    """Take back what has not gone out yet: how many people do not get it. None when nothing could be stopped.

    From the commit on no request begins any more: the rows in hand are taken back here, and the planner refuses
    every row of a stopped letter. Of a large letter `take_back_next` ends the other rows a little later, and who
    has no row yet gets none: these are not counted.
    """
    letters.finish(session)  # one that has gone out whole is done, not stopped
    if not letters.move(session, letter, was=("sending",), state="stopped", stopped_at=now, stop_reason=why):
        return None
    rest = _end_rest(session, letter, now)
    audit.record(session, at=now, actor_id=by, action="letter.stopped", subject=key_of(letter), why=why, kept=rest)
    if why == "above":
        _tell_author(session, letter, why, now)
    return rest


def take_back(session: Session, letter: Letter, *, by: int | None, now: datetime) -> None:
    """Let a letter act no more whose correction goes out, also one that has gone out whole.

    It is stopped then, so nothing reminds of it, no deadline is kept, and it takes no answers. To be called before
    the correction is addressed: whoever gets nothing of the letter needs no correction. Its author is told when
    somebody else (`by`) takes it back.
    """
    values = {"state": "stopped", "stop_reason": "corrected", "stopped_at": letter.stopped_at or now}
    if not letters.move(session, letter, was=("sending", "done", "stopped"), **values):
        return
    _end_rest(session, letter, now)
    if by != letter.author_id:
        _tell_author(session, letter, "corrected", now)


def end_standing(session: Session, letter: Letter, *, by: int, now: datetime) -> bool:
    """Let a standing letter make no more; False when it did not stand. Its author is told what another did."""
    mine = by == letter.author_id
    if not letter_series.end(session, letter, by=by, why="author" if mine else "above", now=now):
        return False
    if not mine and letter.author_id is not None:
        text = voice(session, letter.author_id)("letter_series.ended_above", name=name_of(letter))
        tell(session, member_id=letter.author_id, key=f"{key_of(letter)}:ended", message=Message(text), now=now)
    return True


def _end_rest(session: Session, letter: Letter, now: datetime) -> int:
    """Take back what is in hand, and the first part of the rest; how many people get nothing any more."""
    assert letter.id is not None
    addressing.stop(session, letter.id)
    rest = letter_stopping.not_begun(session, letter)
    letter_stopping.cancel(session, letter.id, now=now, most=AT_ONCE_MAX)
    return rest


def _tell_author(session: Session, letter: Letter, why: str, now: datetime) -> None:
    """Tell the author what somebody else has done with the letter."""
    if letter.author_id is None:
        return
    say = voice(session, letter.author_id)
    see = Button(say("broadcast.progress"), f"report:show:{letter.id}")
    message = Message(say(f"outbox.{why}", name=name_of(letter)), (see,))
    tell(session, member_id=letter.author_id, key=f"letter_stopped:{letter.id}:{why}", message=message, now=now)


def take_back_next(session: Session, now: datetime, _zone: ZoneInfo) -> int:
    """One part of what is still queued of stopped letters; how many rows, 0 when nothing is left."""
    for letter_id in letter_stopping.stopped_with_rest(session, 1):
        return letter_stopping.cancel(session, letter_id, now=now, most=AT_ONCE_MAX)
    return 0


def stop_without_right(session: Session, letter: Letter, now: datetime, zone: ZoneInfo) -> None:
    """Stop a letter that may not go on, and tell the people concerned. Asked for every batch.

    Its author or whoever approved it has lost the role, or its content is not what was confirmed.
    """
    if letter.state != "sending":
        return
    day = now.astimezone(zone).date()
    why = _why_not(session, letter, now, zone)
    if why is None or stop(session, letter, by=None, why=why, now=now) is None:
        return
    node = organizations.get(session, letter.organization_id)
    successors = {member.id for member in members.holders(session, node, "secretary", day)}
    told = sorted(one for one in {letter.author_id, letter.approved_by, *successors} if one)
    speaks = voices(session, told)
    for member_id in told:
        text = speaks[member_id](f"outbox.{why}", name=name_of(letter))
        tell(session, member_id=member_id, key=f"letter_stopped:{letter.id}", message=Message(text), now=now)


def _why_not(session: Session, letter: Letter, now: datetime, zone: ZoneInfo) -> str | None:
    day = now.astimezone(zone).date()
    if letter.content_hash and letter.content_hash != letters.fingerprint(letter):
        return "changed"
    if not letter_rights.author_may(session, letter, day):
        return "role_ended"
    return None if letter_rights.approver_may(session, letter, day) else "approver_ended"


def give_back_overdue(session: Session, now: datetime, _zone: ZoneInfo) -> int:
    """Give letters back to their authors that nobody has approved in time; how many."""
    count = 0
    for letter in letter_rights.overdue(session, now, EXPIRED_MAX):
        content_hash = letter.content_hash
        if not letters.move(
            session, letter, was=("submitted",), state="draft", content_hash="", submitted_at=None
        ):
            continue
        count += 1
        audit.record(
            session, at=now, actor_id=None, action="letter.overdue", subject=key_of(letter), content=content_hash
        )
        if letter.author_id is not None:
            say = voices(session, [letter.author_id])[letter.author_id]
            edit = Button(say("broadcast.edit"), change_action(letter))
            message = Message(say("broadcast.was_overdue", name=name_of(letter)), (edit,))
            key = f"{key_of(letter)}:overdue:{now.isoformat()}"
            tell(session, member_id=letter.author_id, key=key, message=message, now=now)
    return count
