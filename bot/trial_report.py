"""What a trial of other rules found, in lines for the terminal and in tables for a spreadsheet."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from db.members import Member
from db.organizations import Organization
from notices.cells import safe_cell
from notices.wording import two_places
from scoring.trial import Colour, Moves, Trial

SHOWN_MAX = 5
Table = tuple[str, Sequence[str], Iterable[Sequence[object]]]


def lines(session: Session, trial: Trial) -> Iterator[str]:
    """A few lines per kind; organisations by their number, members only counted."""
    codes = _codes(session, Organization)
    yield f"on {trial.as_of}, against the rules in force"
    yield from _told("members", trial.members)
    yield from _told("branches", trial.branches)
    for one in trial.branches.moved[:SHOWN_MAX]:
        yield f"  {codes[one.key]}: {two_places(one.before)} -> {two_places(one.after)}"
    yield from _told("organisations, month by month", trial.months)
    for one in trial.months.moved[:SHOWN_MAX]:
        yield f"  {codes[one.key]} {one.month}: {two_places(one.before)} -> {two_places(one.after)}"
    yield f"colours: {len(trial.colours)} change"
    kinds = Counter(
        (one.colour, "new" if not one.before else "other reason" if one.after else "gone") for one in trial.colours
    )
    for (colour, kind), count in sorted(kinds.items()):
        yield f"  {colour}, {kind}: {count}"


def _kind(one: Colour) -> str:
    if not one.before:
        return "new"
    return "other reason" if one.after else "gone"


def _told(what: str, moves: Moves) -> Iterator[str]:
    yield f"{what}: {len(moves.moved)} of {moves.of} move, {moves.up} up, {moves.down} down"
    if moves.moved:
        changes = [one.after - one.before for one in moves.moved]
        most, least = two_places(max(changes)), two_places(min(changes))
        yield f"  from {least} to {most}, in the middle {two_places(moves.middle)}"
    for (before, after), count in moves.stars.items():
        yield f"  {before} -> {after} stars: {count}"


def write(session: Session, trial: Trial, folder: Path) -> Iterator[Path]:
    """Write everything that moves into CSV files of `folder`; their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, header, rows in _tables(session, trial):
        with (folder / name).open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
        yield folder / name


def _tables(session: Session, trial: Trial) -> Iterator[Table]:
    """(file name, header, rows) of everything that moves, the largest move first."""
    members, organizations = _codes(session, Member), _codes(session, Organization)
    header = ("code", "before", "after", "stars_before", "stars_after")
    for name, moves, codes in (("members", trial.members, members), ("branches", trial.branches, organizations)):
        yield (
            f"{name}.csv",
            header,
            (
                (codes[one.key], two_places(one.before), two_places(one.after), one.stars_before, one.stars_after)
                for one in moves.moved
            ),
        )
    yield (
        "org_power.csv",
        ("code", "month", "before", "after"),
        (
            (organizations[one.key], one.month, two_places(one.before), two_places(one.after))
            for one in trial.months.moved
        ),
    )
    yield (
        "colours.csv",
        ("code", "month", "colour", "before", "after"),
        (
            (organizations[one.organization_id], one.month, one.colour, one.before, one.after)
            for one in trial.colours
        ),
    )


def _codes(session: Session, table: type[Member] | type[Organization]) -> dict[int, str]:
    """Numbers by id; one that a spreadsheet would take for a formula is led by an apostrophe."""
    found = session.execute(select(col(table.id), col(table.code)))
    return {row[0]: safe_cell(row[1]) for row in found}
