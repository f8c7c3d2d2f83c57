"""Steps that tests of written letters share."""

from __future__ import annotations

import json

from sqlmodel import select

from db.audit import AuditEvent
from db.letters import Letter

BODY = "关于做好防汛值守的通知\n今晚有大雨，请**各网格**留人值守。"


async def audit_of(look, *actions):
    lines = await look(lambda s: s.exec(select(AuditEvent).order_by(AuditEvent.id)).all())
    return [(line.actor_id, json.loads(line.detail)) for line in lines if line.action in actions]


async def the_letters(look):
    return await look(lambda s: (s.expire_all(), s.exec(select(Letter).order_by(Letter.id)).all())[1])
