"""`微社群`: a secretary connects the branch's group, calls its members, chooses its topics. All in private."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from db import audit, group_calls, groups, members
from db.group_calls import GroupCall
from db.groups import GroupChat
from handlers import group_above, group_topic_list
from handlers.binding import grouped, new_code
from handlers.conversation import Button, Command, Context, Reply
from handlers.group_own import own_branch, own_group
from handlers.group_talk import CALLS_A_DAY, called_enough, group_hash
from notices import group_posts, quiet
from notices.group_way import TEXT_MAX
from notices.group_words import unfit

CODE_LASTS = timedelta(minutes=30)  # long enough to add the bot to a group for the first time
QUOTED_MAX = 30  # characters of a call on a page
NAMES_MAX = 60
ON_ITS_WAY = ("queued", "claimed", "sending", "retry")


def group(ctx: Context) -> Reply:
    """`微社群`, and its steps by the first argument; who leads no branch sees what the groups below do."""
    if own_branch(ctx) is None or ctx.arg() == "above":
        return group_above.above(ctx)
    return _STEPS.get(ctx.arg(), _page)(ctx)


def _page(ctx: Context, note: str = "") -> Reply:
    """How the branch's group does; without one how to connect it."""
    branch, mine = own_branch(ctx), own_group(ctx)
    assert branch is not None
    if mine is None or mine.id is None:
        text = "\n".join(filter(None, (note, ctx.say("groups.none", branch=branch.name))))
        return Reply(text, (Button(ctx.say("groups.get_code"), "group:code"),), back="work")
    week = groups.week(ctx.session, mine.id, group_posts.monday_of(ctx.today))
    lines = [note, ctx.say("groups.page", branch=branch.name)]
    lines += [group_topic_list.setting(ctx, mine), group_posts.week_said(ctx.say, week, "this_week")]
    steps = [Button(ctx.say("groups.to_call"), "group:call"), Button(ctx.say("groups.to_topic"), "group:topic")]
    if mine.silent:
        lines.append(ctx.say("groups.page_silent"))
        steps.append(Button(ctx.say("groups.to_speak"), "group:speak"))
    if (last := group_calls.last(ctx.session, mine.id)) is not None and last.id is not None:
        said = ctx.say("groups.last_call", text=_quoted(last.text), answers=last.answers)
        lines.append(said + _whereabouts(ctx, last.id))
        steps.append(Button(ctx.say("groups.to_who"), f"group:who:{last.id}"))
        if last.state == "open" and not group_posts.is_over(last, ctx.now):
            steps.append(Button(ctx.say("groups.to_close"), f"group:close:{last.id}"))
    if group_above.scope(ctx) is not None:
        steps.append(Button(ctx.say("groups.to_above"), "group:above"))
    steps.append(Button(ctx.say("groups.to_leave"), "group:leave"))
    return Reply("\n".join(filter(None, lines)), tuple(steps), back="work")


def _whereabouts(ctx: Context, call_id: int) -> str:
    """What to say of a call that is not in the group for certain."""
    state = group_calls.posted(ctx.session, call_id)
    if state in ON_ITS_WAY:
        return ctx.say("groups.call_on_its_way")
    if state in ("sent", ""):
        return ""
    return ctx.say("groups.call_doubtful" if state == "ambiguous" else "groups.call_not_posted")


def _quoted(text: str) -> str:
    return text if len(text) <= QUOTED_MAX else text[:QUOTED_MAX] + "…"


