"""The close of a year on its own: members are told of the stars that are meant, results are frozen in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import indices, members, organizations, vetoes, year_close, year_results
from db.indices import FortressIndex, PioneerIndex
from db.year_close import YearClose, YearResult
from notices import outbox
from notices.channel import Button, Message
from notices.schedule import Moment, Run
from notices.voices import voices
from notices.wording import Wording, two_places
from scoring import update
from scoring.catalogue import shipped

BRANCHES, MEMBERS, TOLD = 200, 500, 20  # of one transaction
LANE = 2
MONTHS = range(1, 7)  # of the next year in which the figures of the last one are kept up to date until its close


def last_day(year: int) -> date:
    """The day on which a year is judged."""
    return date(year, 12, 31)


def shown_stars(index: FortressIndex, events: Mapping[int, Sequence[str]]) -> int:
    """The stars that a branch is given: those of the index, or none with a confirmed veto event."""
    return 0 if events.get(index.organization_id) else index.stars


def said_vetoes(say: Wording, kinds: Sequence[str]) -> str:
    """Why a branch has no stars, in words; empty without a veto event."""
    titles = [shipped().ratings.year_close.veto_kind(kind).title_in(say.language) for kind in kinds]
    return say("year_close.joint").join(titles)


def prepare_figures(session: Session, moment: Moment) -> Run:
    """Last year's figures as of its last day, as long as nobody has confirmed them. Reads only."""
    year = moment.now.astimezone(moment.zone).date().year - 1
    if moment.now.astimezone(moment.zone).month not in MONTHS or not _open(session, year):
        return lambda writing, _moment: None
    ready = update.prepare(session, last_day(year), zone=moment.zone)

    def store(writing: Session, _moment: Moment) -> None:
        # Asked again: the confirmation may have come while this was computed, and then nothing moves any more.
        if _open(writing, year):
            update.store(writing, ready)

    return store


def _open(session: Session, year: int) -> bool:
    session.expire_all()
    closing = year_close.get(session, year)
    return closing is None or closing.state == "open"


def tell_next(session: Session, now: datetime, zone: ZoneInfo = outbox.CITY) -> int:
    """Tell the members of the next confirmed branches which stars are meant; how many branches."""
    part = year_results.to_tell(session)
    if part is None:
        return 0
    node = organizations.get(session, part.organization_id)
    listed = year_results.branches_to_tell(session, part, node.path, TOLD)
    last = listed[-1].id if listed else part.told_after
    until, year = part.objections_until, part.year
    if not year_results.advance_telling(session, part, last or 0, done=not listed) or until is None:
        return 0
    today = now.astimezone(zone).date()
    events = vetoes.confirmed(session, year, [one.id for one in listed if one.id is not None])
    for branch in listed:
        index = indices.fortress_of(session, branch.id or 0, year)
        if index is None or branch.id is None:
            continue
        here = [one.id for one in members.members_of(session, branch.id, today) if one.id is not None]
        for member_id, say in voices(session, here).items():
            text = say(
                "year_close.meant",
                year=year,
                stars=said_stars(say, shown_stars(index, events), index.veto, events.get(branch.id, ())),
                score=two_places(index.score),
                month=until.month,
                day=until.day,
            )
            message = Message(text, (Button(say("stars_of_years.object"), f"stars:object:{year}"),))
            key = f"year_close:{year}:meant"
            outbox.tell(session, member_id=member_id, key=key, message=message, now=now, lane=LANE)
    return max(1, len(listed))


def said_stars(say: Wording, stars: int, vetoed: bool, kinds: Sequence[str]) -> str:
    """Stars in words, with the reason where there are none."""
    if kinds:
        return say("year_close.vetoed_for", why=said_vetoes(say, kinds))
    return say("year_close.vetoed_few") if vetoed else say(f"stars.{stars}")


def freeze_next(session: Session, now: datetime, zone: ZoneInfo = outbox.CITY) -> int:
    """Write the next results of the year that is being frozen, and send star cards; how many, at least 1."""
    closing = year_close.freezing(session)
    if closing is None:
        return 0
    branches = year_results.branch_figures(session, closing.year, closing.branch_after, BRANCHES)
    if branches:
        if year_close.advance(session, closing, branch_after=branches[-1][0].organization_id):
            year_results.add(session, _branch_rows(session, closing, [one for one, _ in branches], now))
        return len(branches)
    people = year_results.member_figures(session, closing.year, closing.member_after, MEMBERS)
    if people:
        if year_close.advance(session, closing, member_after=people[-1][0].member_id):
            where = year_results.branches_of(session, [one.member_id for one, _ in people], last_day(closing.year))
            year_results.add(
                session, [_member_row(closing, one, where.get(one.member_id), now) for one, _ in people]
            )
            active = [one.member_id for one, status in people if status == "active"]
            send_cards(session, closing.year, active, where, now)
        return len(people)
    return int(year_close.advance(session, closing, state="closed"))


def _branch_rows(
    session: Session, closing: YearClose, listed: Sequence[FortressIndex], now: datetime
) -> list[dict[str, Any]]:
    events = vetoes.confirmed(session, closing.year, [one.organization_id for one in listed])
    rows = []
    for one in listed:
        kinds = events.get(one.organization_id, [])
        figures = one.model_dump(mode="json", exclude={"organization_id", "year", "rank_before"})
        rows.append(
            {
                **_row(closing, one, now),
                "organization_id": one.organization_id,
                "member_id": None,
                "stars": shown_stars(one, events),
                "veto": one.veto or bool(kinds),
                "figures": {**figures, "veto_events": kinds},
            }
        )
    return rows


def _member_row(closing: YearClose, one: PioneerIndex, branch_id: int | None, now: datetime) -> dict[str, Any]:
    figures = one.model_dump(mode="json", exclude={"member_id", "year"})
    return {
        **_row(closing, one, now),
        "organization_id": None,
        "member_id": one.member_id,
        "stars": one.stars,
        "veto": False,
        "figures": {**figures, "branch": branch_id},
    }


def _row(closing: YearClose, one: FortressIndex | PioneerIndex, now: datetime) -> dict[str, Any]:
    return {
        "year": closing.year,
        "version": 1,
        "score": one.score,
        "rules": one.rules,
        "reason": "",
        "recorded_by": closing.confirmed_by,
        "recorded_at": now,
    }


def send_cards(
    session: Session, year: int, member_ids: Sequence[int], where: Mapping[int, int], now: datetime
) -> None:
    """Tell these members their stars and their branch's; the picture comes when they ask."""
    branch_lines: dict[int, YearResult | None] = {}
    for member_id, say in voices(session, member_ids).items():
        branch_id = where.get(member_id)
        own = year_results.of_year(session, year, member_id=member_id)
        if own is None:
            continue
        text = say("year_close.card", year=year, stars=say(f"stars.{own.stars}"), score=two_places(own.score))
        if branch_id is not None:
            if branch_id not in branch_lines:
                branch_lines[branch_id] = year_results.of_year(session, year, organization_id=branch_id)
            line = branch_lines[branch_id]
            text += "\n" + say("year_close.card_branch", stars=said_line(say, line)) if line else ""
        message = Message(text, (Button(say("stars_of_years.picture"), f"stars:card:{year}"),))
        key = f"year_close:{year}:card"
        outbox.tell(session, member_id=member_id, key=key, message=message, now=now, lane=LANE)


def said_line(say: Wording, line: YearResult) -> str:
    """The stars of a frozen line in words, with the reason where there are none."""
    kinds = line.figures.get("veto_events", []) if line.version == 1 else []
    return said_stars(say, line.stars, line.veto and not line.stars, kinds)
