"""What becomes of a department's spreadsheet: judged row by row, shown, and recorded when it is confirmed."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import audit, organizations, periods_locked, sheets
from db.sheets import Sheet
from notices import outbox
from notices.cells import csv_bytes
from notices.channel import Button, Message
from notices.voices import voice
from notices.wording import Wording
from scoring import handing_in
from scoring.sheet_rows import KINDS, Line, Verdict

LISTED_MAX = 3  # refused rows that are told in the chat; the others stand in the file
ADDRESS = "/web/sheet/"
"""Before the token of a sheet: the file with its verdicts."""


def judge(session: Session, sheet_id: int, lines: Sequence[Line], now: datetime, zone: ZoneInfo) -> list[Verdict]:
    """What would become of the rows of this sheet. Reads only."""
    sheet = sheets.get(session, sheet_id)
    assert sheet is not None
    node = organizations.get(session, sheet.organization_id)
    today = now.astimezone(zone).date()
    return handing_in.plan(session, lines, member_id=sheet.member_id, node=node, today=today)


def planned(
    session: Session, sheet_id: int, lines: Sequence[Line], verdicts: Sequence[Verdict], **more: Any
) -> Sheet | None:
    """Keep the verdicts of a sheet that was looked at; what waited before it is given up. None: it is gone.

    more: `gbk`, `blank` and `content`, the bytes, of which the hash is kept.
    """
    sheet = sheets.get(session, sheet_id)
    if sheet is None:
        return None
    say = voice(session, sheet.member_id)
    digest = hashlib.sha256(more.pop("content", b"")).hexdigest()
    sheets.cancel_waiting(session, sheet.member_id)
    found = {"lines": [line.to_json() for line in lines], **_told(say, verdicts), **more}
    if not sheets.move(session, sheet_id, "coming", content=None, sha256=digest, **found):
        return None
    return sheets.get(session, sheet_id)


def _told(say: Wording, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Counts, state and file that follow from verdicts."""
    counts: Counter[str] = Counter(one.kind for one in verdicts)
    state = "refused" if counts["refused"] else "planned" if counts["new"] + counts["changed"] else "same"
    return {kind: counts[kind] for kind in KINDS} | {"state": state, "verdicts": file_of(say, verdicts)}


def unread(session: Session, sheet_id: int, why: str, values: Mapping[str, Any]) -> Sheet | None:
    """Note why a file cannot be used as a whole; None: it is gone."""
    sheet = sheets.get(session, sheet_id)
    if sheet is None:
        return None
    told = voice(session, sheet.member_id)(f"sheets.file_{why}", **values)
    if not sheets.move(session, sheet_id, "coming", state="unread", why=told, content=None):
        return None
    return sheets.get(session, sheet_id)


def tell(session: Session, sheet: Sheet, verdicts: Sequence[Verdict], now: datetime, site: str) -> None:
    """Send the department what became of its file; it waits for that, at night, too."""
    say = voice(session, sheet.member_id)
    message = message_of(say, sheet, site, refusals(say, verdicts))
    key = f"sheet:{sheet.id}:{sheet.state}"
    outbox.tell(session, member_id=sheet.member_id, key=key, message=message, now=now, urgent=True)


def message_of(say: Wording, sheet: Sheet, site: str, lines: Sequence[str] = ()) -> Message:
    """A sheet in words, with what can be done about it. lines: what is wrong with its first refused rows."""
    if sheet.state == "coming":
        return Message(say("sheets.coming", name=sheet.name))
    if sheet.state == "unread":
        return Message(
            say("sheets.unread", name=sheet.name, why=sheet.why), (Button(say("sheets.form"), "sheet:form"),)
        )
    counts = {kind: getattr(sheet, kind) for kind in KINDS}
    text = [say("sheets.judged", name=sheet.name, **counts)]
    text += [say("sheets.gbk")] if sheet.gbk else []
    text += [say("sheets.blank", count=sheet.blank)] if sheet.blank else []
    text += lines
    text.append(say(f"sheets.state_{sheet.state}"))
    if sheet.verdicts is not None:
        text.append(say("sheets.file", address=f"{site.rstrip('/')}{ADDRESS}{sheet.token}"))
    buttons: tuple[Button, ...] = ()
    if sheet.state == "planned":
        count = sheet.new + sheet.changed
        yes = Button(say("sheets.confirm", count=count), f"sheet:yes:{sheet.id}")
        buttons = (yes, Button(say("sheets.cancel"), f"sheet:no:{sheet.id}"))
    return Message("\n".join(text), buttons)


