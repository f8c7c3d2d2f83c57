"""Access tokens of platforms that sell them by the hour: one row per account, shared by every process."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, Update, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col

from db.engine import is_sqlite


class AccessToken(SQLModel, table=True):
    """The token in force, and who is fetching the next one."""

    __tablename__ = "access_token"
    app_id: str = Field(primary_key=True)
    token: str = ""  # a secret; empty: none was fetched yet
    expires_at: datetime | None = None
    refreshed_at: datetime | None = None
    refused_at: datetime | None = None  # when a refusal last made us fetch a new one
    holder: str = ""  # the process that fetches now
    lease_until: datetime | None = None  # until when the others wait for it


@dataclass(frozen=True, slots=True, repr=False)
class StoredToken:
    """A token with its times. Has no repr: it must not reach a log by accident."""

    token: str
    expires_at: datetime
    refreshed_at: datetime
    refused_at: datetime | None


def stored_token(session: Session, app_id: str) -> StoredToken | None:
    """The token of the account, in force or not; None when none was ever fetched."""
    statement = select(
        col(AccessToken.token),
        col(AccessToken.expires_at),
        col(AccessToken.refreshed_at),
        col(AccessToken.refused_at),
    )
    row = session.execute(statement.where(col(AccessToken.app_id) == app_id)).one_or_none()
    if row is None or not row.token or row.expires_at is None or row.refreshed_at is None:
        return None
    return StoredToken(row.token, row.expires_at, row.refreshed_at, row.refused_at)


def lease(session: Session, app_id: str, *, holder: str, now: datetime, until: datetime) -> bool:
    """Make `holder` the one that fetches the next token; False while another one does."""
    insert = sqlite.insert if is_sqlite(session.connection()) else postgresql.insert
    session.execute(insert(AccessToken).values(app_id=app_id, token="", holder="").on_conflict_do_nothing())
    free = or_(col(AccessToken.holder).in_(("", holder)), col(AccessToken.lease_until) <= now)
    statement = update(AccessToken).where(col(AccessToken.app_id) == app_id, free)
    return _changed(session, statement.values(holder=holder, lease_until=until))


def store_token(session: Session, app_id: str, *, holder: str, token: StoredToken) -> bool:
    """Keep the token that `holder` fetched and end its lease; False when another one has the lease now."""
    statement = _held_by(app_id, holder)
    return _changed(
        session,
        statement.values(
            token=token.token,
            expires_at=token.expires_at,
            refreshed_at=token.refreshed_at,
            refused_at=token.refused_at,
            holder="",
            lease_until=None,
        ),
    )


def end_lease(session: Session, app_id: str, *, holder: str) -> None:
    """Let the others try: `holder` got no token."""
    statement = _held_by(app_id, holder)
    session.execute(statement.values(holder="", lease_until=None))


def _held_by(app_id: str, holder: str) -> Update:
    return update(AccessToken).where(col(AccessToken.app_id) == app_id, col(AccessToken.holder) == holder)


def _changed(session: Session, statement: Update) -> bool:
    result = session.execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
