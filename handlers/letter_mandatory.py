"""A letter that nobody can leave: only few of them a month."""

from __future__ import annotations

from db.letters import Letter, Topic
from handlers.conversation import Context
from handlers.dates import said_time
from notices import mandatory


def too_many(ctx: Context, letter: Letter) -> str | None:
    """Why this letter cannot go out now, in the author's words; None when nothing speaks against it."""
    topic = ctx.session.get(Topic, letter.topic_id)
    if topic is None or not topic.mandatory:
        return None
    again = mandatory.next_from(ctx.session, letter.organization_id, ctx.now)
    if again is None:
        return None
    rule = mandatory.limit()
    return ctx.say("broadcast.mandatory_rare", most=rule.most, days=rule.days, again=said_time(ctx, again))
