"""The daily topic of a branch's group: when it is posted, and the branch's own list."""

from __future__ import annotations

import re
from datetime import timedelta

from db import audit, group_topics, groups
from db.groups import GroupChat
from handlers.conversation import Button, Context, Reply
from notices import quiet
from notices.group_posts import MINUTES, city_topic
from notices.group_words import TOPIC_MAX, unfit

LINES_MAX, LIST_MAX = 20, 100
_NUMBERING = re.compile(r"^\s*\d{1,2}\s*[.、．)）]\s*")
BACK = "group:topic"


def setting(ctx: Context, mine: GroupChat) -> str:
    """When the topic is posted, in words."""
    if mine.topic_minute is None:
        return ctx.say("groups.topic_off")
    days = ctx.say("groups.every_day" if mine.topic_daily else "groups.workdays")
    return ctx.say("groups.topic_on", days=days, at=quiet.shown(mine.topic_minute))


def topic(ctx: Context, mine: GroupChat) -> Reply:
    """`group:topic`, and with `at`, `days`, `add`, `lines`, `clear` or `stop` behind it."""
    step = ctx.arg(1)
    if step == "at":
        return _at(ctx, mine)
    if step in ("days", "stop"):
        minute = None if step == "stop" else mine.topic_minute
        return _set(ctx, mine, minute, daily=mine.topic_daily != (step == "days"))
    if step in ("add", "lines"):
        return _lines(ctx, mine)
    if step == "clear":
        group_topics.clear(ctx.session, mine.organization_id)
        _note(ctx, mine, "group.topics_cleared")
    return _page(ctx, mine)


def _page(ctx: Context, mine: GroupChat) -> Reply:
    waiting = group_topics.waiting(ctx.session, mine.organization_id)
    following = waiting[0].text if waiting else city_topic(mine.language, ctx.today + timedelta(days=1))
    text = ctx.say("groups.topic_page", setting=setting(ctx, mine), next=following, count=len(waiting))
    steps = [Button(ctx.say("groups.topic_at"), "group:topic:at")]
    if mine.topic_minute is not None:
        days = "groups.topic_days_work" if mine.topic_daily else "groups.topic_days_all"
        steps += [
            Button(ctx.say(days), "group:topic:days"),
            Button(ctx.say("groups.topic_stop"), "group:topic:stop"),
        ]
    steps.append(Button(ctx.say("groups.topic_add"), "group:topic:add"))
    if waiting:
        steps.append(Button(ctx.say("groups.topic_clear"), "group:topic:clear"))
    return Reply(text, tuple(steps), back="group")


def _at(ctx: Context, mine: GroupChat) -> Reply:
    minute = ctx.arg_id(2)
    if minute in MINUTES:
        return _set(ctx, mine, minute, daily=mine.topic_daily)
    steps = tuple(Button(quiet.shown(one), f"group:topic:at:{one}") for one in MINUTES)
    return Reply(ctx.say("groups.topic_time"), steps, back=BACK)


def _set(ctx: Context, mine: GroupChat, minute: int | None, *, daily: bool) -> Reply:
    assert mine.id is not None
    groups.set_topic(ctx.session, mine.id, minute, daily=daily)
    _note(ctx, mine, "group.topic_set", minute=minute, daily=daily)
    ctx.session.refresh(mine)
    return _page(ctx, mine)


def _lines(ctx: Context, mine: GroupChat) -> Reply:
    """`group:topic:lines` with what was typed: a topic on each line; all of them or none."""
    typed = "\n".join(ctx.args[2:])
    lines = [_NUMBERING.sub("", line).strip() for line in typed.splitlines()]
    lines = [line for line in lines if line]
    ask = ctx.say("groups.topic_ask", most=TOPIC_MAX, lines=LINES_MAX)
    if not lines:
        return Reply(ask, expect="group:topic:lines", back=BACK)
    waiting = len(group_topics.waiting(ctx.session, mine.organization_id))
    if len(lines) > LINES_MAX or waiting + len(lines) > LIST_MAX:
        wrong = ctx.say("groups.topic_too_many", lines=LINES_MAX, total=LIST_MAX)
        return Reply(wrong, expect="group:topic:lines", back=BACK)
    for number, line in enumerate(lines, 1):
        why = unfit(line, typed=line, most=TOPIC_MAX)
        if why is not None:
            wrong = ctx.say("groups.topic_unfit", line=number, why=ctx.say(f"groups.unfit_{why}", most=TOPIC_MAX))
            return Reply(wrong, expect="group:topic:lines", back=BACK)
    group_topics.add(ctx.session, mine.organization_id, lines, ctx.me, ctx.now)
    return _page(ctx, mine)


def _note(ctx: Context, mine: GroupChat, action: str, **detail: object) -> None:
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=f"group:{mine.id}", **detail)
