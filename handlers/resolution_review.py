"""The committee on a branch's resolution: confirm it, and the member's index counts so from now on; or refuse."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from db import audit, organizations, resolutions
from db.resolutions import Resolution
from handlers.conversation import Button, Context, Picture, Reply
from handlers.proposal_review import reason_in
from handlers.resolutions import CONFIRM, told
from notices import record_notes


def _asked(ctx: Context) -> Resolution | None:
    one = resolutions.by_id(ctx.session, ctx.arg_id(1))
    if one is None:
        return None
    path = organizations.get(ctx.session, one.organization_id).path
    may = any(role in CONFIRM and path.startswith(node.path) for role, node in ctx.roles())
    return one if may else None


def _see(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    return _shown(ctx, one) if one is not None else ctx.say("record_review.unknown")


def _shown(ctx: Context, one: Resolution, first: str = "") -> Reply:
    lines = [first] if first else []
    lines.append(told(ctx, one))
    lines.append(ctx.say(f"record_tree.state_{one.state}"))
    buttons: tuple[Button, ...] = ()
    if one.state == "proposed" and ctx.me not in (one.proposed_by, one.member_id):
        buttons = (
            Button(ctx.say("record_review.confirm"), f"record_review:resolution_yes:{one.id}"),
            Button(ctx.say("record_review.refuse"), f"record_review:resolution_no:{one.id}"),
        )
    picture = None
    if one.picture_id is not None:
        picture = Picture("stored", {"id": one.picture_id}, ctx.say("record_review.picture_alt"))
    return Reply("\n".join(lines), buttons, picture, back="record_review")


def _confirm(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    if one is None:
        return ctx.say("record_review.unknown")
    if not resolutions.confirm(ctx.session, one, by=ctx.me, now=ctx.now):
        return _shown(ctx, resolutions.by_id(ctx.session, one.id) or one, ctx.say("record_review.not_now"))
    _log(ctx, one, "mode.confirmed")
    key, steps = f"resolution:{one.id}:confirmed", [("recording.index", "index")]
    record_notes.tell(ctx.session, [one.member_id], f"mode_{one.mode}", key, ctx.now, steps)
    return ctx.say("resolution.confirmed")


def _refuse(ctx: Context) -> Reply | str:
    one = _asked(ctx)
    if one is None:
        return ctx.say("record_review.unknown")
    ask, see = ctx.say("record_review.ask_refuse"), f"record_review:resolution:{one.id}"
    why, question = reason_in(ctx, 2, ask, f"record_review:resolution_no:{one.id}", see)
    if question:
        return question
    if not resolutions.refuse(ctx.session, one, by=ctx.me, now=ctx.now, why=why):
        return _shown(ctx, resolutions.by_id(ctx.session, one.id) or one, ctx.say("record_review.not_now"))
    _log(ctx, one, "mode.refused", why=why)
    key, steps = f"resolution:{one.id}:refused", [("menu.resolutions", "resolutions")]
    record_notes.tell(ctx.session, [one.proposed_by], "resolution_refused", key, ctx.now, steps, why=why)
    return ctx.say("record_review.refused")


def _log(ctx: Context, one: Resolution, action: str, **more: object) -> None:
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=action,
        subject=f"resolution:{one.id}",
        member=one.member_id,
        mode=one.mode,
        **more,
    )


STEPS: Mapping[str, Callable[[Context], Reply | str]] = {
    "resolution": _see,
    "resolution_yes": _confirm,
    "resolution_no": _refuse,
}
