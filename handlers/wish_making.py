"""Making a wish: what, where, about how much; then the branch reviews it. And what became of one's own wishes."""

from __future__ import annotations

import re
from collections.abc import Callable

from db import members, wish_claims, wishes
from db.wishes import Wish
from handlers.conversation import Button, Context, Reply
from handlers.meaning import folded

TITLE_MAX = 40  # characters: one line on a phone with large type
AREA_MAX = 20
LETTERS_MIN = 2  # characters that are letters: an emoji alone says nothing to the one who is to help
VALUE_MAX = 300  # yuan: a wish is small; the limit that published rules have
OPEN_MAX = 3  # wishes of one member on their way at once
SHOWN_MAX = 5
_CASH = re.compile(
    r"现金|红包|转账|汇款|借钱|借款|给钱|要钱|人民币|购物卡|充值|代金券|消费券"
    r"|\bcash\b|\bmoney\b|\bloan\b|\bvoucher|gift ?card",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"[0-9][0-9\-\s]{5,}[0-9]")  # a telephone or identity number, however it is grouped
_LINK = re.compile(r"https?:|www\.|://|@", re.IGNORECASE)
_VALUE = re.compile(r"(?:大?约|about)?\s*([0-9]{1,6})\s*(?:元|块钱?|yuan|rmb|cny)?(?:左右)?")
_FREE = ("不用花钱", "不花钱", "免费", "free", "nothing")


def told(ctx: Context, wish: Wish) -> str:
    """A wish as others see it: title, area, about how much; never whose."""
    name = "wish" if wish.value_yuan else "wish_free"
    return ctx.say(f"wishes.{name}", title=wish.title, area=wish.area, value=wish.value_yuan)


def new(ctx: Context, *, first: str = "") -> Reply:
    """Ask for the wish."""
    if ctx.branch_id is None:
        return Reply(ctx.say("wishes.no_branch"), back="wishes")
    if wishes.open_count(ctx.session, ctx.me) >= OPEN_MAX:
        own = Button(ctx.say("wishes.own"), "wishes:own")
        return Reply(ctx.say("wishes.too_many_own", most=OPEN_MAX), (own,), back="wishes")
    asked = ctx.say("wishes.ask_title")
    return Reply(f"{first}\n{asked}" if first else asked, expect="wishes:title", back="wishes")


def _title(ctx: Context) -> Reply:
    title = " ".join(" ".join(ctx.args[1:]).split())
    wrong = _wrong(ctx, title, TITLE_MAX)
    if wrong or ctx.branch_id is None or wishes.open_count(ctx.session, ctx.me) >= OPEN_MAX:
        return new(ctx, first=wrong)
    wish_id = wishes.draft(ctx.session, wisher_id=ctx.me, organization_id=ctx.branch_id, title=title, now=ctx.now)
    return _ask_area(ctx, wish_id)


def _wrong(ctx: Context, text: str, most: int) -> str:
    """What is wrong with words that everybody will read; empty when nothing is."""
    if sum(letter.isalpha() for letter in text) < LETTERS_MIN:
        return ctx.say("wishes.too_short")
    if len(text) > most:
        return ctx.say("wishes.too_long", most=most, length=len(text))
    if _CASH.search(text):
        return ctx.say("wishes.no_cash")
    name = members.get(ctx.session, ctx.me).name  # the whole name, also where the chat is called by a short one
    named = len(name) > 1 and name in text
    if named or _NUMBER.search(folded(text)) or _LINK.search(text):
        return ctx.say("wishes.no_names")
    return ""


def _ask_area(ctx: Context, wish_id: int, first: str = "") -> Reply:
    asked = ctx.say("wishes.ask_area")
    here = Button(ctx.say("wishes.here", branch=ctx.who.branch_name), f"wishes:here:{wish_id}")
    return Reply(
        f"{first}\n{asked}" if first else asked, (here,), expect=f"wishes:area:{wish_id}", back="wishes:new"
    )


def _area(ctx: Context) -> Reply:
    area = " ".join(" ".join(ctx.args[2:]).split())
    return _in_area(ctx, area, _wrong(ctx, area, AREA_MAX))


def _here(ctx: Context) -> Reply:
    return _in_area(ctx, ctx.who.branch_name, "")


def _in_area(ctx: Context, area: str, wrong: str) -> Reply:
    wish_id = ctx.arg_id(1)
    draft = _draft(ctx, wish_id)
    if draft is None or wish_id is None:
        return own(ctx, first=ctx.say("wishes.no_draft"))
    if wrong:
        return _ask_area(ctx, wish_id, wrong)
    wishes.describe(ctx.session, wish_id, ctx.me, area=area)
    return _ask_value(ctx, wish_id)


def _draft(ctx: Context, wish_id: int | None) -> Wish | None:
    found = wishes.by_id(ctx.session, wish_id)
    return found if found and found.wisher_id == ctx.me and found.state == "draft" else None


def _ask_value(ctx: Context, wish_id: int, first: str = "") -> Reply:
    asked = ctx.say("wishes.ask_value", most=VALUE_MAX)
    free = Button(ctx.say("wishes.free"), f"wishes:value:{wish_id}:free")
    return Reply(
        f"{first}\n{asked}" if first else asked, (free,), expect=f"wishes:value:{wish_id}", back="wishes:new"
    )


