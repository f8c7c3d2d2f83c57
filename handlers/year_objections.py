"""Objections to the stars of a year, for those who answer them."""

from __future__ import annotations

from collections.abc import Callable

from db import audit, organizations, year_close
from handlers.conversation import Button, Context, Reply
from notices.year_notes import tell_answer

ROLES = ("committee_reviewer", "district_org_department")
SHOWN_MAX = 5
WORDS_MIN, WORDS_MAX = 2, 300  # characters


def _reviewed_paths(ctx: Context) -> list[str]:
    return [node.path for role, node in ctx.roles() if role in ROLES]


def _objections(ctx: Context, first: str = "") -> Reply:
    say, buttons = ctx.say, []
    for path in _reviewed_paths(ctx)[:1]:
        for one, branch in year_close.objections(ctx.session, ctx.today.year - 1, path, SHOWN_MAX):
            buttons.append(Button(branch.name, f"year_close:objection:{one.id}"))
    text = say("year_close.objections_wait" if buttons else "year_close.no_objections")
    return Reply(f"{first}\n{text}" if first else text, tuple(buttons), back="year_close")


def _objection(ctx: Context) -> Reply:
    return _answer(ctx, asking=True)


def _answer(ctx: Context, *, asking: bool = False) -> Reply:
    """Show an objection and ask for the answer, or give it. Nobody answers their own."""
    say, one = ctx.say, year_close.objection(ctx.session, ctx.arg_id(1))
    branch = organizations.get(ctx.session, one.organization_id) if one else None
    if one is None or branch is None or not any(branch.path.startswith(path) for path in _reviewed_paths(ctx)):
        return _objections(ctx, say("year_close.not_yours"))
    if one.member_id == ctx.me:
        return _objections(ctx, say("year_close.own_objection"))
    words = "" if asking else " ".join(" ".join(ctx.args[2:]).split())
    if not WORDS_MIN <= len(words) <= WORDS_MAX:
        text = say("year_close.objection", branch=branch.name, words=one.words)
        return Reply(text, expect=f"year_close:answer:{one.id}", back="year_close:objections")
    if one.id is None or not year_close.answer(ctx.session, one.id, words, ctx.me, ctx.now):
        return _objections(ctx, say("year_close.answered_before"))
    subject = f"objection:{one.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="year_objection.answered", subject=subject)
    answered = year_close.objection(ctx.session, one.id)
    if answered is not None:
        tell_answer(ctx.session, answered, ctx.now)
    return _objections(ctx, say("year_close.answer_told"))


STEPS: dict[str, Callable[[Context], Reply]] = {
    "objections": _objections,
    "objection": _objection,
    "answer": _answer,
}
