"""What waits for somebody in the sample city: a declaration for its reviewer, a card for its secretary."""

from __future__ import annotations

import hashlib
import struct
import zlib
from datetime import datetime, timedelta

from sqlmodel import Session

from bot.sample.directory import People, sample_branch
from bot.sample.members import local
from db import declarations, inspections, pictures, rectifications
from db.declarations import DeclarationDraft
from db.duties import CITY
from db.inspections import Inspection
from db.organizations import Organization
from db.rectifications import Rectification
from notices.inspection_terms import appeal_until, due_on, next_step

DECLARED = "C02"
INSPECTED, SHARE = "C16", "0.9"
DAYS_AGO = 2


def begin(session: Session, people: People, now: datetime) -> None:
    """A declaration of the running month that waits for the committee, an open card of the sample branch."""
    branch = sample_branch(session)
    _declare(session, branch, people.secretary.id, now - timedelta(hours=3))
    if people.inspector is not None:
        _inspect(session, branch, people.inspector.id, now)


def _declare(session: Session, branch: Organization, secretary_id: int, at: datetime) -> None:
    assert branch.id is not None
    month = at.astimezone(CITY).strftime("%Y-%m")
    draft = DeclarationDraft(
        member_id=secretary_id,
        organization_id=branch.id,
        indicator_id=DECLARED,
        period=month,
        value="1",
        picture_id=_picture(session, "declaration", secretary_id, at),
        note="本月支委会已开，记录见照片",
        changed_at=at,
    )
    declarations.declare(session, draft, closing=month, now=at)


def _inspect(session: Session, branch: Organization, inspector_id: int, now: datetime) -> None:
    assert branch.id is not None
    today = now.astimezone(CITY).date()
    day = today - timedelta(days=DAYS_AGO)
    made_at = local(day, 10 * 60)
    inspection_id = inspections.add(
        session,
        Inspection(
            organization_id=branch.id,
            inspector_id=inspector_id,
            item_id=INSPECTED,
            value=SHARE,
            finding=True,
            visit="open",
            picture_id=_picture(session, "inspection", inspector_id, made_at),
            place=branch.place,
            note="制度没有上墙",
            day=day,
            made_at=made_at,
            state="noticed",
            appeal_until=appeal_until(day, CITY),
        ),
    )
    due = due_on(day)
    card = Rectification(
        inspection_id=inspection_id, organization_id=branch.id, due_on=due, step_on=next_step(due, today)
    )
    rectifications.add(session, card)


def _picture(session: Session, name: str, member_id: int, at: datetime) -> int:
    """A stored picture: paper-white with a red band, for the sample city has no camera."""
    picture_id = pictures.receive(session, "web", f"sample-{name}", member_id, at)
    content = _png(160, 100)
    pictures.keep(session, picture_id, "image/png", content, hashlib.sha256(content).hexdigest())
    return picture_id


def _png(width: int, height: int) -> bytes:
    rows = b"".join(
        b"\0" + (b"\xa6\x1b\x29" if row < height // 5 else b"\xfa\xf7\xf0") * width for row in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