def _value(ctx: Context) -> Reply:
    wish_id, text = ctx.arg_id(1), folded(" ".join(ctx.args[2:]))
    draft = _draft(ctx, wish_id)
    if draft is None or wish_id is None:
        return own(ctx, first=ctx.say("wishes.no_draft"))
    typed = _VALUE.fullmatch(text)
    value = 0 if text in _FREE else int(typed[1]) if typed else None
    if value is None:
        return _ask_value(ctx, wish_id, ctx.say("wishes.no_value"))
    if value > VALUE_MAX:
        return _ask_value(ctx, wish_id, ctx.say("wishes.too_dear", most=VALUE_MAX))
    wishes.describe(ctx.session, wish_id, ctx.me, value_yuan=value)
    return _preview(ctx, wish_id)


def _preview(ctx: Context, wish_id: int) -> Reply:
    draft = _draft(ctx, wish_id)
    assert draft is not None, "described in this transaction"
    if not draft.area:
        return _ask_area(ctx, wish_id)
    buttons = (
        Button(ctx.say("wishes.submit"), f"wishes:submit:{wish_id}"),
        Button(ctx.say("wishes.again"), "wishes:new"),
        Button(ctx.say("wishes.drop"), f"wishes:withdraw:{wish_id}"),
    )
    return Reply(ctx.say("wishes.preview", wish=told(ctx, draft)), buttons, back="wishes")


def _submit(ctx: Context) -> Reply:
    """Hand the wish in, once; pressed again, it says how the wish stands."""
    wish_id = ctx.arg_id(1)
    found = wishes.by_id(ctx.session, wish_id)
    if wish_id is None or found is None or found.wisher_id != ctx.me:
        return own(ctx, first=ctx.say("wishes.no_draft"))
    if found.state == "draft" and wishes.open_count(ctx.session, ctx.me) >= OPEN_MAX:
        return own(ctx, first=ctx.say("wishes.too_many_own", most=OPEN_MAX))
    if not wishes.submit(ctx.session, wish_id, ctx.me, ctx.now):
        return new(ctx) if found.state == "draft" else own_one(ctx, found)
    withdraw = Button(ctx.say("wishes.withdraw"), f"wishes:withdraw:{wish_id}")
    return Reply(ctx.say("wishes.submitted", title=found.title), (withdraw,), back="wishes")


def _withdraw(ctx: Context) -> Reply:
    wish_id = ctx.arg_id(1)
    found = wishes.by_id(ctx.session, wish_id)
    if wish_id is None or found is None or found.wisher_id != ctx.me:
        return own(ctx, first=ctx.say("wishes.unknown"))
    if wishes.withdraw(ctx.session, wish_id, ctx.me, ctx.now):
        again = Button(ctx.say("wishes.make"), "wishes:new")
        return Reply(ctx.say("wishes.withdrawn", title=found.title), (again,), back="wishes")
    return own_one(ctx, wishes.by_id(ctx.session, wish_id) or found)


def own(ctx: Context, *, first: str = "") -> Reply:
    """The member's own wishes, or the one that was asked for."""
    wish_id = ctx.arg_id(1) if ctx.arg() == "own" else None
    if wish_id is not None:
        found = wishes.by_id(ctx.session, wish_id)
        if found is not None and found.wisher_id == ctx.me and found.state != "draft":
            return own_one(ctx, found)
        first = ctx.say("wishes.unknown")
    mine = wishes.of_wisher(ctx.session, ctx.me, most=SHOWN_MAX)
    lines = [first] if first else []
    lines.append(ctx.say("wishes.own_list" if mine else "wishes.own_none"))
    buttons = [
        Button(
            ctx.say("wishes.own_line", title=one.title, state=ctx.say(f"wishes.is_{one.state}")),
            f"wishes:own:{one.id}",
        )
        for one in mine
    ]
    buttons.append(Button(ctx.say("wishes.make"), "wishes:new"))
    return Reply("\n".join(lines), tuple(buttons), back="wishes")


def own_one(ctx: Context, wish: Wish) -> Reply:
    """How one of the member's own wishes stands, and what can be done with it now."""
    assert wish.id is not None
    say, claim = ctx.say, wish_claims.alive_on(ctx.session, wish.id)
    who = ""
    if claim is not None:
        who = members.get(ctx.session, claim.member_id).name if ctx.names_allowed else say("wishes.a_comrade")
    text = say(f"wishes.own_{wish.state}", title=wish.title, who=who, why=wish.review_note)
    buttons: list[Button] = []
    if wish.state in ("submitted", "published"):
        buttons.append(Button(say("wishes.withdraw"), f"wishes:withdraw:{wish.id}"))
    elif wish.state == "delivered" and claim is not None:
        buttons += [
            Button(say("wishes.yes"), f"wishes:yes:{claim.id}"),
            Button(say("wishes.not_yet"), f"wishes:no:{claim.id}"),
            Button(say("wishes.see_report"), f"wishes:report_of:{claim.id}"),
        ]
    elif wish.state != "claimed":
        buttons.append(Button(say("wishes.make"), "wishes:new"))
    return Reply(text, tuple(buttons), back="wishes:own")


STEPS: dict[str, Callable[[Context], Reply]] = {
    "new": new,
    "title": _title,
    "area": _area,
    "here": _here,
    "value": _value,
    "submit": _submit,
    "withdraw": _withdraw,
    "own": own,
}
