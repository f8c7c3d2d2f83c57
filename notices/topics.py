"""Topic letters: once a week for each topic, from the Markdown files in `content/<topic>/`, in turn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlmodel import Session

from db import letters, organizations
from db.audiences import Audience
from db.letters import Letter, Topic
from notices import outbox

CONTENT = Path(__file__).parent / "content"
FRESH_FOR = timedelta(days=7)  # then the next letter of the topic comes
CITY_LANE = 2
ASKS = ("none", "ack")


@dataclass(frozen=True, slots=True)
class Column:
    """A topic that the service writes by itself. `id` is permanent; cron is the weekly hour of its letter."""

    id: str
    title: str
    title_en: str
    cron: str
    order: int


COLUMNS = (
    Column("superior_spirit", "上级精神", "From above", "30 9 * * mon", 1),
    Column("party_constitution", "党章说", "The Party constitution says", "30 9 * * tue", 2),
    Column("law_corner", "法律小常识", "Law corner", "30 9 * * wed", 3),
    Column("member_focus", "党员聚焦", "Members in focus", "30 9 * * thu", 4),
    Column("current_affairs", "时事热点", "Current affairs", "30 9 * * fri", 5),
)


class ContentError(Exception):
    """A content file cannot be sent. The text names the file and what is wrong."""


@dataclass(frozen=True, slots=True)
class Text:
    """One file of a topic's folder."""

    title: str
    body: str
    ask: str  # one of ASKS


def read(text: str, name: str) -> Text:
    """A content file: `# title`, perhaps a line `ask: ack`, then the letter. Raises ContentError."""
    first, _, rest = text.strip().partition("\n")
    if not first.startswith("# ") or not first[2:].strip():
        raise ContentError(f"{name}: the first line must be `# title`")
    body, ask = rest.strip(), "none"
    if body.startswith("ask:"):
        line, _, body = body.partition("\n")
        ask, body = line[4:].strip(), body.strip()
    if ask not in ASKS:
        raise ContentError(f"{name}: ask must be one of {', '.join(ASKS)}, not {ask[:20]!r}")
    if not body:
        raise ContentError(f"{name}: there is no text under the title")
    return Text(first[2:].strip(), body, ask)


@cache
def texts(topic_id: str, folder: Path = CONTENT) -> tuple[Text, ...]:
    """Every letter of a topic in the order of its file names; empty for a topic without a folder."""
    found = sorted((folder / topic_id).glob("*.md"))
    return tuple(read(path.read_text(encoding="utf-8"), f"{topic_id}/{path.name}") for path in found)


def ensure(session: Session) -> int:
    """Write the topics that are missing; how many. What stands is left as it is: a city may have renamed it."""
    known = {topic.id for topic in letters.topics(session)}
    missing = [column for column in COLUMNS if column.id not in known]
    for column in missing:
        session.add(Topic(id=column.id, title=column.title, title_en=column.title_en, order=column.order))
    session.flush()
    return len(missing)


def origin_of(topic_id: str, day: date) -> str:
    """What makes a letter unique: `topic:law_corner:2026-W25`."""
    year, week, _ = day.isocalendar()
    return f"topic:{topic_id}:{year}-W{week:02}"


def write_letter(
    session: Session, topic_id: str, planned: datetime, now: datetime, zone: ZoneInfo, folder: Path = CONTENT
) -> Letter | None:
    """Make and queue the letter of the week of `planned`: the n-th week takes the n-th file, in a circle.

    None when there is nothing to send, nobody to send it to, or this week's letter stands already.
    """
    available = texts(topic_id, folder)
    root = organizations.root(session)
    day = planned.astimezone(zone).date()
    origin = origin_of(topic_id, day)
    if not available or root is None or root.id is None or letters.by_origin(session, origin) is not None:
        return None
    ensure(session)
    text = available[(day.isocalendar().week - 1) % len(available)]
    letter = Letter(
        topic_id=topic_id,
        organization_id=root.id,
        audience=Audience(root.id).to_json(),
        title=text.title,
        body=text.body,
        ask=text.ask,
        state="approved",
        lane=CITY_LANE,
        origin=origin,
        created_at=now,
        expires_at=planned + FRESH_FOR,
    )
    session.add(letter)
    session.flush()
    outbox.queue_letter(session, letter, now, zone)
    return letter
