"""Hands letters to a platform for thousands at once, and writes what the platform says became of them.

Per batch: intent -> request -> outcome, each committed before the next, all rows together. A batch of which
nobody knows what became is handed over again under its own key while the platform remembers keys; after that it
is in doubt for ever. The platform's yes only means that it will send: what became of it comes later as a report,
which counts people but never names them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import addressees, gathering, mass
from db.failpoints import reach
from db.gathering import Gathering
from db.letters import Letter
from db.mass import MassBatch
from db.sending import Claimed
from notices.channel import Channels, MassChannel, Message, SendError
from notices.decisions import Gather, Parcel
from notices.mass_asking import ask_next
from notices.mass_reports import settle
from notices.mass_rules import MassRules, mass_rules
from notices.mass_way import mass_message
from notices.outcomes import PAUSES_S, Choices, by_number
from notices.planner import decided, put_aside
from notices.tenure import Overtaken, Tenure

log = logging.getLogger(__name__)

POLL_S = 2.0  # between two looks when nothing is to be done
LONG_S = 900.0  # a pause that the platform names and that is longer: the next way is sooner


@dataclass(frozen=True, slots=True)
class Job:
    """One request to make. doubtful: an earlier try of it may have arrived."""

    batch_id: int
    channel: str
    addresses: Sequence[str]
    message: Message
    key: str
    doubtful: bool


class MassSender:
    """Sends batches while this process is the sender. Has no heart of its own: the engine keeps the lease."""

    def __init__(
        self,
        tenure: Tenure,
        channels: Channels,
        clock: Callable[[], datetime],
        zone: ZoneInfo,
        *,
        choices: Choices = by_number,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self._tenure = tenure
        self._channels = channels
        self._clock = clock
        self._zone = zone
        self._choices = choices
        self._sleep = sleep

    async def run(self) -> None:
        """Send until cancelled. A request that is cut off is made again by the next process, under its key."""
        while True:
            done = False
            try:
                done = await self.step()
            except Overtaken:
                log.info("mass letters: another process sends now")
            except Exception:
                log.exception("mass letters: a round failed and is made again")
            await self._sleep(self._gap_s() if done else POLL_S)

    async def step(self) -> bool:
        """Hand over one batch, if one is due; whether there was anything to do."""
        if not self._tenure.lease.holds() or not self._names():
            return False
        now = self._clock()
        job = await self._tenure.write(lambda session: self._next(session, now))
        if job is None:
            return await ask_next(self._tenure, self._channels, now)
        reach("mass.after_intent")
        platform_id, error = await self._handed(job)
        reach("mass.after_response")
        choices, now = self._choices(job.message), self._clock()
        await self._tenure.write(lambda session: record(session, job, platform_id, error, choices, now))
        return True

    async def _handed(self, job: Job) -> tuple[str, SendError | None]:
        """The platform's id of the batch, or the error. Whatever else goes wrong in a channel is a doubt."""
        channel = self._channels.get(job.channel)
        assert isinstance(channel, MassChannel)
        handing = channel.send_mass(job.addresses, job.message, key=job.key)
        (answer,) = await asyncio.gather(handing, return_exceptions=True)
        if isinstance(answer, str):
            return answer, None
        if isinstance(answer, SendError):
            return "", answer
        # Only its kind: the text of a foreign error may hold an address with a token in it.
        log.error("mass letters: the channel failed in its own way: %s", type(answer).__name__)
        return "", SendError("ambiguous", "broken_channel")

    def _gap_s(self) -> float:
        """Seconds from one request to the next."""
        rules = [found for name in self._names() if (found := mass_rules(name)) is not None]
        return max((60 / one.calls_a_minute for one in rules), default=POLL_S)

    def _names(self) -> list[str]:
        return [name for name, one in self._channels.by_name.items() if isinstance(one, MassChannel)]

    def _next(self, session: Session, now: datetime) -> Job | None:
        """The next request, its intent noted. One batch at a time: a pause is for all of them."""
        settle(session, self._names(), now)
        batch = mass.trying(session)
        if batch is None:
            return self._new(session, now)
        rules = mass_rules(batch.channel)
        if batch.next_try_at > now or rules is None or batch.channel not in self._names():
            return None
        if not batch.tries and not self._with_calls_left(session, batch.channel, now):
            return None
        return self._again(session, batch, rules, now)

    def _again(self, session: Session, batch: MassBatch, rules: MassRules, now: datetime) -> Job | None:
        """One more try, if it may be made. An intent without outcome is a doubt: its process died."""
        letter, topic = addressees.letters(session, [batch.letter_id])[batch.letter_id]
        message = mass_message(letter, topic, self._channels, batch.channel, batch.language, self._zone)
        forgotten = now >= batch.first_try_at + timedelta(seconds=rules.same_key_s)
        if letter.state == "stopped" and not batch.doubtful:
            mass.finish(session, batch, "cancelled", reason="stopped", outcome="stopped", now=now)
        elif letter.state == "stopped" or forgotten or message is None:
            _give_up(session, batch, "mass_unanswered", now)
        else:
            return self._job(session, batch, message)
        return None

    def _with_calls_left(self, session: Session, name: str, now: datetime) -> MassRules | None:
        """The rules of a channel; None when its day's calls are used up, or it has no mass letters."""
        rules = mass_rules(name)
        if rules is None or mass.calls_since(session, name, rules.midnight(now)) >= rules.calls_a_day:
            return None
        return rules

    def _new(self, session: Session, now: datetime) -> Job | None:
        """The first batch that is ripe."""
        open_ = {name: rules for name in self._names() if (rules := self._with_calls_left(session, name, now))}
        # What waits is counted only where it could go: with a city waiting that takes a quarter of a second.
        for waiting in gathering.gatherings(session, now) if open_ else ():
            rules = open_.get(waiting.channel)
            if rules is None or not _is_ripe(waiting, rules, now):
                continue
            job = self._formed(session, waiting, rules, now)
            if job is not None:
                return job
        return None

    def _formed(self, session: Session, waiting: Gathering, rules: MassRules, now: datetime) -> Job | None:
        """A batch of what waits, planned anew: whoever has left meanwhile is not in it."""
        language, rows = gathering.claim(session, waiting, now=now, most=rules.at_most)
        found = addressees.letters(session, [waiting.letter_id])
        if not rows or waiting.letter_id not in found:
            return None
        letter, topic = found[waiting.letter_id]
        kept = self._kept(session, rows, letter, waiting.channel, now)
        message = mass_message(letter, topic, self._channels, waiting.channel, language, self._zone)
        if len(kept) < rules.at_least or message is None:
            for row in kept:
                gathering.refuse(session, row, lane=letter.lane, channel=waiting.channel, reason="alone", now=now)
            return None
        batch = MassBatch(
            channel=waiting.channel,
            letter_id=waiting.letter_id,
            language=language,
            lane=letter.lane,
            key="",
            month=rules.month(now),
            size=0,
            first_try_at=now,
            next_try_at=now,
        )
        return self._job(session, mass.intend(session, batch, kept, now), message)

    def _kept(
        self, session: Session, rows: Sequence[Claimed], letter: Letter, channel: str, now: datetime
    ) -> list[Claimed]:
        kept: dict[str, Claimed] = {}
        for row, decision in decided(session, rows, channels=self._channels, now=now, zone=self._zone):
            if isinstance(decision, Parcel):
                gathering.ungather(session, row, lane=letter.lane, now=now)
            elif not isinstance(decision, Gather):
                put_aside(session, row, decision, now)
            elif (decision.channel, decision.address) != (channel, row.address) or decision.address in kept:
                gathering.gather(session, row, channel=decision.channel, address=decision.address, now=now)
            else:
                kept[decision.address] = row
        return list(kept.values())

    def _job(self, session: Session, batch: MassBatch, message: Message) -> Job:
        assert batch.id is not None
        job = Job(batch.id, batch.channel, mass.addresses(session, batch), message, batch.key, batch.doubtful)
        batch.tries += 1
        batch.doubtful = True  # until the answer is written
        session.add(batch)
        return job


