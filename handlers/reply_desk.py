"""回信箱, the author's desk: what came back to a letter, what is picked to be shared, and a letter made of it."""

from __future__ import annotations

from db import audit, letter_replies, letters, members
from db.audiences import audience
from db.letter_replies import LetterReply
from db.letters import SENDING_ROLES, Letter
from handlers.conversation import Button, Command, Context, Message, Picture, Reply
from handlers.letter_audience import name_for
from handlers.letter_preview import preview
from notices import shared_replies
from notices.carried import carried
from notices.letters import key_of, name_of
from notices.outbox import tell
from notices.voices import voice

SHOWN = 6  # letters, or replies, in one list
SHORT = 14  # characters of a reply in a list


def desk(ctx: Context) -> Reply:
    """`回信箱`, or a button: a step of STEPS."""
    step = STEPS.get(ctx.arg())
    return step(ctx) if step else _home(ctx)


def _home(ctx: Context) -> Reply:
    found = [one for one in letters.by_author(ctx.session, ctx.me, most=50) if carried(one).replies][:SHOWN]
    if not found:
        return Reply(ctx.say("replies.none"))
    steps = []
    for letter in found:
        count = letter_replies.count(ctx.session, letter.id or 0)[0]
        steps.append(
            Button(ctx.say("replies.listed", name=name_of(letter), count=count), f"replies:list:{letter.id}")
        )
    return Reply(ctx.say("replies.which"), tuple(steps))


def _letter(ctx: Context, letter_id: int | None) -> Letter | None:
    """The letter, if I have sent it and it asks for replies."""
    letter = ctx.session.get(Letter, letter_id) if letter_id is not None else None
    if letter is None or letter.author_id != ctx.me or letter.sent_at is None or not carried(letter).replies:
        return None
    return letter


def _unknown(ctx: Context) -> Reply:
    """The same words for what is somebody else's and for what does not exist."""
    return Reply(ctx.say("replies.unknown"), (Button(ctx.say("menu.replies"), "replies"),))


def _list(ctx: Context) -> Reply:
    """`replies:list:LETTER:FROM`: the replies, each on a button."""
    letter = _letter(ctx, ctx.arg_id(1))
    if letter is None or letter.id is None:
        return _unknown(ctx)
    first = ctx.arg_id(2) or 0
    count, picked, agreed = letter_replies.count(ctx.session, letter.id)
    found = letter_replies.listed(ctx.session, letter.id, most=SHOWN + 1, offset=first)
    people = members.by_ids(ctx.session, [one.member_id for one in found])
    steps = []
    for one in found[:SHOWN]:
        words = " ".join(one.words.split()) or ctx.say("reply.picture_only")
        short = words if len(words) <= SHORT else words[: SHORT - 1] + "…"
        label = ctx.say("replies.short", name=ctx.called(people[one.member_id].name), words=short)
        steps.append(Button(label, f"replies:show:{one.id}"))
    if len(found) > SHOWN:
        steps.append(Button(ctx.say("replies.more"), f"replies:list:{letter.id}:{first + SHOWN}"))
    if agreed:
        steps.append(Button(ctx.say("replies.gather"), f"replies:gather:{letter.id}"))
    text = ctx.say("replies.head", name=name_of(letter), count=count, picked=picked, agreed=agreed)
    return Reply(text, tuple(steps), back="replies")


def _asked(ctx: Context) -> tuple[LetterReply, Letter] | None:
    """The reply in the arguments with its letter, if that is mine; a withdrawn one is nobody's."""
    one = letter_replies.by_id(ctx.session, ctx.arg_id(1))
    letter = _letter(ctx, one.letter_id) if one is not None and one.state != "withdrawn" else None
    return (one, letter) if one is not None and letter is not None else None


def _show(ctx: Context, *, note: str = "") -> Reply:
    found = _asked(ctx)
    if found is None:
        return _unknown(ctx)
    one, letter = found
    branch = members.branch_of(ctx.session, one.member_id, ctx.today)
    words = one.words or ctx.say("reply.picture_only")
    who = ctx.called(members.get(ctx.session, one.member_id).name)
    lines = [note] if note else []
    lines.append(ctx.say("replies.one", name=who, branch=branch.name if branch else "-", words=words))
    steps = []
    if one.state == "picked":
        lines.append(ctx.say(f"replies.is_{one.consent}"))
    elif one.words:
        steps.append(Button(ctx.say("replies.pick"), f"replies:pick:{one.id}"))
    picture = None
    if one.picture_id is not None:
        picture = Picture("stored", {"id": one.picture_id}, ctx.say("replies.picture_alt"))
    return Reply("\n".join(lines), tuple(steps), picture, back=f"replies:list:{letter.id}")


def _pick(ctx: Context) -> Reply:
    """`replies:pick:REPLY`: the writer is asked whether it may be shared; until then nobody else sees it."""
    found = _asked(ctx)
    if found is None:
        return _unknown(ctx)
    one, letter = found
    assert one.id is not None
    if not letter_replies.pick(ctx.session, one.id, ctx.now):
        return _show(ctx, note=ctx.say("replies.not_now"))
    subject = f"reply:{one.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="letter_reply.picked", subject=subject)
    say = voice(ctx.session, one.member_id)
    name = shared_replies.pseudonym(say, members.get(ctx.session, one.member_id).name)
    steps = (
        Button(say("reply.yes_named", name=name), f"reply:share:{one.id}:named"),
        Button(say("reply.yes_nameless"), f"reply:share:{one.id}:nameless"),
        Button(say("reply.no_share"), f"reply:share:{one.id}:refused"),
    )
    message = Message(say("reply.please_share", name=name_of(letter), words=one.words), steps)
    key = f"{key_of(letter)}:share:{one.id}"
    tell(ctx.session, member_id=one.member_id, key=key, message=message, now=ctx.now)
    return _show(ctx, note=ctx.say("replies.picked"))


def _gather(ctx: Context) -> Reply:
    """`replies:gather:LETTER`: a draft of what may be shared, to the same readers; it goes every letter's way."""
    letter = _letter(ctx, ctx.arg_id(1))
    if letter is None or name_for(ctx, audience(letter.audience)) is None:
        return _unknown(ctx)
    made = shared_replies.draft(ctx.session, letter, ctx.say, ctx.now, ctx.today)
    if made is None:
        return Reply(ctx.say("replies.nothing"), back=f"replies:list:{letter.id}")
    draft, left = made
    count = len(carried(draft).shares)
    name = "gathered_some" if left else "gathered"
    return preview(ctx, draft, note=ctx.say(f"replies.{name}", count=count, left=left))


STEPS = {"list": _list, "show": _show, "pick": _pick, "gather": _gather}
REPLIES = Command(
    "replies",
    ("回信箱", "replies"),
    desk,
    roles=SENDING_ROLES,
    phrases=("看回信", "谁回信了", "心得选登", "read the replies"),
    in_menu=False,  # whoever gets a reply is told, with a button
)
