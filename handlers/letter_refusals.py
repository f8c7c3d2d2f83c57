"""What is refused while a letter is written: a clear text, a line in the audit log, and nothing is sent."""

from __future__ import annotations

from db import audit, pictures
from db.letters import Letter
from handlers.conversation import Button, Context, Reply
from notices.letter_words import Fault
from notices.letters import key_of

SHOWN_MAX = 60  # characters of what was asked for that the log keeps


def audience(ctx: Context) -> Reply:
    """The same words for an audience that is not one's own and for one that does not exist."""
    asked = ":".join(ctx.args)[:SHOWN_MAX]
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="letter.audience_refused",
        subject=f"member:{ctx.me}",
        asked=asked,
    )
    return Reply(ctx.say("broadcast.not_yours"), (Button(ctx.say("menu.broadcast"), "broadcast"),))


def draft(ctx: Context, letter: Letter) -> None:
    """Note that somebody tried to use a draft that is not theirs or not theirs any more, or is no draft any more.

    Or one that has changed since they saw it.
    """
    _record(ctx, letter, "letter.draft_refused", asked=":".join(ctx.args)[:SHOWN_MAX], state=letter.state)


def elsewhere(ctx: Context) -> None:
    """Note that somebody asked by its number for a letter that is not there or none of their business."""
    numbers = [one for one in ctx.args if one.isdigit()]
    if numbers:
        subject, asked = f"letter:{numbers[0][:12]}", ":".join(ctx.args)[:SHOWN_MAX]
        audit.record(
            ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.access_refused", subject=subject, asked=asked
        )


def content(ctx: Context, letter: Letter, fault: Fault) -> str:
    """What is wrong with the words, for their author."""
    _record(ctx, letter, "letter.content_refused", why=fault.why, length=len(ctx.incoming.text))
    return ctx.say(f"letter_content.{fault.why}", **fault.values)


def picture(ctx: Context, letter: Letter) -> str:
    """Why the letter's picture cannot go out now; empty when it can, or when there is none.

    One that could not be fetched is taken off the letter.
    """
    if letter.picture_id is None:
        return ""
    state = pictures.state(ctx.session, letter.picture_id)
    if state == pictures.READY:
        return ""
    if state == pictures.WAITING:
        return ctx.say("letter_content.picture_waiting")
    _record(ctx, letter, "letter.content_refused", why="picture", reason=state)
    letter.picture_id, letter.content_hash = None, ""
    ctx.session.add(letter)
    ctx.session.flush()
    large = state == "too_large"
    return ctx.say("letter_content.picture_large" if large else "letter_content.picture_failed")


def _record(ctx: Context, letter: Letter, action: str, **detail: object) -> None:
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=key_of(letter), **detail)
