"""Stopping a letter that is going out: at once, for it can do no harm; the correction is ready with it."""

from __future__ import annotations

from db import addressing, letter_rights, letter_series, letters
from db.letter_counts import DIRECT_MAX
from db.letters import SENDING_ROLES, Letter
from handlers import letter_correction, letter_refusals
from handlers.conversation import Button, Command, Context, Reply
from notices.letter_stops import end_standing, stop
from notices.letters import key_of, name_of

LOOKED_AT = 5  # of one's last letters
BEGUN = ("standing", "stopped", "done")  # states of a letter that repeats, once it was confirmed


def stop_letter(ctx: Context) -> Reply:
    """`停止`: the last letter that is going out, else the standing ones; `stop_letter:ID`: this one.

    Said once more, the word must not stop the correction that was sent in between: that takes its own button.
    """
    if ctx.arg():
        letter = of_mine(ctx, ctx.arg_id())
        if letter is None:
            return _unknown(ctx)
        return _ended(ctx, letter) if letter.repeats is not None else stopped(ctx, letter)
    latest = letters.going_out(ctx.session, ctx.me, LOOKED_AT)
    going = [one for one in latest if one.corrects is None and _may(ctx, one)]
    return stopped(ctx, going[0]) if going else _nothing_goes_out(ctx)


def _nothing_goes_out(ctx: Context) -> Reply:
    """What stands can be ended with the same word; which one is for the person to say: none of it goes out now."""
    standing = letter_series.concerning(ctx.session, ctx.me, LOOKED_AT)
    nothing = ctx.say("receipts.nothing_under_way")
    if not standing:
        return Reply(nothing, (Button(ctx.say("menu.receipts"), "receipts"),))
    steps = (
        Button(ctx.say("letter_series.end_named", name=name_of(one)), f"stop_letter:{one.id}") for one in standing
    )
    return Reply(nothing + ctx.say("letter_series.these_stand"), tuple(steps))


def _ended(ctx: Context, letter: Letter) -> Reply:
    if not end_standing(ctx.session, letter, by=ctx.me, now=ctx.now):
        return Reply(ctx.say("letter_series.not_there"))
    return Reply(ctx.say("letter_series.ended", name=name_of(letter)))


def of_mine(ctx: Context, letter_id: int | None) -> Letter | None:
    """The letter that was sent or stands, if I may stop it; None else, and when there is none."""
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    begun = letter is not None and (letter.sent_at is not None or letter.state in BEGUN)
    return letter if letter is not None and begun and _may(ctx, letter) else None


def _may(ctx: Context, letter: Letter) -> bool:
    """Its author, whoever approved it, and those above."""
    if ctx.me in (letter.author_id, letter.approved_by):
        return True
    return letter_rights.may_watch(ctx.session, letter, ctx.me, ctx.today)


def stopped(ctx: Context, letter: Letter) -> Reply:
    """Stop it, and offer the correction to those whom it had reached."""
    why = "author" if letter.author_id == ctx.me else "above"
    early = addressing.is_open(ctx.session, key_of(letter))
    kept = stop(ctx.session, letter, by=ctx.me, why=why, now=ctx.now)
    progress = Button(ctx.say("broadcast.progress"), f"report:show:{letter.id}")
    if kept is None:
        more = letter_correction.steps_for(ctx, letter)
        return Reply(ctx.say("receipts.nothing_to_stop"), (*more, progress))
    note = ctx.say("receipts.stopped_early" if early else "receipts.stopped_now", count=kept)
    if letter.recipients > DIRECT_MAX:  # the stop counts from this commit on: nothing long before it
        return Reply(note, (*letter_correction.steps_for(ctx, letter), progress))
    return letter_correction.offered(ctx, letter, note) or Reply(note, (progress,))


def _unknown(ctx: Context) -> Reply:
    letter_refusals.elsewhere(ctx)
    return Reply(ctx.say("receipts.not_found"), (Button(ctx.say("menu.receipts"), "receipts"),))


STOP = Command(
    "stop_letter",
    ("停止", "停止发送", "停", "stop"),
    stop_letter,
    roles=SENDING_ROLES | {"committee_reviewer"},
    in_menu=False,
    acts=True,
    instead="letters:topics",  # who sends no letters means that none shall come
)
