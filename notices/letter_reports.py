"""How a letter does: the figures of one moment with their words, for the chat, the page and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import addressing, audit, letter_again, letter_counts, letters, mass, organizations
from db.letter_counts import BranchLine, Figures
from db.letters import Letter
from notices.letters import key_of, name_of
from notices.wording import Wording

CHANNELS = ("wechat", "telegram", "web")
AGAIN = {  # how soon after a count a large letter is counted again, by its age
    timedelta(hours=6): timedelta(seconds=30),
    timedelta(days=7): timedelta(minutes=10),
    timedelta(days=30): timedelta(hours=2),
}
WHILE_SENDING = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Report:
    """A letter's figures. people: everybody in the audience, with a chat or without; the rest is of `recipients`.

    reasons: why it did not reach people or not yet, with how many. as_of: since when, None for this moment.
    """

    letter_id: int
    name: str
    state: str
    stop_reason: str
    people: int
    recipients: int
    unbound: int
    sent: int
    read: int
    acked: int
    help: int
    waiting: int
    mailbox: int
    ambiguous: int
    not_sent: int
    channels: tuple[tuple[str, int], ...]
    reasons: tuple[tuple[str, int], ...]
    branches: int
    again: int  # whom it was tried for and certainly did not reach
    left_out: int  # of those who count as sent: whom a platform left out of its mass letters, without saying whom
    cancelled: int  # of those who count as not_sent: whom a stop came before
    writing: bool  # its list is still being written, and all figures grow
    as_of: datetime | None

    @property
    def under_way(self) -> bool:
        """Whether something of it is still to go out."""
        return self.state == "sending" and (self.writing or self.waiting > 0)

    @property
    def done_percent(self) -> int:
        """How much of the letter has been dealt with; 100 only when nothing is left, and nothing was stopped."""
        return 100 * self.dealt_with // self.recipients if self.recipients else 100

    @property
    def dealt_with(self) -> int:
        """For how many people nothing is left to do; who was to get it when it was stopped is none of them."""
        return self.recipients - self.waiting - (self.cancelled if self.state == "stopped" else 0)

    @property
    def reach_percent(self) -> int:
        """Whom it reached of everybody whom it was meant for."""
        return 100 * self.sent // self.people if self.people else 0


def report(session: Session, letter: Letter, say: Wording) -> Report:
    """The figures of a letter that was sent."""
    assert letter.id is not None
    found = letter_counts.figures(session, letter)
    kinds = {kind: found.people(kind) for kind in letter_counts.KINDS}
    return Report(
        letter_id=letter.id,
        name=name_of(letter),
        state=letter.state,
        stop_reason=letter.stop_reason,
        people=letter.recipients + max(0, letter.unbound),
        recipients=letter.recipients,
        unbound=max(0, letter.unbound),
        **kinds,
        **{what: found.did(what) for what in ("read", "acked", "help")},
        channels=_channels(found, say),
        reasons=_reasons(found, say),
        branches=letter_counts.count_branches(session, letter.id),
        again=_again(found),
        left_out=mass.not_reached(session, letter.id),
        cancelled=sum(one.people for one in found.counts if one.state == "cancelled"),
        writing=letter.state == "sending" and addressing.is_open(session, key_of(letter)),
        as_of=found.as_of,
    )


def _again(found: Figures) -> int:
    """How many people it was tried for and certainly did not reach."""
    return sum(one.people for one in found.counts if letter_again.certainly_not(one.kind, one.state, one.reason))


def _channels(found: Figures, say: Wording) -> tuple[tuple[str, int], ...]:
    by = found.by("channel", kind="sent")
    names = [*CHANNELS, *sorted({name for (name,) in by} - set(CHANNELS))]
    return tuple((channel_name(say, name), by[name,]) for name in names if by[name,])


def channel_name(say: Wording, channel: str) -> str:
    """What people call a channel."""
    name = f"letter_report.channel_{channel}"
    return say(name) if say.has(name) else channel


def _reasons(found: Figures, say: Wording) -> tuple[tuple[str, int], ...]:
    """Reasons in words, the most frequent first; those with the same words are one."""
    why: dict[str, int] = {}
    for one in found.counts:
        if one.kind not in ("sent", "waiting"):
            words = why_not(say, one.kind, one.state, one.reason)
            why[words] = why.get(words, 0) + one.people
    return tuple(sorted(why.items(), key=lambda item: -item[1]))


def state_of(say: Wording, found: Report) -> str:
    """Where the letter is, in words."""
    if found.writing:
        return say("letter_report.writing", of=found.recipients)
    stopped = "taken_back" if found.stop_reason == "corrected" else "stopped"
    name = "sending" if found.under_way else stopped if found.state == "stopped" else "done"
    return say(f"letter_report.{name}", percent=found.done_percent, done=found.dealt_with, of=found.recipients)


def why_not(say: Wording, kind: str, state: str, reason: str) -> str:
    """Why somebody did not get it, in words; a reason without words of its own says what happens next."""
    name = state if state in ("ambiguous", "expired", "cancelled", "unbound") else reason.partition(":")[0]
    if name == "left" and kind == "not_sent":
        name = "off_the_roll"  # the member has left; of a chat that was left the letter waits in the mailbox
    stored = f"receipts.why_{name}"
    return (
        say(stored)
        if name and say.has(stored)
        else say(f"receipts.why_{'mailbox' if kind == 'mailbox' else 'not_sent'}")
    )


def branch_lines(
    session: Session, letter_id: int, *, most: int, offset: int = 0
) -> Sequence[tuple[str, BranchLine]]:
    """(name, figures) of the letter's branches, those with the lowest reach first."""
    lines = letter_counts.branches(session, letter_id, most=most, offset=offset)
    names = organizations.names(session, [line.organization_id for line in lines])
    return [(names.get(line.organization_id, "?"), line) for line in lines]


