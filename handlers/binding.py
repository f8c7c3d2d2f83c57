"""Binding a chat to a member by a one-time code, what deep links and scans carry, and unbinding."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from sqlmodel import Session

from db import accounts, audit, members, organizations
from db.accounts import Chat
from handlers.conversation import Button, Command, Context, Reply
from notices import outbox
from notices.channel import Message
from notices.wording import wording

CODE_LASTS = timedelta(minutes=10)
SHEET_LASTS = timedelta(days=30)  # a printed sheet of a branch is handed out at the next meeting
WRONG_MAX = 5  # wrong codes of one chat within WRONG_WITHIN; then it has to wait
WRONG_WITHIN = timedelta(hours=1)


def new_code() -> str:
    """Eight random digits: easy to read out on the telephone, short-lived, and five wrong tries end it."""
    return f"{secrets.randbelow(10**8):08d}"


def hash_of(code: str) -> str:
    """What is stored of a code."""
    return hashlib.sha256(f"bind:{code}".encode()).hexdigest()


def grouped(code: str) -> str:
    """A code as people read it: 4827-1935."""
    return f"{code[:4]}-{code[4:]}"


def invite(session: Session, member_id: int, now: datetime, *, lasts: timedelta = CODE_LASTS) -> str:
    """A new one-time code for the member. Only its hash is stored."""
    code = new_code()
    while accounts.code_exists(session, hash_of(code)):
        code = new_code()
    accounts.add_code(session, hash_of(code), member_id, now, now + lasts)
    return code


def start(ctx: Context) -> Reply:
    """`绑定 CODE`, `/start CODE`, a followed link or a scanned picture with a bind code."""
    if ctx.args == ("ask",):
        return Reply(ctx.say("binding.how_to_ask"), _stranger_steps(ctx), at_home=True)
    token = "".join(ctx.args)
    code = re.sub(r"[-\s－—]", "", token)
    if not code:
        return _greet(ctx)
    return _bind(ctx, code)


def _greet(ctx: Context) -> Reply:
    if ctx.who.member_id is None:
        return Reply(ctx.say("menu.stranger"), _stranger_steps(ctx), at_home=True)
    return Reply(ctx.say("binding.welcome_back", name=ctx.who.name), _first_steps(ctx))


def _stranger_steps(ctx: Context) -> tuple[Button, ...]:
    return Button(ctx.say("menu.about"), "about"), Button(ctx.say("menu.privacy"), "privacy")


def _first_steps(ctx: Context) -> tuple[Button, ...]:
    return tuple(Button(ctx.say(f"menu.{name}"), name) for name in ("check_in", "points", "letters"))


def _bind(ctx: Context, code: str) -> Reply:
    left = _tries_left(ctx)
    if left <= 0:
        return Reply(ctx.say("binding.locked"), (Button(ctx.say("menu.about"), "about"),), at_home=True)
    found = accounts.open_code(ctx.session, hash_of(code), ctx.now)
    if found is None:
        return _wrong(ctx, left - 1)
    member = members.get(ctx.session, found.member_id)
    if member.status != "active":
        return _wrong(ctx, left - 1)
    if ctx.who.member_id is not None and ctx.who.member_id != member.id:
        return Reply(ctx.say("binding.bound_to_other"), (Button(ctx.say("menu.unbind"), "unbind"),))
    assert ctx.who.chat_id is not None
    if not accounts.use_code(ctx.session, found, ctx.who.chat_id, ctx.now):
        return _wrong(ctx, left - 1)  # somebody used it in the same moment
    already = ctx.who.member_id == member.id
    others = [chat for chat in accounts.chats_of(ctx.session, found.member_id) if chat.id != ctx.who.chat_id]
    accounts.bind(ctx.session, ctx.who.chat_id, found.member_id, ctx.now)
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=member.id,
        action="chat.bound",
        subject=f"chat:{ctx.who.chat_id}",
        channel=ctx.who.channel,
    )
    if others and not already:
        _tell_the_others(ctx, found.member_id, others[0].language)
    branch = members.branch_of(ctx.session, found.member_id, ctx.today)
    shown = ctx.called(member.name)
    ctx.who.member_id, ctx.who.name, ctx.who.status = member.id, shown, member.status
    text = ctx.say(
        "binding.done" if branch else "binding.done_without_branch",
        name=shown,
        branch=branch.name if branch else "",
    )
    if others and not already:
        text += "\n" + ctx.say("binding.second_chat", count=len(others) + 1)
    return Reply(f"{text}\n{ctx.say('binding.kept')}", _first_steps(ctx))


def _tell_the_others(ctx: Context, member_id: int, language: str) -> None:
    """A new chat is announced where the member already is, and only there, so that a stolen code is noticed."""
    say = wording(language)
    message = Message(
        say("binding.new_chat", channel=say(f"binding.channel_{ctx.who.channel}")),
        (Button(say("binding.not_me"), f"unbind:other:{ctx.who.chat_id}"),),
    )
    outbox.tell(
        ctx.session,
        member_id=member_id,
        key=f"chat:{ctx.who.chat_id}:bound:{ctx.now:%Y%m%d%H%M%S}",  # the same chat may be bound again later
        message=message,
        now=ctx.now,
        not_to=(ctx.incoming.channel, ctx.incoming.address),
        urgent=True,  # a stolen account does not wait for the morning
    )


def _tries_left(ctx: Context) -> int:
    who = ctx.who
    if who.bind_failed_at is None or ctx.now - who.bind_failed_at >= WRONG_WITHIN:
        return WRONG_MAX
    return WRONG_MAX - who.bind_failures


def _wrong(ctx: Context, left: int) -> Reply:
    """One more wrong try; how many are left is said, and why the code failed is not."""
    fresh = ctx.who.bind_failed_at is None or ctx.now - ctx.who.bind_failed_at >= WRONG_WITHIN
    failures = 1 if fresh else ctx.who.bind_failures + 1
    assert ctx.who.chat_id is not None
    accounts.note_failure(
        ctx.session, ctx.who.chat_id, failures, ctx.now if fresh else ctx.who.bind_failed_at or ctx.now
    )
    if left <= 0:
        return Reply(ctx.say("binding.locked"), (Button(ctx.say("menu.about"), "about"),), at_home=True)
    steps = (
        Button(ctx.say("binding.enter_again"), "start"),
        Button(ctx.say("binding.ask_secretary"), "start:ask"),
    )
    return Reply(ctx.say("binding.wrong", left=left), steps, expect="start", at_home=True)


def unbind(ctx: Context) -> Reply:
    """`解绑`: asks first; a button confirms. `other:CHAT` cuts another chat of the same member ("不是我")."""
    say = ctx.say
    if ctx.arg() == "other":
        return _unbind_other(ctx)
    if ctx.arg() != "yes":
        return Reply(say("binding.unbind_ask"), (Button(say("binding.unbind_yes"), "unbind:yes"),))
    assert ctx.who.chat_id is not None
    accounts.unbind(ctx.session, ctx.who.chat_id)
    _log_unbound(ctx, ctx.who.chat_id)
    ctx.who.member_id = None
    return Reply(say("binding.unbound"), _stranger_steps(ctx), at_home=True)


def _unbind_other(ctx: Context) -> Reply:
    chat_id = ctx.arg_id(1)
    mine = {chat.id: chat for chat in accounts.chats_of(ctx.session, ctx.me)}
    chat: Chat | None = mine.get(chat_id)
    if chat is None or chat.id is None or chat.id == ctx.who.chat_id:
        return Reply(ctx.say("binding.other_gone"))
    accounts.unbind(ctx.session, chat.id)
    _log_unbound(ctx, chat.id)
    return Reply(ctx.say("binding.other_unbound"), (Button(ctx.say("menu.find_secretary"), "find_secretary"),))


def _log_unbound(ctx: Context, chat_id: int) -> None:
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="chat.unbound", subject=f"chat:{chat_id}")


def branch_sheet(session: Session, organization_id: int, now: datetime) -> list[tuple[int, str, str]]:
    """(member id, name, new code) of every member of the branch who has no chat yet."""
    organizations.get(session, organization_id)
    rows: list[tuple[int, str, str]] = []
    for member in members.members_of(session, organization_id, now.date()):
        if member.id is not None and not accounts.chats_of(session, member.id):
            rows.append((member.id, member.name, invite(session, member.id, now, lasts=SHEET_LASTS)))
    return rows


START = Command(
    "start",
    ("绑定", "bind"),
    start,
    slash=("/start", "/bind"),
    strangers=True,
    phrases=("我要绑定", "绑定码", "怎么加入"),
    in_menu=False,
)
UNBIND = Command(
    "unbind",
    ("解绑", "unbind"),
    unbind,
    slash=("/unbind",),
    phrases=("取消绑定", "退出账号", "我要退出"),
    in_menu=False,
)
