"""Reviewing wishes: publish, send back with a reason, and confirm where the wisher has not answered for a week.

For secretaries and the committee's reviewers, each within the subtree of the role. Nobody reviews an own wish,
and nobody confirms what they did themselves. What was decided is in the audit log.
"""

from __future__ import annotations

from collections.abc import Callable

from db import audit, members, organizations, wish_claims, wishes
from db.wish_claims import ANSWER_WITHIN, Claimed
from db.wishes import Wish
from handlers import wish_answers
from handlers.conversation import Button, Command, Context, Reply
from handlers.dates import said_day
from handlers.wish_making import told
from notices import wish_notes

ROLES = frozenset(wish_notes.REVIEWERS)
SHOWN_MAX = 5
REASON_MIN, REASON_MAX = 2, 100  # characters


def review(ctx: Context) -> Reply:
    """`心愿审核`: what waits for this reviewer; with arguments, one step."""
    steps: dict[str, Callable[[Context], Reply]] = {
        "see": _see,
        "publish": _publish,
        "reject": _ask_reason,
        "because": _reject,
        "report": _report,
        "confirm": _confirm,
    }
    if not ctx.arg():
        return _waiting(ctx)
    step = steps.get(ctx.arg())
    return step(ctx) if step else _waiting(ctx, first=ctx.say("wish_review.unknown"))


def _paths(ctx: Context) -> list[str]:
    return [node.path for role, node in ctx.roles() if role in ROLES]


def _waiting(ctx: Context, *, first: str = "") -> Reply:
    """Wishes to review and reports that nobody answered, the oldest first."""
    say, paths = ctx.say, _paths(ctx)
    new = wishes.to_review(ctx.session, paths, ctx.me, most=SHOWN_MAX)
    room = SHOWN_MAX - len(new)
    late = wishes.to_confirm(ctx.session, paths, ctx.me, ctx.now - ANSWER_WITHIN, most=room) if room else ()
    buttons = [Button(told(ctx, wish), f"wish_review:see:{wish.id}") for wish in new]
    buttons += [
        Button(say("wish_review.late", title=wish.title), f"wish_review:see:{wish.id}") for wish, _ in late
    ]
    lines = [first] if first else []
    lines.append(say("wish_review.waiting" if buttons else "wish_review.nothing"))
    return Reply("\n".join(lines), tuple(buttons))


def _asked(ctx: Context) -> Wish | None:
    """The wish that the argument names, if this reviewer may see it."""
    wish = wishes.by_id(ctx.session, ctx.arg_id(1))
    if wish is None or wish.state in ("draft", "withdrawn"):
        return None
    path = organizations.get(ctx.session, wish.organization_id).path
    return wish if any(path.startswith(one) for one in _paths(ctx)) else None


def _name(ctx: Context, member_id: int) -> str:
    return members.get(ctx.session, member_id).name if ctx.names_allowed else ctx.say("wish_review.no_name")


def _see(ctx: Context) -> Reply:
    wish = _asked(ctx)
    return _shown(ctx, wish) if wish else _waiting(ctx, first=ctx.say("wish_review.unknown"))


def _shown(ctx: Context, wish: Wish, *, first: str = "") -> Reply:
    """One wish as a reviewer sees it: whose it is, how it stands, and what can be decided."""
    assert wish.id is not None
    say, mine = ctx.say, wish.wisher_id == ctx.me
    claim = wish_claims.alive_on(ctx.session, wish.id)
    lines = [first] if first else []
    lines.append(
        say(
            f"wish_review.is_{wish.state}",
            wish=told(ctx, wish),
            wisher=_name(ctx, wish.wisher_id),
            claimer=_name(ctx, claim.member_id) if claim else "",
            day=said_day(ctx, wish.created_at),
            reviewer=_name(ctx, wish.reviewed_by) if wish.reviewed_by else "",
            why=wish.review_note,
        )
    )
    buttons: list[Button] = []
    if mine:
        lines.append(say("wish_review.own"))
    elif wish.state == "submitted":
        buttons.append(Button(say("wish_review.publish"), f"wish_review:publish:{wish.id}"))
        buttons.append(Button(say("wish_review.reject"), f"wish_review:reject:{wish.id}"))
    elif wish.state == "delivered" and claim is not None:
        buttons.append(Button(say("wish_review.see_report"), f"wish_review:report:{wish.id}"))
        if _may_confirm(ctx, Claimed(claim, wish)):
            buttons.append(Button(say("wish_review.confirm"), f"wish_review:confirm:{wish.id}"))
    return Reply("\n".join(lines), tuple(buttons), back="wish_review")


