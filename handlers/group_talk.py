"""What is said to the service in a group: a code, a call, an answer to one. Everything else is for private chat.

Nothing personal goes into the group, and nothing that was said is kept: a message adds one to a number of the day.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta

from db import audit, group_calls, groups, members, organizations
from db.groups import GroupChat
from handlers import meaning
from handlers.binding import hash_of
from handlers.conversation import Context
from notices import group_posts
from notices.group_way import TEXT_MAX
from notices.group_words import unfit
from notices.wording import wording

CODE = re.compile(r"(?<!\d)(\d{4})[-\s－—]?(\d{4})(?!\d)")
CODES_MAX = 3  # of one message
ONLY_CODE = re.compile(rf"(?:/start|/bind|绑定|bind)?\s*{CODE.pattern}", re.IGNORECASE)
CALL = re.compile(r"(?:/call\b|一呼(?!百应))[\s:：,，]*", re.IGNORECASE)
MEANT = re.compile(r"(?:/call\b|一呼[\s:：,，])", re.IGNORECASE)  # and not just a sentence that begins so
HERE = ("1", "到", "来", "我来", "here", "i am coming")
CALLS_A_DAY = 5  # a group that is called all the time comes no more


@dataclass(frozen=True, slots=True)
class Heard:
    """What follows from a message in a group.

    text: said in the group, empty: nothing. toast: shown to whoever pressed, and to nobody else. refers: say that
    personal matters are private, unless that was just said. kept False: it was not for us, and leaves no trace.
    """

    text: str = ""
    toast: str = ""
    refers: bool = False
    kept: bool = True


def hear(ctx: Context) -> Heard:
    """What to do about what happened in the group of `ctx`."""
    incoming = ctx.incoming
    assert incoming.group is not None
    group = groups.at(ctx.session, incoming.channel, incoming.group)
    if group is not None:
        ctx.say = wording(group.language)
    if incoming.kind == "group_moved":
        group_posts.move(ctx.session, incoming.channel, incoming.group, incoming.text, ctx.now)
        return Heard()
    if incoming.kind in ("group_left", "group_silent", "group_joined"):
        return _changed(ctx, group)
    if incoming.kind == "button":
        return _pressed(ctx, group)
    return _said(ctx, group)


def _changed(ctx: Context, group: GroupChat | None) -> Heard:
    """The bot was added, removed, or may not write any more."""
    kind = ctx.incoming.kind
    if group is None or group.id is None:
        new = kind == "group_joined" and ctx.incoming.text == "new"
        return Heard(text=ctx.say("groups.hello")) if new else Heard(kept=False)
    if kind == "group_left":
        group_posts.end(ctx.session, group, "removed", ctx.now, ctx.zone)
    elif kind == "group_silent":
        group_posts.hush(ctx.session, group, ctx.now, ctx.zone)
    else:
        groups.hush(ctx.session, group.id, None)
    return Heard()


def _pressed(ctx: Context, group: GroupChat | None) -> Heard:
    """The button of a call. Whoever presses may send any data, so all of it is looked up again."""
    if ctx.who.member_id is not None:
        ctx.say = wording(ctx.who.language)  # only the presser reads it
    name, _, number = ctx.incoming.text.partition(":")
    if name != group_posts.ANSWER:
        return Heard(toast=ctx.say("telegram.private_only"))
    ctx.args = (number,)
    return Heard(toast=ctx.say(f"groups.toast_{_answer(ctx, group, ctx.arg_id(), ctx.incoming.on)}"))


def _answer(ctx: Context, group: GroupChat | None, call_id: int | None, message_id: str) -> str:
    """Note that the person answers a call: the name of what they are told."""
    call = group_calls.find(ctx.session, call_id, group.id) if group is not None and group.id is not None else None
    if group is None or group.id is None or call is None or call.id is None or call.state == "draft":
        return "over"
    if ctx.who.member_id is None or ctx.who.status != "active":
        return "stranger"
    if ctx.who.branch_id != group.organization_id:
        return "other"
    group_calls.seen_at(ctx.session, call.id, message_id)
    if call.state != "open" or group_posts.is_over(call, ctx.now):
        return "over"
    outcome = group_calls.answer(ctx.session, call.id, ctx.who.member_id, ctx.now)
    if outcome == "new":
        groups.count(ctx.session, group.id, ctx.today, answers=1)
    return outcome


def _said(ctx: Context, group: GroupChat | None) -> Heard:
    text = meaning.clean(ctx.incoming.text)
    if (about_codes := _codes(ctx, group, text)) is not None:
        return about_codes
    called = CALL.match(text)
    if text.startswith("/") and not called and text.split()[0].lower() not in _slash_words():
        return Heard(kept=False)  # another bot's
    if group is None or group.id is None:
        return Heard(refers=True)
    groups.count(ctx.session, group.id, ctx.today, heard=1)
    if called and (MEANT.match(text) or is_secretary(ctx, group.organization_id)):
        return _call(ctx, group, text[called.end() :])
    last = group_calls.last(ctx.session, group.id)
    if meaning.folded(text) in HERE and last is not None:
        _answer(ctx, group, last.id, "")
        return Heard()
    return Heard(refers=not ctx.incoming.on)  # a reply to a topic is no question


def _slash_words() -> set[str]:
    from handlers import COMMANDS

    return {word for command in COMMANDS for word in command.slash}


def _call(ctx: Context, group: GroupChat, text: str) -> Heard:
    """A call that its secretary types in the group: its words stand there already, so nothing is asked."""
    if not is_secretary(ctx, group.organization_id) or ctx.who.member_id is None or group.id is None:
        return Heard(text=ctx.say("groups.call_only_secretary"))
    if not text:
        return Heard(text=ctx.say("groups.call_how"))
    why = unfit(text, typed=ctx.incoming.text)
    if why is not None:
        return Heard(text=ctx.say(f"groups.unfit_{why}", most=TEXT_MAX))
    if called_enough(ctx, group.id):
        return Heard(text=ctx.say("groups.call_too_many", count=CALLS_A_DAY))
    call_id = group_calls.draft(ctx.session, group.id, ctx.who.member_id, text, ctx.now)
    by, thread = ctx.who.member_id, ctx.incoming.thread
    group_posts.send_call(ctx.session, group, call_id, text, by, ctx.now, ctx.today, thread=thread)
    return Heard()


def called_enough(ctx: Context, group_id: int) -> bool:
    """Whether the group was called as often as it may be in a day."""
    return group_calls.opened_since(ctx.session, group_id, ctx.now - timedelta(days=1)) >= CALLS_A_DAY


def is_secretary(ctx: Context, organization_id: int) -> bool:
    """Whether the person who speaks is a secretary of this very branch today."""
    return ctx.who.member_id in groups.secretaries(ctx.session, organization_id, ctx.today)


def group_hash(code: str) -> str:
    """What is stored of a code that binds a group."""
    return hashlib.sha256(f"group:{code}".encode()).hexdigest()


def _codes(ctx: Context, group: GroupChat | None, text: str) -> Heard | None:
    """Codes that everybody in the group has seen are used up by that, whoever wrote them; None: no code in it."""
    heard = [_code(ctx, group, "".join(found)) for found in CODE.findall(text)[:CODES_MAX]]
    void = Heard(text=ctx.say("groups.code_void"))
    return next(filter(None, heard), void if ONLY_CODE.fullmatch(text) else None)


def _code(ctx: Context, group: GroupChat | None, code: str) -> Heard | None:
    """What follows from eight digits; None when they are nobody's, like a telephone number."""
    void = Heard(text=ctx.say("groups.code_void"))
    taken = groups.take_code(ctx.session, group_hash(code), ctx.now)
    if taken is None:
        return void if _burn(ctx, code) else None
    branch_id, member_id = taken
    if ctx.who.member_id == member_id and is_secretary(ctx, branch_id):
        return _connect(ctx, group, branch_id, member_id)
    _note(ctx, "group.code_burned", branch_id)
    key = f"group_code:{ctx.incoming.channel}:{ctx.incoming.key}"
    group_posts.tell_secretaries(ctx.session, branch_id, key, "code_misused", ctx.now, ctx.zone)
    return void


