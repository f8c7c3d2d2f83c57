"""The numbered menu of what this person can do, and who can help."""

from __future__ import annotations

from db import members
from handlers import work
from handlers.conversation import Button, Command, Context, Reply

ENTRIES_MAX = 8  # 9 is back: a ninth entry would be 10, a number that people mistype
MORE = "more"
STEP_BACK = ("me", "letters", "wishes")
"""What goes behind 更多 where there is too much for one page, the first of them first."""


def menu(ctx: Context) -> Reply:
    """What this person can do, as numbers 1 to 8; the rest is behind the last of them (`more`)."""
    from handlers import COMMANDS

    say, who = ctx.say, ctx.who
    if who.member_id is None:
        buttons = (Button(say("menu.about"), "about"), Button(say("menu.privacy"), "privacy"))
        return Reply(say("menu.stranger"), buttons, at_home=True)
    mobile = members.get(ctx.session, who.member_id).mobile
    shown = [
        Button(say(f"menu.{command.name}"), command.name)
        for command in sorted(COMMANDS, key=lambda command: command.order)
        if command.in_menu and (mobile or not command.only_mobile)
    ]
    shown[-1:-1] = _duties(ctx)  # before the person's own page, which ends the menu
    if len(shown) > ENTRIES_MAX:
        behind = STEP_BACK[: len(shown) - ENTRIES_MAX + 1]
        if ctx.arg() == MORE:
            return Reply(say("menu.more_head"), tuple(one for one in shown if one.action in behind), back="menu")
        shown = [one for one in shown if one.action not in behind]
        shown.append(Button(say("menu.more"), f"menu:{MORE}"))
    return Reply(say("menu.greeting", name=who.name, branch=who.branch_name), tuple(shown), at_home=True)


def _duties(ctx: Context) -> tuple[Button, ...]:
    """The way to what an office brings: its one conversation, or one button for all of them."""
    steps = work.steps(ctx)
    return steps if len(steps) <= 1 else (Button(ctx.say("menu.work"), "work"),)


def about(ctx: Context) -> Reply:
    """What Hongxin is, in a few lines."""
    return Reply(ctx.say("menu.about_text"), (Button(ctx.say("menu.privacy"), "privacy"),))


def find_secretary(ctx: Context) -> Reply:
    """Who the branch secretary is."""
    branch = ctx.branch()
    name = members.secretary_name(ctx.session, branch, ctx.today) if branch else ""
    if not branch or not name:
        return Reply(ctx.say("menu.no_secretary"))
    return Reply(ctx.say("menu.secretary", name=name, branch=branch.name, place=branch.place))


MENU = Command(
    "menu",
    ("菜单", "帮助", "首页", "menu", "help"),
    menu,
    slash=("/menu", "/help"),
    strangers=True,
    phrases=(
        *("有什么功能", "怎么用", "你能做什么", "我不会用", "不会弄", "看不懂", "what can you do"),
        *("你好", "您好", "在吗", "谢谢", "hello", "thank you"),
    ),
    in_menu=False,
)
ABOUT = Command(
    "about", ("什么是红信", "about"), about, strangers=True, in_menu=False, phrases=("红信是什么", "你是谁")
)
SECRETARY = Command(
    "find_secretary",
    ("找书记", "书记", "secretary"),
    find_secretary,
    phrases=("联系书记", "书记电话", "我要找人", "转人工", "我要投诉", "换手机了", "who is my secretary"),
    in_menu=False,
)
