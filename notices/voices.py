"""In which language somebody is told something: that of the chat which was heard from last."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session

from db import accounts
from notices.wording import Wording, wording


def voices(session: Session, member_ids: Collection[int]) -> dict[int, Wording]:
    """The words for each of these members; Chinese for one who has no chat."""
    languages = accounts.languages(session, member_ids)
    return {member_id: wording(languages.get(member_id, "zh")) for member_id in member_ids}


def voice(session: Session, member_id: int) -> Wording:
    """The words for one member."""
    return voices(session, [member_id])[member_id]
