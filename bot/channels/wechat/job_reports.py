"""WeChat's word on a mass letter: the event MASSSENDJOBFINISH.

It says how many followers were meant and how many were reached. It never says who.
"""

from __future__ import annotations

import re
from datetime import datetime

from bot.channels.wechat.flat_xml import Malformed, fields
from bot.channels.wechat.inbound import CHANNEL
from db.mass import MassReport

EVENT = "masssendjobfinish"

_JOB = re.compile(r"[0-9]{1,20}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_STATUS = re.compile(r"send ?(success|fail)|err\([0-9]{1,9}\)", re.ASCII)


def job_report(document: bytes, *, now: datetime) -> MassReport | None:
    """What the document says of a mass letter; None for anything else, and for odd figures. Never raises."""
    try:
        values = fields(document)
    except Malformed:
        return None
    if values.get("MsgType", "").lower() != "event" or values.get("Event", "").lower() != EVENT:
        return None
    job, status = values.get("MsgID", values.get("MsgId", "")), values.get("Status", "").lower()
    total, sent = values.get("TotalCount", ""), values.get("SentCount", "")
    if not _JOB.fullmatch(job) or not _STATUS.fullmatch(status):
        return None
    if not _COUNT.fullmatch(total) or not _COUNT.fullmatch(sent):
        return None
    if status.startswith("send"):
        status = "send " + status.removeprefix("send").strip()
    return MassReport(
        channel=CHANNEL, platform_id=job, status=status, total=int(total), sent=int(sent), reported_at=now
    )