def _code(ctx: Context) -> Reply:
    """A new code for the branch's group; the one before ends."""
    branch = own_branch(ctx)
    if own_group(ctx) is not None or branch is None or branch.id is None:
        return _page(ctx)
    expires_at, code = ctx.now + CODE_LASTS, new_code()
    while not groups.add_code(
        ctx.session, group_hash(code), organization_id=branch.id, member_id=ctx.me, expires_at=expires_at
    ):
        code = new_code()
    minutes = int(CODE_LASTS.total_seconds() // 60)
    return Reply(ctx.say("groups.code", code=grouped(code), minutes=minutes), back="group")


def _call(ctx: Context, note: str = "") -> Reply:
    """Ask what to call for."""
    mine = own_group(ctx)
    if mine is None or mine.id is None:
        return _gone(ctx)
    if called_enough(ctx, mine.id):
        return Reply(ctx.say("groups.call_too_many", count=CALLS_A_DAY), back="group")
    return Reply(note or ctx.say("groups.call_ask", most=TEXT_MAX), expect="group:say", back="group")


def _say(ctx: Context) -> Reply:
    """What was typed, as the group would see it, to be confirmed."""
    mine, text = own_group(ctx), " ".join(ctx.args[1:])
    if mine is None or mine.id is None:
        return _gone(ctx)
    if not text:
        return _call(ctx)
    why = unfit(text, typed=ctx.incoming.text)
    if why is not None:
        return _call(ctx, ctx.say(f"groups.unfit_{why}", most=TEXT_MAX))
    call_id = group_calls.draft(ctx.session, mine.id, ctx.me, text, ctx.now)
    shown = ctx.say("groups.call_preview", text=text)
    if quiet.until(ctx.now, ctx.zone) is not None:
        shown += "\n" + ctx.say("groups.call_quiet")
    steps = (
        Button(ctx.say("groups.send"), f"group:send:{call_id}"),
        Button(ctx.say("groups.rewrite"), "group:call"),
    )
    return Reply(shown, steps, back="group")


def _send(ctx: Context) -> Reply:
    """`group:send:ID`: the preview was confirmed."""
    mine, call = _of_mine(ctx)
    if mine is None or mine.id is None or call is None or call.id is None or call.made_by != ctx.me:
        return _gone(ctx)
    if called_enough(ctx, mine.id):
        return Reply(ctx.say("groups.call_too_many", count=CALLS_A_DAY), back="group")
    sent = group_posts.send_call(ctx.session, mine, call.id, call.text, ctx.me, ctx.now, ctx.today)
    return _page(ctx, ctx.say("groups.call_sent" if sent else "groups.call_sent_before"))


def _who(ctx: Context) -> Reply:
    """`group:who:ID`, `谁应答了`: who has answered, for the secretary alone and never over a channel abroad."""
    mine, call = _of_mine(ctx)
    if mine is None or call is None or call.id is None or call.state == "draft":
        return _gone(ctx)
    people = group_calls.who(ctx.session, call.id)
    values = {"text": _quoted(call.text), "answers": call.answers}
    values["members"] = len(members.members_of(ctx.session, mine.organization_id, ctx.today))
    if not people:
        return Reply(ctx.say("groups.who_nobody", text=_quoted(call.text)), back="group")
    if not ctx.names_allowed:
        return Reply(ctx.say("groups.who_abroad", **values), back="group")
    names = "、".join(name for _, name in people[:NAMES_MAX]) + ("…" if len(people) > NAMES_MAX else "")
    return Reply(ctx.say("groups.who", names=names, **values), back="group")


def _close(ctx: Context) -> Reply:
    """`group:close:ID`: no more answers. It can do no harm, so it is done at once."""
    mine, call = _of_mine(ctx)
    if mine is None or call is None or call.id is None or not group_calls.close(ctx.session, call.id):
        return _gone(ctx)
    _note(ctx, mine, "group.call_closed", call=call.id)
    return _page(ctx, ctx.say("groups.closed", answers=call.answers))


def _speak(ctx: Context) -> Reply:
    """`group:speak`: it may write again, says the secretary; Telegram does not tell. The next post will show."""
    mine = own_group(ctx)
    if mine is not None and mine.id is not None:
        groups.hush(ctx.session, mine.id, None)
    return _page(ctx)


def _leave(ctx: Context) -> Reply:
    """`group:leave` asks, `group:leave:yes` does it."""
    mine = own_group(ctx)
    if mine is None:
        return _gone(ctx)
    if ctx.arg(1) != "yes":
        steps = (Button(ctx.say("groups.leave_yes"), "group:leave:yes"),)
        return Reply(ctx.say("groups.leave_ask"), steps, back="group")
    group_posts.end(ctx.session, mine, "secretary", ctx.now, ctx.zone, by=ctx.me)
    return _page(ctx, ctx.say("groups.left"))


def _of_mine(ctx: Context) -> tuple[GroupChat | None, GroupCall | None]:
    """The own group, and the call of it that the second argument names; without one its last."""
    mine = own_group(ctx)
    if mine is None or mine.id is None:
        return None, None
    if not ctx.arg(1):
        return mine, group_calls.last(ctx.session, mine.id)
    return mine, group_calls.find(ctx.session, ctx.arg_id(1), mine.id)


def _topic(ctx: Context) -> Reply:
    mine = own_group(ctx)
    return _gone(ctx) if mine is None else group_topic_list.topic(ctx, mine)


def _gone(ctx: Context) -> Reply:
    return Reply(ctx.say("groups.gone"), (Button(ctx.say("menu.group"), "group"),))


def _note(ctx: Context, mine: GroupChat, action: str, **detail: object) -> None:
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=f"group:{mine.id}", **detail)


_STEPS: Mapping[str, Callable[[Context], Reply]] = {
    "code": _code,
    "call": _call,
    "say": _say,
    "send": _send,
    "who": _who,
    "close": _close,
    "speak": _speak,
    "leave": _leave,
    "topic": _topic,
}
GROUP = Command(
    "group",
    ("微社群", "群聊", "group"),
    group,
    slash=("/group",),
    roles=frozenset({"secretary", *group_above.ABOVE}),
    phrases=("连接群", "支部的群", "每日话题", "our group"),
    in_menu=False,
    steps={
        "下属微社群": "above",
        "groups below": "above",
        "一呼": "call",
        "call out": "call",
        "谁应答了": "who",
        "who answered": "who",
    },
)
