"""Micro-wishes: what waits for somebody, and claiming it. The way in for every step of a wish.

Who learns what: a published wish shows title, area and about how much it costs, never whose it is. The claimer
gets the name of the branch's secretary (or the committee's reviewer), who knows the wisher and brings the two
together; the wisher sees the claimer's name and nothing more, because somebody is going to come. Reviewers of
the branch see both. On a channel abroad nobody sees a name.

Making a wish is in `handlers/wish_making.py`, what a claimer does in `handlers/wish_helping.py`, what the wisher
answers in `handlers/wish_answers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from db import organizations, wish_claims, wishes
from db.wish_claims import CONTACT_WITHIN, DONE_WITHIN, LIVE_MAX, Claimed
from db.wishes import Wish
from handlers import wish_answers, wish_helping, wish_making
from handlers.conversation import Button, Command, Context, Reply
from handlers.dates import said_day
from notices import wish_notes
from scoring.standing import pay

PAGE = 4  # wishes in one message: with the other steps there is still a number below nine for each

Step = Callable[[Context], Reply]


def wish(ctx: Context) -> Reply:
    """`心愿`: wishes that wait for somebody; with arguments, one step of the conversation."""
    if not ctx.arg():
        return listed(ctx)
    step = STEPS.get(ctx.arg())
    if step is not None:
        return step(ctx)
    place = ctx.arg_id()
    found = _page(ctx, 1) if place else ()
    if place and place <= len(found):
        return _shown(ctx, found[place - 1])
    return listed(ctx, first=ctx.say("wishes.unknown"))


def _page(ctx: Context, page: int) -> Sequence[Wish]:
    """One page of wishes, and the first one of the next."""
    return wishes.published(
        ctx.session,
        branch_id=ctx.branch_id,
        branch_path=ctx.who.branch_path,
        but=ctx.me,
        most=PAGE + 1,
        offset=(page - 1) * PAGE,
    )


def listed(ctx: Context, *, first: str = "", page: int = 1) -> Reply:
    """One page of the wishes that wait, and what else there is to do; `first` is a line before it."""
    say = ctx.say
    found = _page(ctx, page)
    if not found and page > 1:
        return listed(ctx, first=first)
    lines = [first] if first else []
    lines.append(say("wishes.list" if found else "wishes.list_empty"))
    buttons = [Button(wish_making.told(ctx, one), f"wishes:see:{one.id}") for one in found[:PAGE]]
    if len(found) > PAGE:
        buttons.append(Button(say("wishes.more"), f"wishes:page:{page + 1}"))
    buttons.append(Button(say("wishes.make"), "wishes:new"))
    if wish_claims.of_member(ctx.session, ctx.me):
        buttons.append(Button(say("wishes.mine"), "wishes:mine"))
    if wishes.of_wisher(ctx.session, ctx.me, most=1):
        buttons.append(Button(say("wishes.own"), "wishes:own"))
    return Reply("\n".join(lines), tuple(buttons), back="wishes" if page > 1 else "menu")


def _further(ctx: Context) -> Reply:
    page = ctx.arg_id(1) or 1
    return listed(ctx, page=max(1, min(page, 1000)))  # nobody turns a thousand pages


def _see(ctx: Context) -> Reply:
    found = wishes.by_id(ctx.session, ctx.arg_id(1))
    if found is None or found.state in ("draft", "submitted", "rejected", "withdrawn"):
        return listed(ctx, first=ctx.say("wishes.unknown"))
    return _shown(ctx, found)


def _shown(ctx: Context, found: Wish) -> Reply:
    """One wish with what claiming it means."""
    if found.wisher_id == ctx.me:
        return wish_making.own_one(ctx, found)
    if found.state != "published":
        return _taken(ctx, found)
    due = pay(wish_answers.RULE, ctx.today)
    text = ctx.say(
        "wishes.offer",
        wish=wish_making.told(ctx, found),
        hours=CONTACT_WITHIN.days * 24,
        days=DONE_WITHIN.days,
        points=due.points if due else 0,
    )
    claim = Button(ctx.say("wishes.claim"), f"wishes:claim:{found.id}")
    return Reply(text, (claim, Button(ctx.say("wishes.others"), "wishes")), back="wishes")


def _taken(ctx: Context, found: Wish) -> Reply:
    """The wish waits for nobody any more: one's own claim, or the list."""
    assert found.id is not None
    alive = wish_claims.alive_on(ctx.session, found.id)
    if alive is not None and alive.member_id == ctx.me:
        return wish_helping.one(ctx, Claimed(alive, found))
    return listed(ctx, first=ctx.say("wishes.gone", title=found.title))


def _claim(ctx: Context) -> Reply:
    """Claim a wish: done at once, because it can be given back."""
    outcome = wish_claims.claim(ctx.session, wish_id=ctx.arg_id(1), member_id=ctx.me, now=ctx.now)
    found = wishes.by_id(ctx.session, ctx.arg_id(1))
    if found is None or found.state in ("draft", "submitted", "rejected", "withdrawn"):
        return listed(ctx, first=ctx.say("wishes.unknown"))
    if outcome == "own":
        return listed(ctx, first=ctx.say("wishes.not_your_own"))
    if outcome == "too_many" and found.state == "published":
        return wish_helping.mine(ctx, first=ctx.say("wishes.too_many", most=LIVE_MAX))
    if isinstance(outcome, str):
        return _taken(ctx, found)
    claimed = Claimed(outcome, found)
    wish_notes.claimed(ctx.session, claimed, ctx.now, ctx.today)
    text = ctx.say(
        "wishes.claimed",
        title=found.title,
        contact=contact(ctx, claimed),
        hours=CONTACT_WITHIN.days * 24,
        until=said_day(ctx, outcome.due_at),
    )
    buttons = (
        Button(ctx.say("wishes.see_it"), f"wishes:mine:{outcome.id}"),
        Button(ctx.say("wishes.give_back"), f"wishes:release:{outcome.id}"),
    )
    return Reply(text, buttons, back="wishes")


def contact(ctx: Context, claimed: Claimed) -> str:
    """Who brings the claimer and the wisher together, with the branch; without the name abroad."""
    branch = organizations.get(ctx.session, claimed.wish.organization_id).name
    person = wish_notes.contact_of(ctx.session, claimed, ctx.today)
    if person is None:
        return ctx.say("wishes.contact_office", branch=branch)
    if not ctx.names_allowed:
        return ctx.say("wishes.contact_unnamed", branch=branch)
    return ctx.say("wishes.contact", name=person.name, branch=branch)


STEPS: dict[str, Step] = {
    "page": _further,
    "see": _see,
    "claim": _claim,
    **wish_making.STEPS,
    **wish_helping.STEPS,
    **wish_answers.STEPS,
}
"""Every step by the first argument. Permanent: buttons that people still hold refer to them."""

WISHES = Command(
    "wishes",
    ("心愿", "微心愿", "许愿", "wishes"),
    wish,
    slash=("/wishes",),
    phrases=(
        *("认领心愿", "帮人完成心愿", "我要帮忙", "我来帮忙", "做好事", "i want to help"),
        *("帮老人买药", "帮助老人", "照顾老人", "帮邻居"),
    ),
    steps={
        **dict.fromkeys(("我要许心愿", "我要许愿", "我想要一", "make a wish"), "new"),
        **dict.fromkeys(("我认领的", "我认领的心愿", "心愿办好了", "what i claimed"), "mine"),
        **dict.fromkeys(("我许的心愿", "我的心愿", "my wishes"), "own"),
    },
    order=40,
)
