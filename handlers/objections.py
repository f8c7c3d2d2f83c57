"""A member who is to lose points says what there is to say, within the working days that the rules give."""

from __future__ import annotations

from db import audit, proposals
from db.proposals import Proposal
from handlers.conversation import Command, Context, Picture, Reply
from handlers.recording import told

WORDS_MIN, WORDS_MAX = 4, 300  # characters


def objection(ctx: Context) -> Reply:
    """`objection:ID`: what is proposed, then what the member says against it."""
    one = proposals.by_id(ctx.session, ctx.arg_id(0))
    people = proposals.members_of(ctx.session, one.id) if one is not None and one.id is not None else ()
    if one is None or ctx.me not in {person.id for person in people}:
        return Reply(ctx.say("objection.unknown"))
    words = " ".join(" ".join(ctx.args[1:]).split())
    if not words and ctx.picture_id is None:
        return _shown(ctx, one)
    if sum(letter.isalnum() for letter in words) < WORDS_MIN and ctx.picture_id is None:
        return _shown(ctx, one, ctx.say("objection.short"))
    if len(words) > WORDS_MAX:
        return _shown(ctx, one, ctx.say("objection.long", most=WORDS_MAX))
    words = words or ctx.say("objection.only_picture")
    if not proposals.object_to(
        ctx.session, one, now=ctx.now, today=ctx.today, words=words, picture_id=ctx.picture_id
    ):
        return _shown(ctx, proposals.by_id(ctx.session, one.id) or one)
    audit.record(
        ctx.session, at=ctx.now, actor_id=ctx.me, action="proposal.objected", subject=f"proposal:{one.id}"
    )
    return Reply(ctx.say("objection.noted"))


def _shown(ctx: Context, one: Proposal, problem: str = "") -> Reply:
    lines = [problem] if problem else []
    lines.append(told(ctx, one, proposals.members_of(ctx.session, one.id or 0)))
    open_still = one.state == "proposed" and one.hear_until is not None and one.hear_until >= ctx.today
    picture = None
    if one.picture_id is not None:
        picture = Picture("stored", {"id": one.picture_id}, ctx.say("record_review.picture_alt"))
    if one.objected_at is not None:
        lines.append(ctx.say("objection.said", words=one.objection))
    elif open_still and one.hear_until is not None:
        lines.append(ctx.say("objection.ask", month=one.hear_until.month, day=one.hear_until.day))
        return Reply("\n".join(lines), picture=picture, expect=f"objection:{one.id}")
    elif one.state == "proposed":
        lines.append(ctx.say("objection.late"))
    if one.state != "proposed":
        lines.append(ctx.say(f"record_tree.state_{one.state}"))
    return Reply("\n".join(lines), picture=picture)


OBJECTION = Command("objection", ("说明情况", "my side"), objection, in_menu=False)
