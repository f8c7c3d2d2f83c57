"""A random year: days go by, things happen in them; one seed gives one year."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta

from sqlalchemy import Engine

from tests.scoring.year import figures, meetings, records, roll
from tests.scoring.year.town import FIRST, LAST, Act, Town, local

ACTS: dict[Act, float] = {
    meetings.announce: 9,
    meetings.attend: 12,
    meetings.undo: 8,
    meetings.call_off: 0.8,
    meetings.approve: 0.8,
    records.pay_dues: 25,
    records.unpay_dues: 1.2,
    records.propose: 6,
    records.decide: 5,
    records.revoke: 0.6,
    records.grade: 1,
    records.appeal: 1.5,
    roll.bring_the_roll: 0.3,
    roll.leave: 0.3,
    roll.resolve: 0.7,
    roll.close_branch: 0.5,
    figures.correct: 5,
    figures.declare: 3,
    figures.post: 4,
    figures.appraise: 2,
}
"""What may happen, each with how often it does beside the others."""

REFRESHED = 0.1  # of the days see a refresh of the service's own, besides those that are kept
STILL = 50  # acts in a row that changed nothing


class Year:
    """A year of about `events` changes, besides the sheets of each month. counts: changes by what made them."""

    def __init__(self, engine: Engine, *, seed: int, events: int) -> None:
        self.town = Town(engine, seed, max(120, events // 40))
        self.counts: Counter[str] = Counter()
        self._events = events
        self._sheets = 0

    def days(self, first: date = FIRST, last: date = LAST, *, most: int | None = None) -> Iterator[date]:
        """Live day after day: each is given when its last event has happened, and is committed.

        most: stop after so many changes, to find the first one that does harm.
        """
        town, day = self.town, first
        while day <= last:
            town.today, town.now = day, local(day, time())
            self._act(figures.monthly_round)
            share = ((day - FIRST).days + 1) / ((LAST - FIRST).days + 1)
            still = 0
            while self._done() < self._events * share and still < STILL:
                act = town.chance.choices(list(ACTS), list(ACTS.values()))[0]
                still = 0 if self._act(act) else still + 1
                if most is not None and self._done() >= most:
                    break
            if town.chance.random() < REFRESHED:
                self._act(figures.refresh)
            town.now = max(town.now, local(day, time(23, 40)))
            self._act(meetings.close_ended)
            town.session.commit()
            yield day
            if most is not None and self._done() >= most:
                return
            day += timedelta(days=1)

    def _act(self, act: Callable[[Town], int]) -> int:
        self.town.tick()
        done = act(self.town)
        self.town.session.flush()
        self.counts[act.__name__] += done
        return done

    def _done(self) -> int:
        """Changes, without those that came in sheets."""
        return self.counts.total() - self.counts["monthly_round"] - self.counts["refresh"]
