"""Commands about departments: `sheet`, their spreadsheets, and `remit`, what they may hand in."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import select
from sqlmodel import Session, col

from bot.commands import terminal
from db import sheets
from db.organizations import Organization
from db.sheets import Sheet
from scoring.sheet_rows import Verdict

app = typer.Typer()
By = Annotated[str, typer.Option("--by", help="number of the department's person on the roll")]


class NotPossible(Exception):
    """What was asked cannot be done; the text says why."""


@app.command()
def sheet(
    file: Annotated[Path, typer.Argument(help="xlsx or csv: organization, indicator, period, value, note")],
    by: By,
    template: Annotated[bool, typer.Option(help="write the department's empty form to FILE instead")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="record without asking, if nothing is refused")] = False,
) -> None:
    """Hand in a department's values: a verdict per row, then all or nothing."""
    from bot.sheets.form import drawn, form_rows, negatives_of

    settings = terminal.stored_settings()
    now = datetime.now(UTC)
    with (
        terminal.ended_by(NotPossible, OSError),
        terminal.open_engine(settings) as engine,
        Session(engine) as session,
    ):
        member_id, node = _department(session, by, now.astimezone(settings.zone).date())
        if template:
            today = now.astimezone(settings.zone).date()
            if file.exists():
                raise NotPossible(f"{file} exists already")
            rows = form_rows(session, member_id=member_id, node=node, today=today)
            file.write_bytes(drawn(rows, negatives_of(sheets.remit_of(session, member_id), today)))
            terminal.out.print(f"{file}: {len(rows)} rows to fill in", markup=False)
            return
        _hand_in(session, file, member_id, node.id or 0, now, settings.zone, yes=yes)


def _hand_in(
    session: Session, file: Path, member_id: int, node_id: int, now: datetime, zone: ZoneInfo, *, yes: bool
) -> None:
    """Judge the file, show the verdicts, and record when that is wanted. Raises NotPossible."""
    from notices import sheets as notes
    from notices.voices import voice

    say = voice(session, member_id)
    planned, verdicts = _planned(session, file, member_id, node_id, now, zone)
    session.commit()
    for one in verdicts:
        if one.kind != "same":
            place = f"{one.line.organization} {one.line.indicator} {one.line.period}"
            terminal.out.print(f"{one.line.number} {place}: {notes.said(say, one)}", markup=False)
    terminal.out.print(notes.message_of(say, planned, "").text.split("\n")[0], markup=False)
    if planned.state == "refused":
        raise typer.Exit(1)
    if planned.state == "planned" and (yes or typer.confirm("record?")):
        done = notes.confirm(session, planned, now, zone)
        session.commit()
        state = done[0].state if done is not None else "cancelled"
        terminal.out.print(say(f"sheets.state_{state}"), markup=False)
        if state != "confirmed":
            raise typer.Exit(1)


def _planned(
    session: Session, file: Path, member_id: int, node_id: int, now: datetime, zone: ZoneInfo
) -> tuple[Sheet, list[Verdict]]:
    """The file as a sheet with a verdict per row. Raises NotPossible."""
    from bot.sheets import Refusal, read
    from notices import sheets as notes
    from notices.voices import voice

    content = file.read_bytes()
    try:
        found = read(content)
    except Refusal as refusal:
        why = voice(session, member_id)(f"sheets.file_{refusal.why}", **refusal.values_)
        raise NotPossible(f"{file}: {why}") from None
    sheet_id = sheets.receive(
        session,
        member_id=member_id,
        organization_id=node_id,
        channel="command",
        reference=file.name,
        name=file.name,
        token=secrets.token_urlsafe(16),
        at=now,
    )
    verdicts = notes.judge(session, sheet_id, found.lines, now, zone)
    more = {"gbk": found.gbk, "blank": found.blank, "content": content}
    planned = notes.planned(session, sheet_id, found.lines, verdicts, **more)
    assert planned is not None, "it was received a moment ago"
    return planned, verdicts


@app.command()
def remit(
    by: By,
    indicators: Annotated[list[str] | None, typer.Argument(help="ids; none: show what stands")] = None,
    everything: Annotated[bool, typer.Option("--all", help="every indicator of departments")] = False,
) -> None:
    """Say which indicators a department may hand in; without any it may hand in all that departments do."""
    from db import audit
    from scoring.catalogue import shipped

    settings = terminal.stored_settings()
    now, catalogue = datetime.now(UTC), shipped()
    wanted = [one.upper() for one in indicators or ()]
    known = {row.id for row in (*catalogue.indicators, *catalogue.common, *catalogue.negatives)}
    with terminal.ended_by(NotPossible), terminal.open_engine(settings) as engine, Session(engine) as session:
        unknown = [one for one in wanted if one not in known]
        if unknown:
            raise NotPossible(f"not in the catalogue: {', '.join(unknown)}")
        member_id, _ = _department(session, by, now.astimezone(settings.zone).date())
        if wanted or everything:
            sheets.set_remit(session, member_id, wanted)
            detail = {"indicators": wanted}
            audit.record(
                session, at=now, actor_id=None, action="remit.set", subject=f"member:{member_id}", **detail
            )
            session.commit()
        terminal.out.print(", ".join(sorted(sheets.remit_of(session, member_id))) or "all", markup=False)


def _department(session: Session, code: str, today: date) -> tuple[int, Organization]:
    """The person with this number and the node of the department. Raises NotPossible."""
    from db import members
    from db.members import Member

    member = session.execute(select(Member).where(col(Member.code) == code)).scalar_one_or_none()
    if member is None or member.id is None:
        raise NotPossible(f"there is no member {code}")
    nodes = [node for role, node in members.roles_of(session, member.id, today) if role == "department"]
    if not nodes:
        raise NotPossible(f"{code} has no department's role today")
    return member.id, min(nodes, key=lambda node: len(node.path))
