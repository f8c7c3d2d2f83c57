"""Points for a project: any number of them, from as many members as like, until its goal is reached."""

from __future__ import annotations

import re

from db import ledger, rewards
from db.rewards import Reward
from handlers.conversation import Button, Context, Reply
from handlers.meaning import folded
from handlers.reward_list import catalogue, confirm_or_not, is_done, order

_POINTS = re.compile(r"([0-9]{1,6})\s*(?:个?积?分|points?|p)?")


def _needs(reward: Reward, balance: int) -> int:
    """The most that this member can give now."""
    return balance if reward.goal is None else min(balance, reward.goal - reward.raised)


def ask_amount(ctx: Context, reward: Reward, *, first: str = "") -> Reply:
    """How far the project is, and how many points the member wants to give."""
    say, balance = ctx.say, ledger.balance(ctx.session, ctx.me)
    if is_done(reward):
        return catalogue(
            ctx, first=say("rewards.project_is_done", name=reward.name, raised=reward.raised, goal=reward.goal)
        )
    lines = [first] if first else []
    progress = "progress" if reward.goal else "progress_open"
    lines.append(say(f"rewards.{progress}", name=reward.name, raised=reward.raised, goal=reward.goal))
    if balance == 0:
        lines.append(say("rewards.nothing_to_give"))
        return Reply("\n".join(lines), (Button(say("rewards.how_to_earn"), "activities"),), back="rewards")
    lines.append(say("rewards.ask_amount", balance=balance, most=_needs(reward, balance)))
    return Reply("\n".join(lines), expect=f"rewards:give:{reward.id}", back="rewards")


def amount(ctx: Context) -> Reply:
    """The number that was typed (`50`, `50分`): a preview, or what is wrong with it."""
    reward = rewards.offer(ctx.session, ctx.arg_id(1), ctx.who.branch_path)
    if reward is None or reward.kind != "project":
        return catalogue(ctx, first=ctx.say("rewards.unknown"))
    typed = _POINTS.fullmatch(folded(" ".join(ctx.args[2:])))
    points = int(typed[1]) if typed else 0
    most = _needs(reward, ledger.balance(ctx.session, ctx.me))
    if is_done(reward):
        return ask_amount(ctx, reward)
    if points < 1:
        return ask_amount(ctx, reward, first=ctx.say("rewards.not_a_number"))
    if points > most:
        return ask_amount(ctx, reward, first=ctx.say("rewards.too_much", points=points, most=most))
    return _preview(ctx, reward, points)


def _preview(ctx: Context, reward: Reward, points: int) -> Reply:
    say = ctx.say
    text = say(
        "rewards.fund_preview",
        points=points,
        name=reward.name,
        left=ledger.balance(ctx.session, ctx.me) - points,
    )
    return Reply(text, confirm_or_not(ctx, f"rewards:fund:{reward.id}:{points}"), back="rewards")


def fund(ctx: Context) -> Reply:
    """Give what the preview showed, once."""
    asked = order(ctx)
    if asked is None:
        return catalogue(ctx, first=ctx.say("rewards.unknown"))
    outcome = rewards.support(ctx.session, asked)
    reward = rewards.offer(ctx.session, asked.reward_id, ctx.who.branch_path)
    if reward is None or outcome == "unknown":
        return catalogue(ctx, first=ctx.say("rewards.unknown"))
    if outcome == "not_enough":
        return ask_amount(ctx, reward, first=ctx.say("rewards.points_gone"))
    if isinstance(outcome, str):
        return ask_amount(ctx, reward, first=ctx.say("rewards.goal_nearer"))
    given, now_given = outcome
    name = "funded_done" if is_done(reward) else "funded" if reward.goal else "funded_open"
    text = ctx.say(
        f"rewards.{name}" if now_given else "rewards.given_before",
        points=given.points,
        name=reward.name,
        raised=reward.raised,
        goal=reward.goal,
        balance=ledger.balance(ctx.session, ctx.me),
    )
    return Reply(text, (Button(ctx.say("rewards.lines"), "points:lines"),), back="rewards")
