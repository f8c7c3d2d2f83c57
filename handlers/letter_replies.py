"""写回信: what a reader writes back to a letter, once and as often anew as wanted; and whether it may be shared.

Actions: `reply:LETTER`, `reply:text:LETTER` for words or a picture, `reply:picture:LETTER`,
`reply:withdraw:LETTER`, and `reply:share:REPLY:WORD` for the consent that the author's pick asks for.
"""

from __future__ import annotations

from db import audit, letter_replies, letters, members
from db.letter_replies import LetterReply
from db.letters import Letter
from handlers.answer_steps import LOOKED_AT, to_letters
from handlers.conversation import Button, Command, Context, Message, Picture, Reply
from notices.carried import UNDER_WAY, carried
from notices.letters import act, key_of, name_of
from notices.outbox import tell
from notices.shared_replies import pseudonym, taken_out
from notices.voices import voice

WORDS_MAX = 500  # characters
CONSENTS = ("named", "nameless", "refused")


def reply(ctx: Context) -> Reply:
    """`写回信`, or a button of a letter."""
    steps = {"text": _text, "picture": _picture, "withdraw": _withdraw, "share": _share}
    step = steps.get(ctx.arg())
    if step is not None:
        return step(ctx)
    return _open(ctx, ctx.arg_id()) if ctx.args else _last(ctx)


def _last(ctx: Context) -> Reply:
    for letter in letters.received(ctx.session, ctx.me, most=LOOKED_AT):
        if carried(letter).replies and letter.state in UNDER_WAY:
            return _open(ctx, letter.id)
    return Reply(ctx.say("reply.none"), to_letters(ctx))


def _asked(ctx: Context, letter_id: int | None) -> Letter | None:
    """The letter, if it asks for replies and was written to me; who replies has read it."""
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or letter.id is None or not carried(letter).replies or letter.author_id is None:
        return None
    return letter if act(ctx.session, letter.id, ctx.me, "read", ctx.now) else None


def _open(ctx: Context, letter_id: int | None) -> Reply:
    """What was written, or the question for it."""
    letter = _asked(ctx, letter_id)
    if letter is None or letter.id is None:
        return Reply(ctx.say("reply.unknown"), to_letters(ctx))
    mine = letter_replies.of(ctx.session, letter.id, ctx.me)
    if mine is not None and mine.state != "withdrawn":
        return _shown(ctx, letter, mine, "before_picked" if mine.state == "picked" else "before")
    if letter.state not in UNDER_WAY:
        return Reply(ctx.say("reply.over"), to_letters(ctx))
    return _ask(ctx, letter)


def _ask(ctx: Context, letter: Letter) -> Reply:
    text = ctx.say("reply.ask", most=WORDS_MAX)
    return Reply(text, expect=f"reply:text:{letter.id}", back=f"letters:open:{letter.id}")


def _shown(ctx: Context, letter: Letter, mine: LetterReply, name: str) -> Reply:
    words = mine.words or ctx.say("reply.picture_only")
    steps = [Button(ctx.say("reply.withdraw"), f"reply:withdraw:{letter.id}")]
    if mine.state == "sent":
        steps.insert(0, Button(ctx.say("reply.rewrite"), f"reply:text:{letter.id}"))
        steps.insert(1, Button(ctx.say("reply.picture"), f"reply:picture:{letter.id}"))
    picture = None
    if mine.picture_id is not None:
        picture = Picture("stored", {"id": mine.picture_id}, ctx.say("replies.picture_alt"))
    return Reply(ctx.say(f"reply.{name}", words=words), (*steps, *to_letters(ctx)), picture)


def _text(ctx: Context) -> Reply:
    """Words, or a picture, for the author's desk."""
    letter = _asked(ctx, ctx.arg_id(1))
    if letter is None or letter.id is None or letter.state not in UNDER_WAY:
        return _open(ctx, ctx.arg_id(1))
    words = ctx.args[2].strip() if len(ctx.args) > 2 else ""
    if not words and ctx.picture_id is None:
        return _ask(ctx, letter)
    length = max(len(words), len(ctx.incoming.text.strip()) if words else 0)
    if length > WORDS_MAX:
        text = ctx.say("reply.too_long", length=length, most=WORDS_MAX)
        return Reply(text, expect=f"reply:text:{letter.id}", back=f"letters:open:{letter.id}")
    if ctx.picture_id is not None and not words:
        return _with_picture(ctx, letter)
    if not letter_replies.write(ctx.session, letter.id, ctx.me, words=words, at=ctx.now):
        return Reply(ctx.say("reply.cannot"), to_letters(ctx))
    if ctx.picture_id is not None:
        letter_replies.add_picture(ctx.session, letter.id, ctx.me, ctx.picture_id)
    return _noted(ctx, letter, "noted")