def refusals(say: Wording, verdicts: Sequence[Verdict]) -> list[str]:
    """The first refused rows, each with its reason."""
    refused = [one for one in verdicts if one.kind == "refused"]
    lines = [say("sheets.row", row=one.line.number, why=said(say, one)) for one in refused[:LISTED_MAX]]
    return lines + ([say("sheets.more", count=len(refused) - LISTED_MAX)] if len(refused) > LISTED_MAX else [])


def said(say: Wording, verdict: Verdict) -> str:
    """One verdict in words."""
    if verdict.kind == "refused":
        return say(f"sheets.why_{verdict.why}", **verdict.why_values)
    if verdict.kind == "changed":
        return say("sheets.changed", before=verdict.before, after=verdict.value or say("sheets.nothing"))
    return say(f"sheets.{verdict.kind}")


def file_of(say: Wording, verdicts: Sequence[Verdict]) -> bytes:
    """The rows with their verdicts as a csv."""
    header = [say(f"sheets.column_{name}") for name in ("row", "organization", "indicator", "period", "value")]
    header += [say("sheets.column_note"), say("sheets.column_verdict"), say("sheets.column_why")]
    rows: list[list[object]] = [list(header)]
    for one in verdicts:
        line = one.line
        told = say("sheets.refused" if one.kind == "refused" else "sheets.accepted")
        cells = [line.number, line.organization, line.indicator, line.period, line.value, line.note]
        rows.append([*cells, told, said(say, one)])
    return csv_bytes(rows)


def confirm(session: Session, sheet: Sheet, now: datetime, zone: ZoneInfo) -> tuple[Sheet, list[Verdict]] | None:
    """Record a sheet that waits, after judging it once more; None when it does not wait any more.

    A row that is refused now (its period was locked in between) stops all of them: the sheet is then refused.
    """
    assert sheet.id is not None
    sheet_id = sheet.id
    sheets.wait_for_others(session)
    fresh = sheets.get(session, sheet_id)
    if fresh is None or fresh.state != "planned" or fresh.lines is None:
        return None
    lines = [Line(*row) for row in fresh.lines]
    verdicts = judge(session, sheet_id, lines, now, zone)
    # Held open until the end: a lock that comes now waits; one that came before is seen by judging again.
    if not all(periods_locked.hold_open(session, one) for one in handing_in.periods_of(verdicts)):
        verdicts = judge(session, sheet_id, lines, now, zone)
    say, member_id, digest = voice(session, fresh.member_id), fresh.member_id, fresh.sha256
    if any(one.kind == "refused" for one in verdicts):
        moved = sheets.move(session, sheet_id, "planned", **_told(say, verdicts), lines=None)
    else:
        moved = sheets.move(session, sheet_id, "planned", state="confirmed", confirmed_at=now, lines=None)
        if moved:
            count = handing_in.record(session, verdicts, sheet_id=sheet_id, member_id=member_id, now=now)
            _log(session, sheet_id, member_id, now, count, digest)
    after = sheets.get(session, sheet_id)
    return (after, verdicts) if moved and after is not None else None


def _log(session: Session, sheet_id: int, member_id: int, now: datetime, count: int, digest: str) -> None:
    audit.record(
        session,
        at=now,
        actor_id=member_id,
        action="sheet.confirmed",
        subject=f"sheet:{sheet_id}",
        rows=count,
        sha256=digest,
    )
