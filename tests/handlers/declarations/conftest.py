"""The whole life of a declared value, as secretary, reviewer and district see it."""

from __future__ import annotations

import pytest
from sqlmodel import select

from db.audit import AuditEvent
from notices.declaration_days import keep_the_days
from tests.conftest import ZONE
from tests.handlers.declaring import Story, at


@pytest.fixture
def story(say, look, clock):
    """3 June: the declarations for May are open."""
    clock.now = at(6, 3)
    return Story(say, look, clock)


async def days_pass(look, now):
    """Let the jobs of the calendar do all that is due at `now`."""
    while await look(lambda s: keep_the_days(s, now, ZONE)):
        pass


async def audited(look, action):
    return await look(lambda s: s.execute(select(AuditEvent).where(AuditEvent.action == action)).scalars().all())
