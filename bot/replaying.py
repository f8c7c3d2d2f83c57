"""A past day as CSV: the files that `score` writes, from the database as it was known then."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from db.members import Member
from db.organizations import Organization
from db.scoring_export import snapshot
from scoring.catalogue import shipped
from scoring.city import CityIndices
from scoring.exact import printed
from scoring.folder_writing import HEADERS, proof_of
from scoring.month_results import MonthResults
from scoring.replay import replay

Cells = list[Any]


class NotFound(Exception):
    """No member or organisation has this number; the text says which."""


class Chosen(NamedTuple):
    """Of whom to tell. None: of everybody."""

    member_id: int | None = None
    organization_id: int | None = None


def chosen(session: Session, *, member: str | None, organization: str | None) -> Chosen:
    """The ids of these numbers of the roll. Raises NotFound."""
    return Chosen(_id_of(session, Member, member), _id_of(session, Organization, organization))


def _id_of(session: Session, table: Any, code: str | None) -> int | None:
    if code is None:
        return None
    found: int | None = session.execute(select(col(table.id)).where(col(table.code) == code)).scalar()
    if found is None:
        raise NotFound(f"{table.__tablename__} {code} is not known")
    return found


def tell(
    url: str, day: date, directory: Path | None, *, zone: ZoneInfo, member: str | None, organization: str | None
) -> dict[str, int]:
    """Write the four files into `directory`, or to the standard output without one; how many rows each has.

    Raises NotFound, Refused for a database that cannot be read, and OSError.
    """
    with snapshot(url) as session:
        whom = chosen(session, member=member, organization=organization)
        found = replay(session, day, zone=zone)
    counts = {}
    for name, rows in files(found, whom).items():
        made = list(rows)
        counts[name] = len(made)
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
            with (directory / name).open("w", encoding="utf-8", newline="") as file:
                _write(file, name, made)
        elif made:
            _write(sys.stdout, name, made)
    return counts


def _write(file: Any, name: str, rows: list[Cells]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(HEADERS[name])
    writer.writerows(rows)


def files(found: CityIndices, whom: Chosen) -> dict[str, Iterator[Cells]]:
    """Per file its rows, with the columns that `score` writes."""
    of_branches = whom.member_id is None or whom.organization_id is not None
    results = MonthResults(shipped(), found)
    nothing: Iterator[Cells] = iter(())
    return {
        "pioneer.csv": _pioneer(found, whom),
        "fortress.csv": _fortress(found, whom) if of_branches else nothing,
        "org_power.csv": _power(results, whom) if of_branches else nothing,
        "warnings.csv": _warnings(found, results, whom) if of_branches else nothing,
    }


def _pioneer(found: CityIndices, whom: Chosen) -> Iterator[Cells]:
    """Of one member, of the members of one branch on the day, or of everybody."""
    one = found.members.result
    columns = (one.base, one.positive, one.conduct, one.score)
    branch_ids = [branch.id for branch in found.branches]
    rows = zip(*(column.tolist() for column in columns), strict=True)
    people = zip(found.members.ids.tolist(), found.members.here.tolist(), rows, one.stars.tolist(), strict=True)
    for member_id, here, figures, stars in people:
        own = whom.organization_id is None or (here >= 0 and branch_ids[here] == whom.organization_id)
        if member_id == whom.member_id or (whom.member_id is None and own):
            yield [member_id, *map(printed, figures), stars]


def _fortress(found: CityIndices, whom: Chosen) -> Iterator[Cells]:
    one = found.fortress
    for place, branch in enumerate(found.branches):
        if whom.organization_id not in (None, branch.id):
            continue
        appraisal = int(one.appraisal[place])
        yield [
            branch.id,
            *(printed(int(column[place])) for column in (one.common, one.specific, one.deductions, one.base)),
            printed(appraisal) if appraisal >= 0 else "",
            printed(int(one.score[place])),
            int(one.activities[place]),
            "true" if one.veto[place] else "false",
            int(one.stars[place]),
        ]


def _power(results: MonthResults, whom: Chosen) -> Iterator[Cells]:
    for number, month in enumerate(results.months):
        for _, (branch_id, _field, *figures, rank, size, _unmet, _hits) in results.power(number):
            if whom.organization_id in (None, branch_id):
                yield [branch_id, month.month.text, *map(printed, figures), rank, size]


def _warnings(found: CityIndices, results: MonthResults, whom: Chosen) -> Iterator[Cells]:
    for number, month in enumerate(results.months):
        for place, one in results.warnings(number):
            branch_id = found.branches[place].id
            if whom.organization_id in (None, branch_id):
                proof = "; ".join(proof_of(row) for row in one.months)
                yield [branch_id, month.month.text, one.colour, one.reason, one.owner, proof]
