"""Taking a letter back: the prepared correction to those who got it, at once or with words of one's own."""

from __future__ import annotations

from db import audit, letter_rights, letters
from db.audiences import audience
from db.letter_counts import DIRECT_MAX
from db.letters import SENDING_ROLES, Letter, Topic
from handlers import letter_reach, letter_refusals
from handlers.broadcast import facts, submit
from handlers.conversation import Button, Command, Context, Reply
from handlers.letter_draft import OPEN, gone, of_mine, reopen
from notices.letter_corrections import CORRECTABLE_FOR, WORDS_MAX, got_by, prepare, send
from notices.letter_words import fault
from notices.letters import letter_message, needs_second_person
from notices.markup import Marked, joined

LOOKED_AT = 5  # of one's last letters
MARK = 12  # digits of the content's hash that a button carries


def correction(ctx: Context) -> Reply:
    """`更正红信`, or a button: a step of STEPS with a letter's id."""
    step = STEPS.get(ctx.arg())
    if step is not None:
        return step(ctx)
    last = [one for one in letters.by_author(ctx.session, ctx.me, most=LOOKED_AT) if one.corrects is None]
    return (offered(ctx, last[0]) if last else None) or _none(ctx)


def steps_for(ctx: Context, letter: Letter) -> tuple[Button, ...]:
    """The button that leads to the letter's correction; none when I may not correct it or nobody got it."""
    if not _may(ctx, letter):
        return ()
    if letter.recipients > DIRECT_MAX:  # counting them takes longer than a stop may
        return (Button(ctx.say("letter_correction.to_all_who_got"), f"letter_correction:of:{letter.id}"),)
    count = letter_reach.count(ctx, got_by(letter))
    words = ctx.say("letter_correction.to_got", count=count)
    return (Button(words, f"letter_correction:of:{letter.id}"),) if count else ()


def offered(ctx: Context, letter: Letter, note: str = "") -> Reply | None:
    """The prepared correction and the button that sends it; None: nobody got the letter, or it is not mine."""
    if not _may(ctx, letter):
        return None
    made = prepare(ctx.session, letter, ctx.me, ctx.say, ctx.now)
    return None if made is None else _preview(ctx, made, note)


def _may(ctx: Context, letter: Letter) -> bool:
    """Who may write in the name of the letter's node. A correction has no correction."""
    if letter.sent_at is None or letter.corrects is not None or letter.sent_at <= ctx.now - CORRECTABLE_FOR:
        return False
    return letter_rights.may_send_for(ctx.session, letter, ctx.me, ctx.today)


def _of(ctx: Context) -> Reply:
    """`letter_correction:of:ID` of the letter that went out."""
    letter_id = ctx.arg_id(1)
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or not letter_rights.may_send_for(ctx.session, letter, ctx.me, ctx.today):
        letter_refusals.elsewhere(ctx)
    return (offered(ctx, letter) if letter is not None else None) or _none(ctx)


def _mine(ctx: Context) -> Letter | None:
    """The correction in the arguments, as long as it is mine and not sent."""
    made = of_mine(ctx)
    if made is None or (made.state in OPEN and made.corrects is not None):
        return made
    letter_refusals.draft(ctx, made)
    return None


def _asks(ctx: Context, made: Letter) -> bool:
    own = letter_rights.in_own_branch(ctx.session, made, made.author_id, ctx.today)
    return needs_second_person(made, own=own)


def _preview(ctx: Context, made: Letter, note: str = "") -> Reply:
    topic = ctx.session.get(Topic, made.topic_id)
    assert topic is not None
    count = letter_reach.count(ctx, audience(made.audience))
    shown = letter_message(made, topic, ctx.say, ctx.zone)
    asks = _asks(ctx, made)
    lines: list[str | Marked] = [note] if note else []
    lines += [ctx.say("letter_correction.ready", count=count), Marked(shown.text, shown.marks), "——"]
    lines.append(ctx.say("letter_correction.asks" if asks else "letter_correction.at_once", count=count))
    words = joined(lines)
    verb = "letter_correction.submit" if asks else "letter_correction.send"
    mark = letters.fingerprint(made)[:MARK]
    steps = (
        Button(ctx.say(verb, count=count), f"letter_correction:send:{made.id}:{count}:{mark}"),
        Button(ctx.say("letter_correction.add_words"), f"letter_correction:words:{made.id}"),
        Button(ctx.say("broadcast.progress"), f"report:show:{made.corrects}"),
    )
    return Reply(words.text, steps, marks=words.marks)


def _words(ctx: Context) -> Reply:
    """`letter_correction:words:ID` with what was typed: it stands below the prepared words."""
    made = _mine(ctx)
    if made is None:
        return gone(ctx)
    typed = ctx.args[-1].strip() if len(ctx.args) > 2 else ""
    wrong = fault(typed, typed=ctx.incoming.text, most=WORDS_MAX) if typed else None
    if not typed or wrong is not None:
        ask = (
            letter_refusals.content(ctx, made, wrong)
            if wrong
            else ctx.say("letter_correction.write", most=WORDS_MAX)
        )
        expect = f"letter_correction:words:{made.id}"
        return Reply(ask, expect=expect, back=f"letter_correction:of:{made.corrects}")
    reopen(ctx, made)
    made.body = typed
    ctx.session.add(made)
    ctx.session.flush()
    return _preview(ctx, made)


def _send(ctx: Context) -> Reply:
    """`letter_correction:send:ID:COUNT:MARK`: what was shown, to as many as were shown."""
    made = _mine(ctx)
    if made is None:
        return gone(ctx)
    if made.state != "draft":  # it waits for its second person
        letter_refusals.draft(ctx, made)
        return _preview(ctx, made)
    count = letter_reach.count(ctx, audience(made.audience))
    if letters.fingerprint(made)[:MARK] != ctx.arg(3) or count != ctx.arg_id(2):
        letter_refusals.draft(ctx, made)
        return _preview(ctx, made, ctx.say("broadcast.has_changed"))
    if _asks(ctx, made):
        return submit(ctx, made) or _preview(ctx, made, ctx.say("broadcast.no_approver"))
    send(ctx.session, made, by=ctx.me, now=ctx.now, zone=ctx.zone)
    said = facts(made) | {"corrects": made.corrects}
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.corrected", **said)
    progress = Button(ctx.say("broadcast.progress"), f"report:show:{made.id}")
    return Reply(ctx.say("letter_correction.sent", recipients=made.recipients or count), (progress,))


def _none(ctx: Context) -> Reply:
    return Reply(ctx.say("letter_correction.none"), (Button(ctx.say("menu.receipts"), "receipts"),))


STEPS = {"of": _of, "words": _words, "send": _send}
LETTER_CORRECTION = Command(
    "letter_correction",
    ("更正红信", "撤回红信", "发更正", "take back a letter"),
    correction,
    roles=SENDING_ROLES,
    phrases=("红信发错了", "发错了", "a letter was wrong"),
    in_menu=False,
)