def _with_picture(ctx: Context, letter: Letter) -> Reply:
    """A picture by itself: put to the words that stand, or a reply of its own."""
    assert letter.id is not None
    assert ctx.picture_id is not None
    mine = letter_replies.of(ctx.session, letter.id, ctx.me)
    if mine is None or mine.state == "withdrawn":
        letter_replies.write(ctx.session, letter.id, ctx.me, words="", at=ctx.now)
    if not letter_replies.add_picture(ctx.session, letter.id, ctx.me, ctx.picture_id):
        return Reply(ctx.say("reply.cannot"), to_letters(ctx))
    return _noted(ctx, letter, "picture_noted")


def _noted(ctx: Context, letter: Letter, name: str) -> Reply:
    """Tell the author, once a day, that something is there; no name, for nobody knows the way yet."""
    assert letter.author_id is not None
    assert letter.id is not None
    say = voice(ctx.session, letter.author_id)
    see = Button(say("reply.look"), f"replies:list:{letter.id}")
    message = Message(say("reply.told", name=name_of(letter)), (see,))
    key = f"{key_of(letter)}:replies:{ctx.today.isoformat()}"
    tell(ctx.session, member_id=letter.author_id, key=key, message=message, now=ctx.now)
    mine = letter_replies.of(ctx.session, letter.id, ctx.me)
    assert mine is not None
    return _shown(ctx, letter, mine, name)


def _picture(ctx: Context) -> Reply:
    """`reply:picture:LETTER`: wait for a picture."""
    letter = _asked(ctx, ctx.arg_id(1))
    if letter is None or letter.state not in UNDER_WAY:
        return _open(ctx, ctx.arg_id(1))
    if ctx.picture_id is not None:
        return _with_picture(ctx, letter)
    return Reply(ctx.say("reply.send_picture"), expect=f"reply:picture:{letter.id}", back=f"reply:{letter.id}")


def _withdraw(ctx: Context) -> Reply:
    """`reply:withdraw:LETTER`: nobody sees it any more; out of a letter that is not sent yet, too."""
    letter = _asked(ctx, ctx.arg_id(1))
    if letter is None or letter.id is None:
        return Reply(ctx.say("reply.unknown"), to_letters(ctx))
    mine = letter_replies.of(ctx.session, letter.id, ctx.me)
    if mine is None or mine.state == "withdrawn":
        return Reply(ctx.say("reply.withdrawn"), to_letters(ctx))
    out = taken_out(ctx.session, mine, ctx.now, ctx.today)
    letter_replies.withdraw(ctx.session, letter.id, ctx.me)
    return Reply(ctx.say("reply.withdrawn" if out else "reply.went_out"), to_letters(ctx))


def _share(ctx: Context) -> Reply:
    """`reply:share:REPLY:WORD`: what the writer says to sharing, at any time anew."""
    one, word = letter_replies.by_id(ctx.session, ctx.arg_id(1)), ctx.arg(2)
    if one is None or one.id is None or one.member_id != ctx.me or one.state != "picked" or word not in CONSENTS:
        return Reply(ctx.say("reply.unknown"), to_letters(ctx))
    out = True
    if word != one.consent and one.consent in ("named", "nameless"):
        out = taken_out(ctx.session, one, ctx.now, ctx.today)
    if not letter_replies.consent(ctx.session, one.id, ctx.me, word):
        return Reply(ctx.say("reply.unknown"), to_letters(ctx))
    subject = f"reply:{one.id}"
    audit.record(
        ctx.session, at=ctx.now, actor_id=ctx.me, action="letter_reply.consent", subject=subject, word=word
    )
    if not out:
        return Reply(ctx.say("reply.went_out"), to_letters(ctx))
    name = pseudonym(ctx.say, members.get(ctx.session, ctx.me).name)
    return Reply(ctx.say(f"reply.shared_{word}", name=name), consent_steps(ctx, one.id, but=word))


def consent_steps(ctx: Context, reply_id: int, *, but: str = "") -> tuple[Button, ...]:
    """The answers to whether a reply may be shared."""
    name = pseudonym(ctx.say, members.get(ctx.session, ctx.me).name)
    labels = {
        "named": ctx.say("reply.yes_named", name=name),
        "nameless": ctx.say("reply.yes_nameless"),
        "refused": ctx.say("reply.no_share"),
    }
    return tuple(Button(label, f"reply:share:{reply_id}:{word}") for word, label in labels.items() if word != but)


REPLY = Command(
    "reply",
    ("写回信", "回信", "write back"),
    reply,
    phrases=("我要回信", "给红信回信", "写心得", "reply to the letter"),
    in_menu=False,
)