def _may_confirm(ctx: Context, claimed: Claimed) -> bool:
    """A week without an answer of the wisher, and the reviewer is neither of the two."""
    claim, wish = claimed
    late = claim.delivered_at is not None and claim.delivered_at <= ctx.now - ANSWER_WITHIN
    return claim.state == "delivered" and late and ctx.me not in (wish.wisher_id, claim.member_id)


def _publish(ctx: Context) -> Reply:
    wish = _asked(ctx)
    if wish is None or wish.id is None:
        return _waiting(ctx, first=ctx.say("wish_review.unknown"))
    if not wishes.publish(ctx.session, wish.id, ctx.me, ctx.now):
        return _shown(ctx, wishes.by_id(ctx.session, wish.id) or wish)
    _log(ctx, wish, "wish.published")
    wish_notes.published(ctx.session, wish, ctx.now)
    return _waiting(ctx, first=ctx.say("wish_review.published", title=wish.title))


def _ask_reason(ctx: Context) -> Reply:
    wish = _asked(ctx)
    if wish is None:
        return _waiting(ctx, first=ctx.say("wish_review.unknown"))
    if wish.state != "submitted" or wish.wisher_id == ctx.me:
        return _shown(ctx, wish)
    return _asking(ctx, wish)


def _asking(ctx: Context, wish: Wish, first: str = "") -> Reply:
    asked = ctx.say("wish_review.ask_reason", title=wish.title)
    text = f"{first}\n{asked}" if first else asked
    return Reply(text, expect=f"wish_review:because:{wish.id}", back=f"wish_review:see:{wish.id}")


def _reject(ctx: Context) -> Reply:
    wish = _asked(ctx)
    if wish is None or wish.id is None:
        return _waiting(ctx, first=ctx.say("wish_review.unknown"))
    why = " ".join(" ".join(ctx.args[2:]).split())
    if wish.state == "submitted" and wish.wisher_id != ctx.me:
        if sum(letter.isalnum() for letter in why) < REASON_MIN:
            return _asking(ctx, wish, ctx.say("wish_review.reason_short"))
        if len(why) > REASON_MAX:
            return _asking(ctx, wish, ctx.say("wish_review.reason_long", most=REASON_MAX))
    if not wishes.reject(ctx.session, wish.id, ctx.me, ctx.now, why):
        return _shown(ctx, wishes.by_id(ctx.session, wish.id) or wish)
    _log(ctx, wish, "wish.rejected", why=why)
    wish_notes.rejected(ctx.session, wish, ctx.now, why)
    return _waiting(ctx, first=ctx.say("wish_review.rejected", title=wish.title))


def _alive(ctx: Context, wish: Wish | None) -> Claimed | None:
    claim = wish_claims.alive_on(ctx.session, wish.id) if wish is not None and wish.id is not None else None
    return Claimed(claim, wish) if claim is not None and wish is not None else None


def _report(ctx: Context) -> Reply:
    wish = _asked(ctx)
    claimed = _alive(ctx, wish)
    if wish is None or claimed is None or claimed.claim.state != "delivered":
        return _see(ctx)
    shown = wish_answers.report(ctx, claimed)
    confirm = Button(ctx.say("wish_review.confirm"), f"wish_review:confirm:{wish.id}")
    buttons = (confirm,) if _may_confirm(ctx, claimed) else ()
    return Reply(shown.text, buttons, shown.picture, back=f"wish_review:see:{wish.id}")


def _confirm(ctx: Context) -> Reply:
    wish = _asked(ctx)
    if wish is None:
        return _waiting(ctx, first=ctx.say("wish_review.unknown"))
    claimed = _alive(ctx, wish)
    if claimed is None or not _may_confirm(ctx, claimed):
        early = wish.state == "delivered"
        return _shown(ctx, wish, first=ctx.say("wish_review.not_yours", days=ANSWER_WITHIN.days) if early else "")
    if not wish_answers.settle(ctx, claimed):
        return _shown(ctx, wishes.by_id(ctx.session, wish.id) or wish)
    _log(ctx, wish, "wish.confirmed", claimer=claimed.claim.member_id)
    return _waiting(ctx, first=ctx.say("wish_review.confirmed", title=wish.title))


def _log(ctx: Context, wish: Wish, action: str, **detail: object) -> None:
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=f"wish:{wish.id}", **detail)


WISH_REVIEW = Command(
    "wish_review",
    ("心愿审核", "审核心愿", "wish review"),
    review,
    slash=("/wishreview",),
    roles=ROLES,
    phrases=("审核微心愿", "有心愿要审核吗"),
    in_menu=False,
    order=130,
)
