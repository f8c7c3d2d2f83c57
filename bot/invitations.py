"""Bind codes on paper and on the screen: one for a member, or a sheet with QR codes for a branch."""

from __future__ import annotations

import html
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import segno
from sqlalchemy import select
from sqlmodel import Session, col

from bot.settings import Settings
from db import organizations
from db.members import Member
from db.organizations import Organization
from handlers.binding import CODE_LASTS, SHEET_LASTS, branch_sheet, grouped, invite

_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title><style>
body{{font:18px/1.5 "Noto Sans CJK SC","PingFang SC","Microsoft YaHei",sans-serif;margin:2rem}}
.cards{{display:grid;grid-template-columns:repeat(2,1fr);gap:1rem}}
.card{{border:1px dashed #999;padding:1rem;display:flex;gap:1rem;align-items:center;break-inside:avoid}}
.code{{font-size:28px;font-weight:bold;letter-spacing:.05em}} svg{{width:130px;height:130px}}
</style><h1>{title}</h1><p>{note}</p><div class="cards">{cards}</div></html>"""


class NotPossible(Exception):
    """Nobody can be invited this way; the text says why."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """One code and whom it binds."""

    name: str
    code: str

    def text(self, settings: Settings) -> str:
        """What the operator reads out or passes on."""
        minutes = int(CODE_LASTS.total_seconds() // 60)
        link = _link(settings, self.code)
        lines = [
            f"{self.name}: 绑定 {grouped(self.code)}",
            f"({minutes} min, once / {minutes} 分钟内有效，只能用一次)",
        ]
        return "\n".join([*lines, *([link] if link else [])])


def for_member(session: Session, wanted: str, now: datetime) -> Invitation:
    """A code for the member with this number on the roll, or this id. Raises NotPossible."""
    member = session.execute(select(Member).where(col(Member.code) == wanted)).scalar_one_or_none()
    if member is None and _is_id(wanted):
        member = session.get(Member, int(wanted))
    if member is None or member.id is None:
        raise NotPossible(f"there is no member {wanted}")
    if member.status != "active":
        raise NotPossible(f"member {wanted} is not active: {member.status}")
    return Invitation(member.name, invite(session, member.id, now))


def sheet(session: Session, wanted: str, now: datetime, path: Path, settings: Settings) -> int:
    """Write a printable page with a code for every member of the branch without a chat; how many there are.

    Only the owner of the file can read it. Raises NotPossible, or OSError when it cannot be written.
    """
    branch = organizations.by_code(session, wanted)
    if branch is None and _is_id(wanted):
        branch = session.get(Organization, int(wanted))
    if branch is None or branch.id is None:
        raise NotPossible(f"there is no branch {wanted}")
    rows = branch_sheet(session, branch.id, now)
    note = f"每个码只能用一次，{SHEET_LASTS.days} 天内有效。请剪开分别交给本人，不要拍照发群。"
    cards = "".join(_card(name, code, settings) for _, name, code in rows)
    page = _PAGE.format(title=html.escape(f"{branch.name} 绑定码"), note=note, cards=cards)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)  # before anything is in it: whoever reads it can be these members
    path.write_text(page, encoding="utf-8")
    return len(rows)


def _is_id(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 12 and int(word) < 2**31


def _card(name: str, code: str, settings: Settings) -> str:
    # Without a public address there is no link to open: the picture then holds the words to send.
    drawn = segno.make(_link(settings, code) or f"绑定 {code}", error="m").svg_inline(scale=4, border=2)
    words = f'<div class="code">{grouped(code)}</div>发送：绑定 {grouped(code)}'
    return f'<div class="card">{drawn}<div><div>{html.escape(name)}</div>{words}</div></div>'


def _link(settings: Settings, code: str) -> str:
    return f"{settings.public_url.rstrip('/')}/?start={code}" if settings.public_url else ""
