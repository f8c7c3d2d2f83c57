"""Replies that are shared (心得): one letter made of those whose writers have agreed, and out of it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlmodel import Session

from db import letter_replies, letters, members
from db.letter_replies import LetterReply
from db.letters import Letter
from notices import outbox
from notices.carried import Carried, carried, from_json
from notices.channel import Button, Message
from notices.letter_words import TEXT_MAX, TURNING
from notices.letters import TITLE_MAX, key_of, name_of
from notices.voices import voice
from notices.wording import Wording

OPEN = ("draft", "submitted")
_SIGNS = "\\*_[]()#-+"  # what a letter would read as markup
_BRACES = str.maketrans("{}", "｛｝")  # a letter's places, for which there is no other way to be words


def plainly(words: str) -> str:
    """Somebody's words as a letter shows them: no sign in them is markup, and none turns the text."""
    clean = TURNING.sub("", words).translate(_BRACES)
    return "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in clean)


def pseudonym(say: Wording, name: str) -> str:
    """How a writer is named in a letter, which may go abroad: the surname alone."""
    return say("dispatch.pseudonym", first=name[:1])


def gathered(
    session: Session, replies: Sequence[LetterReply], say: Wording, day: date
) -> tuple[str, tuple[int, ...]]:
    """The body of a letter made of these replies, and the ids of those that found room."""
    parts: list[str] = []
    ids: list[int] = []
    for one in replies:
        if one.consent not in ("named", "nameless") or not one.words or one.id is None:
            continue
        branch = members.branch_of(session, one.member_id, day)
        where = plainly(branch.name) if branch else ""
        name = pseudonym(say, members.get(session, one.member_id).name)
        kind = "signed" if one.consent == "named" else "unsigned"
        part = say(f"replies.{kind}", words=plainly(one.words), name=name, branch=where)
        if len("\n\n".join((*parts, part))) > TEXT_MAX:
            break
        parts.append(part)
        ids.append(one.id)
    return "\n\n".join(parts), tuple(ids)


def draft(session: Session, source: Letter, say: Wording, now: datetime, day: date) -> tuple[Letter, int] | None:
    """A draft to the readers of `source`, and how many agreed replies found no room. None: there is none."""
    assert source.id is not None
    found = letter_replies.shared(session, source.id)
    body, ids = gathered(session, found, say, day)
    if not ids or source.author_id is None:
        return None
    letters.drop_drafts(session, source.author_id)
    made = Letter(
        topic_id=source.topic_id,
        author_id=source.author_id,
        organization_id=source.organization_id,
        audience=source.audience,
        title=say("replies.title", name=name_of(source))[:TITLE_MAX],
        body=body,
        ask="none",
        lane=2 if source.lane == 0 else source.lane,
        carries=Carried(shares=ids).to_json(),
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made, len([one for one in found if one.words]) - len(ids)


def taken_out(session: Session, reply: LetterReply, now: datetime, day: date) -> bool:
    """Take a reply out of letters that are not sent yet, and tell their author. False: it has gone out already.

    A letter that was submitted becomes a draft again: what its approver saw is not what it says now.
    """
    source = session.get(Letter, reply.letter_id)
    if source is None or source.author_id is None:
        return True
    for one in letters.with_shares(session, source.author_id):
        of = carried(one)
        if reply.id not in of.shares:
            continue
        kept = [other for other in letter_replies.shared(session, reply.letter_id) if other.id in of.shares]
        say = voice(session, source.author_id)
        body, ids = gathered(session, [other for other in kept if other.id != reply.id], say, day)
        stored = replace(of, shares=ids).to_json()
        void = {"state": "draft", "content_hash": "", "submitted_at": None}
        if not letters.move(session, one, was=OPEN, body=body, carries=stored, **void):
            return False
        see = Button(say("broadcast.look"), f"broadcast:show:{one.id}")
        message = Message(say("reply.taken_out"), (see,))
        key = f"{key_of(one)}:taken_out:{reply.id}:{now.isoformat()}"
        outbox.tell(session, member_id=source.author_id, key=key, message=message, now=now)
    return not any(
        reply.id in from_json(stored or {}).shares for stored in letters.sent_shares(session, source.author_id)
    )
