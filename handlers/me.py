"""What is stored about a person: to see, to take along, to withdraw; and the language of the chat."""

from __future__ import annotations

from db import accounts, companions, dated_facts, ledger, members, offices
from handlers.conversation import Button, Command, Context, Reply
from notices.wording import wording

OTHER = {"zh": "en", "en": "zh"}


def me(ctx: Context) -> Reply:
    """`我的`: name, branch, chats, language; `export`: everything that is stored, as text."""
    if ctx.arg() == "export":
        return _export(ctx)
    member = members.get(ctx.session, ctx.me)
    chats = accounts.chats_of(ctx.session, ctx.me)
    text = ctx.say(
        "me.card",
        name=member.name if ctx.names_allowed else ctx.say("me.you"),
        branch=ctx.who.branch_name or ctx.say("me.no_branch"),
        chats="、".join(ctx.say(f"binding.channel_{chat.channel}") for chat in chats),
    )
    roles = [ctx.say(f"me.role_{role}", node=node.name) for role, node in ctx.roles()]
    if roles:
        text += "\n" + ctx.say("me.roles", roles="；".join(roles))
    steps = (
        Button(ctx.say("me.export"), "me:export"),
        Button(ctx.say("menu.letters"), "letters"),
        Button(ctx.say("menu.language"), "language"),
        Button(ctx.say("menu.privacy"), "privacy"),
        Button(ctx.say("menu.unbind"), "unbind"),
    )
    return Reply(text, steps)


def _export(ctx: Context) -> Reply:
    member = members.get(ctx.session, ctx.me)
    balance, debt = ledger.purse(ctx.session, ctx.me)
    text = ctx.say(
        "me.exported",
        name=member.name if ctx.names_allowed else ctx.say("me.you"),
        code=member.code,
        admitted=member.admitted_on or "-",
        city=member.city or "-",
        branch=ctx.who.branch_name or "-",
        chats=len(accounts.chats_of(ctx.session, ctx.me)),
        lines=ledger.count_lines(ctx.session, ctx.me),
        balance=balance,
        debt=debt,
    )
    days = dated_facts.days_of_members(ctx.session, ctx.me).get(ctx.me, {})
    kept = "；".join(f"{ctx.say(f'dated.kind_{kind}')} {day}" for kind, day in days.items())
    more = "\n" + ctx.say("me.exported_days", days=kept) if days else ""
    held = [ctx.say(f"offices.{one}") for one in offices.of_member(ctx.session, ctx.me, ctx.today)]
    more += "\n" + ctx.say("me.exported_offices", offices="；".join(held)) if held else ""
    beside = companions.of_members(ctx.session, [ctx.me]).get(ctx.me, {})
    counts = {f"{kind}s": len(beside.get(kind, [])) for kind in companions.KINDS}  # the names are other people's
    more += "\n" + ctx.say("me.exported_companions", **counts) if beside else ""
    return Reply(text + more, (Button(ctx.say("menu.points"), "points"),), back="me")


def privacy(ctx: Context) -> Reply:
    """`隐私`: what is stored, why, how long, and what one can do about it."""
    if ctx.who.member_id is None:
        return Reply(ctx.say("me.privacy"), (Button(ctx.say("menu.about"), "about"),))
    return Reply(
        ctx.say("me.privacy"),
        (Button(ctx.say("me.export"), "me:export"), Button(ctx.say("menu.unbind"), "unbind")),
    )


def language(ctx: Context) -> Reply:
    """Speak the language that was named (`en`, `zh`) in this chat; without a name, the other one."""
    named = ctx.arg() if ctx.arg() in OTHER else ""
    ctx.who.language = named or OTHER.get(ctx.who.language, "zh")
    if ctx.who.chat_id is not None:
        accounts.speak(ctx.session, ctx.who.chat_id, ctx.who.language)
    ctx.say = wording(ctx.who.language)
    return Reply(ctx.say("me.language_now"))


ME = Command(
    "me",
    ("我的", "我", "me"),
    me,
    slash=("/me",),
    phrases=("我的资料", "个人信息", "my data"),
    steps={"导出": "export", "导出我的资料": "export", "导出资料": "export", "export my data": "export"},
    order=140,
)
PRIVACY = Command(
    "privacy",
    ("隐私", "privacy"),
    privacy,
    slash=("/privacy",),
    strangers=True,
    phrases=("隐私说明", "你们保存了什么", "删除我的数据", "谁能看到我的信息"),
    in_menu=False,
)
LANGUAGE = Command(
    "language",
    ("语言", "language"),
    language,
    slash=("/language",),
    strangers=True,
    steps={
        "english": "en",
        "英文": "en",
        "换成英文": "en",
        "说英文": "en",
        "中文": "zh",
        "换成中文": "zh",
        "chinese": "zh",
    },
    in_menu=False,
    acts=True,
)