def send_again(session: Session, letter: Letter, *, by: int, now: datetime, zone: ZoneInfo) -> int | None:
    """Send it once more to those whom it certainly did not reach, once a day; how many. None: done today.

    Nothing that is in doubt is sent a second time. Of a large letter it is as many as were counted last, and their
    rows follow part by part.
    """
    assert letter.id is not None
    key = f"{key_of(letter)}:again:{now.astimezone(zone).date().isoformat()}"
    if letter_again.was_sent(session, key) or addressing.is_open(session, key):
        return None
    if letter.recipients > letter_counts.DIRECT_MAX:
        if people := _again(letter_counts.figures(session, letter)):
            addressing.begin(session, letter.id, key=key, what="again", now=now)
    else:
        people = letter_again.send(session, letter, key=key, now=now)
    if people:
        letters.move(session, letter, was=("done", "sending"), state="sending")
        letter_counts.count_soon(session, letter.id, now)
        audit.record(
            session,
            at=now,
            actor_id=by,
            action="letter.sent_again",
            subject=key_of(letter),
            people=people,
            key=key,
        )
    return people


def count_next(session: Session, now: datetime, _zone: ZoneInfo) -> int:
    """Count one part of a large letter anew; 0 when none is due."""
    part = letter_counts.due_part(session, now)
    if part is None:
        return 0
    letter = session.get(Letter, part.letter_id, populate_existing=True)
    assert letter is not None
    letter_counts.count_part(session, part, now, _due_again(letter, now))
    return 1


def _due_again(letter: Letter, now: datetime) -> datetime | None:
    age = now - (letter.sent_at or now)
    if letter.state in ("sending", "stopped") and age < min(AGAIN):
        return now + WHILE_SENDING
    return next((now + pause for until, pause in AGAIN.items() if age < until), None)


def figures_json(found: Report) -> dict[str, Any]:
    """The report as plain JSON."""
    names = [name for name in Report.__slots__ if name not in ("channels", "reasons", "as_of")]
    values: dict[str, Any] = {name: getattr(found, name) for name in names}
    values |= {"channels": dict(found.channels), "reasons": dict(found.reasons)}
    values |= {"done_percent": found.done_percent, "reach_percent": found.reach_percent}
    values["as_of"] = found.as_of.isoformat() if found.as_of else None
    return values