def record(
    session: Session, job: Job, platform_id: str, error: SendError | None, choices: dict[str, str], now: datetime
) -> None:
    """Write what came of one try of a batch."""
    batch = session.get_one(MassBatch, job.batch_id)
    if batch.state != "trying":
        return
    if error is None:
        mass.accepted(session, batch, platform_id, choices, now)
        return
    log.warning("mass letters: batch %s of %s people: %s", batch.id, batch.size, error)
    pause_s = error.retry_after_s
    # A refusal clears only the try that it answers: an earlier one may have been what used the allowance up.
    batch.doubtful = job.doubtful or error.verdict == "ambiguous"
    session.add(batch)
    if error.verdict == "permanent" and _for_the_sake_of_one(batch, error.reason):
        mass.halve(session, batch, now)
        return
    if error.verdict == "permanent" or (not batch.doubtful and _is_over(batch, pause_s)):
        _give_up(session, batch, error.reason, now)
        return
    if pause_s is None:
        pause_s = float(PAUSES_S[min(batch.tries, len(PAUSES_S)) - 1])
    batch.next_try_at = now + timedelta(seconds=pause_s)


def _for_the_sake_of_one(batch: MassBatch, reason: str) -> bool:
    """Whether all of a batch that certainly reached nobody may have been refused because of one address."""
    rules = mass_rules(batch.channel)
    return (
        rules is not None and not batch.doubtful and reason in rules.halve_for and batch.size >= rules.halve_from
    )


def _is_over(batch: MassBatch, pause_s: float | None) -> bool:
    """Whether a batch that certainly reached nobody has waited enough."""
    return batch.tries > len(PAUSES_S) or (pause_s or 0.0) > LONG_S


def _give_up(session: Session, batch: MassBatch, reason: str, now: datetime) -> None:
    if batch.doubtful:
        mass.finish(session, batch, "ambiguous", reason=reason, outcome=f"ambiguous:{reason}", now=now)
    else:
        mass.next_way(session, batch, reason=reason, now=now)


def _is_ripe(waiting: Gathering, rules: MassRules, now: datetime) -> bool:
    """Whether it is full, or nothing more is coming, or the first has waited long enough."""
    waited = now >= waiting.since + timedelta(seconds=rules.gather_s)
    return waiting.count >= rules.at_most or not waiting.coming or waited