def _connect(ctx: Context, group: GroupChat | None, branch_id: int, member_id: int) -> Heard:
    name = organizations.get(ctx.session, branch_id).name
    if group is not None:
        mine = group.organization_id == branch_id
        return Heard(text=ctx.say("groups.connected_before" if mine else "groups.other_branch", branch=name))
    assert ctx.incoming.group is not None
    bound = groups.bind(
        ctx.session,
        channel=ctx.incoming.channel,
        address=ctx.incoming.group,
        organization_id=branch_id,
        member_id=member_id,
        language=ctx.who.language,
        now=ctx.now,
        monday=group_posts.monday_of(ctx.today),
        thread=ctx.incoming.thread or None,
    )
    if not bound:
        return Heard(text=ctx.say("groups.other_group"))
    _note(ctx, "group.bound", branch_id)
    key = f"group_bound:{ctx.incoming.channel}:{ctx.incoming.key}"
    group_posts.tell_secretaries(ctx.session, branch_id, key, "connected_told", ctx.now, ctx.zone, branch=name)
    return Heard(text=wording(ctx.who.language)("groups.connected", branch=name))


def _burn(ctx: Context, code: str) -> bool:
    """A member's bind code that is shown in a group is void; the branch's secretary gives out another one."""
    member_id = groups.burn_bind_code(ctx.session, hash_of(code), ctx.now)
    branch = members.branch_of(ctx.session, member_id, ctx.today) if member_id is not None else None
    if branch is not None and branch.id is not None:
        _note(ctx, "bind_code.burned", branch.id)
        key = f"bind_code:{ctx.incoming.channel}:{ctx.incoming.key}"
        group_posts.tell_secretaries(ctx.session, branch.id, key, "bind_code_shown", ctx.now, ctx.zone)
    return member_id is not None


def _note(ctx: Context, action: str, branch_id: int) -> None:
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.who.member_id,
        action=action,
        subject=f"organization:{branch_id}",
        channel=ctx.incoming.channel,
    )
