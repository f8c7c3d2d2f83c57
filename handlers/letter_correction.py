"""Taking a letter back: the prepared correction to those who got it, at once or with words of one's own."""

from __future__ import annotations

from db import audit, letter_corrections, letter_rights, letters
from db.audiences import audience
from db.letter_counts import DIRECT_MAX
from db.letters import MARK, SENDING_ROLES, Letter, Topic
from handlers import letter_reach, letter_refusals
from handlers.broadcast import facts, submit
from handlers.conversation import Button, Command, Context, Reply
from handlers.dates import said_time
from handlers.letter_draft import OPEN, gone, of_mine, reopen
from notices.letter_corrections import CORRECTABLE_FOR, WORDS_MAX, got_by, prepare, send
from notices.letter_words import fault
from notices.letters import letter_message, needs_second_person
from notices.markup import Marked, joined

LOOKED_AT = 5  # of one's last letters


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
    before = letter_corrections.sent(ctx.session, made.corrects or 0)
    lines: list[str | Marked] = [note] if note else []
    if before:
        when = said_time(ctx, before[0].sent_at)
        lines.append(ctx.say("letter_correction.before", when=when, count=before[0].recipients))
    lines += [ctx.say("letter_correction.ready", count=count), Marked(shown.text, shown.marks), "——"]
    waits = made.state == "submitted"
    how = "waits" if waits else "asks" if _asks(ctx, made) else "again" if before else "at_once"
    lines.append(ctx.say(f"letter_correction.{how}", count=count))
    words = joined(lines)
    return Reply(words.text, _steps(ctx, made, how, count, len(before)), marks=words.marks)


def _steps(ctx: Context, made: Letter, how: str, count: int, before: int) -> tuple[Button, ...]:
    verbs = {"asks": "submit", "again": "send_again", "at_once": "send"}
    steps = []
    if how in verbs:
        action = f"letter_correction:send:{made.id}:{count}:{letters.fingerprint(made)[:MARK]}:{before}"
        steps.append(Button(ctx.say(f"letter_correction.{verbs[how]}", count=count), action))
    if made.body:
        steps.append(Button(ctx.say("letter_correction.no_words"), f"letter_correction:bare:{made.id}"))
    more = "other_words" if made.body else "add_words"
    steps.append(Button(ctx.say(f"letter_correction.{more}"), f"letter_correction:words:{made.id}"))
    steps.append(Button(ctx.say("broadcast.progress"), f"report:show:{made.corrects}"))
    return tuple(steps)


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
    return _with(ctx, made, typed)


def _bare(ctx: Context) -> Reply:
    """`letter_correction:bare:ID`: the prepared words alone, which need nobody else."""
    made = _mine(ctx)
    return gone(ctx) if made is None else _with(ctx, made, "")


def _with(ctx: Context, made: Letter, words: str) -> Reply:
    reopen(ctx, made)
    made.body = words
    ctx.session.add(made)
    ctx.session.flush()
    return _preview(ctx, made)


def _send(ctx: Context) -> Reply:
    """`letter_correction:send:ID:COUNT:MARK:BEFORE`: what was shown, unless another one went out since.

    It is for everybody who got the letter: while that still goes out they become more, and nothing waits for it.
    """
    made = _mine(ctx)
    if made is None:
        return gone(ctx)
    if made.state != "draft":  # it waits for its second person
        letter_refusals.draft(ctx, made)
        return _preview(ctx, made)
    ctx.session.get(Letter, made.corrects, with_for_update=True, populate_existing=True)  # one after the other
    before = len(letter_corrections.sent(ctx.session, made.corrects or 0))
    if letters.fingerprint(made)[:MARK] != ctx.arg(3) or before != (ctx.arg_id(4) or 0):
        letter_refusals.draft(ctx, made)
        return _preview(ctx, made, ctx.say("broadcast.has_changed"))
    if _asks(ctx, made):
        return submit(ctx, made) or _preview(ctx, made, ctx.say("broadcast.no_approver"))
    send(ctx.session, made, by=ctx.me, now=ctx.now, zone=ctx.zone)
    said = facts(made) | {"corrects": made.corrects}
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter.corrected", **said)
    progress = Button(ctx.say("broadcast.progress"), f"report:show:{made.id}")
    return Reply(ctx.say("letter_correction.sent", recipients=made.recipients or ctx.arg_id(2) or 0), (progress,))


def _none(ctx: Context) -> Reply:
    return Reply(ctx.say("letter_correction.none"), (Button(ctx.say("menu.receipts"), "receipts"),))


STEPS = {"of": _of, "words": _words, "bare": _bare, "send": _send}
LETTER_CORRECTION = Command(
    "letter_correction",
    ("更正红信", "撤回红信", "发更正", "take back a letter"),
    correction,
    roles=SENDING_ROLES,
    phrases=("红信发错了", "发错了", "a letter was wrong"),
    in_menu=False,
)
