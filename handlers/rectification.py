"""`整改`: what a branch has to put right after inspections, and its one appeal against each finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from db import audit, inspections, members, organizations, pictures, rectifications
from db.inspections import Inspection
from db.rectifications import Rectification
from handlers import inspection_words
from handlers.conversation import Button, Command, Context, Reply
from notices import inspections as notes

SHOWN_MAX = 7
REASON_MIN, WORDS_MIN, WORDS_MAX = 4, 2, 200  # characters


def rectify(ctx: Context) -> Reply:
    """`整改`, or one of its steps: see:ID, done:ID, appeal:ID, no_picture:ID."""
    step = STEPS.get(ctx.arg())
    if step is None:
        return _list(ctx)
    found = _own(ctx)
    if found is None:
        return Reply(ctx.say("rectify.unknown"), (Button(ctx.say("rectify.list"), "rectify"),))
    return step(ctx, *found)


def _list(ctx: Context) -> Reply:
    paths = [node.path for role, node in ctx.roles() if role == "secretary"]
    cards = rectifications.alive_under(ctx.session, paths, SHOWN_MAX)
    if not cards:
        return Reply(ctx.say("rectify.none"))
    lines = [ctx.say("rectify.cards", count=len(cards))]
    buttons = []
    for number, (card, inspection, _) in enumerate(cards, 1):
        lines.append(
            f"{number}. {inspection_words.line(ctx, inspection)}。{inspection_words.card_state(ctx, card)}"
        )
        buttons.append(Button(ctx.say("inspections.choice", number=number), f"rectify:see:{inspection.id}"))
    return Reply("\n".join(lines), tuple(buttons))


def _own(ctx: Context) -> tuple[Inspection, Rectification] | None:
    """The card that the argument names, if this person is the secretary of its branch."""
    inspection = inspections.by_id(ctx.session, ctx.arg_id(1))
    card = rectifications.of_inspection(ctx.session, inspection.id) if inspection is not None else None
    if inspection is None or card is None:
        return None
    branch = organizations.get(ctx.session, inspection.organization_id)
    answers = members.has_role(ctx.session, ctx.me, "secretary", branch, ctx.today)
    return (inspection, card) if answers else None


def _see(ctx: Context, inspection: Inspection, card: Rectification, first: str = "") -> Reply:
    say = ctx.say
    lines = [first] if first else []
    lines.append(inspection_words.whole(ctx, inspection, inside=False))
    lines.append(inspection_words.card_state(ctx, card))
    photo = inspection_words.photo(ctx, inspection)
    if photo is None:
        lines.append(say("rectify.picture_elsewhere"))
    buttons = []
    if card.state == "open":
        buttons.append(Button(say("rectify.hand_in"), f"rectify:done:{inspection.id}"))
    if _may_appeal(ctx, inspection):
        buttons.append(Button(say("rectify.appeal"), f"rectify:appeal:{inspection.id}"))
    return Reply("\n".join(lines), tuple(buttons), photo, back="rectify")


def _may_appeal(ctx: Context, inspection: Inspection) -> bool:
    within = inspection.appeal_until is not None and ctx.now < inspection.appeal_until
    return inspection.state == "noticed" and within


def _picture_and_words(ctx: Context) -> tuple[int | None, str]:
    """What came behind the id: a picture now or just before (`done:ID:PICTURE`, then words), and words."""
    before = ctx.arg_id(2) if len(ctx.args) > 3 else None
    mine = before is not None and pictures.sender(ctx.session, before) == ctx.me
    words = " ".join(" ".join(ctx.args[3 if mine else 2 :]).split())
    return ctx.picture_id or (before if mine else None), words


def _done(ctx: Context, inspection: Inspection, card: Rectification) -> Reply:
    """`done:ID`, then the picture, then a line of words (or both in one message)."""
    if card.state != "open":
        return _see(ctx, inspection, card, ctx.say("rectify.not_open"))
    picture_id, words = _picture_and_words(ctx)
    action, back = f"rectify:done:{inspection.id}", f"rectify:see:{inspection.id}"
    if picture_id is None:
        return Reply(
            ctx.say("rectify.picture_first" if words else "rectify.ask_picture"), expect=action, back=back
        )
    if not WORDS_MIN <= len(words) <= WORDS_MAX:
        text = ctx.say("rectify.ask_words", most=WORDS_MAX)
        return Reply(text, expect=f"{action}:{picture_id}", back=back)
    return _hand_in(ctx, inspection, picture_id, words)


def _hand_in(ctx: Context, inspection: Inspection, picture_id: int, words: str) -> Reply:
    assert inspection.id is not None
    done = rectifications.hand_in(
        ctx.session, inspection.id, member_id=ctx.me, picture_id=picture_id, words=words, now=ctx.now
    )
    if not done:
        return Reply(ctx.say("rectify.not_open"), back="rectify")
    _log(ctx, inspection, "rectification.handed_in", picture=picture_id, words=words)
    notes.handed_in(ctx.session, inspection, ctx.now, ctx.today)
    return Reply(ctx.say("rectify.handed_in"), (Button(ctx.say("rectify.list"), "rectify"),))


def _appeal(ctx: Context, inspection: Inspection, card: Rectification) -> Reply:
    """`appeal:ID`, then the reason, with a picture or without."""
    assert inspection.id is not None
    if not _may_appeal(ctx, inspection):
        return _see(ctx, inspection, card, ctx.say("rectify.no_appeal"))
    picture_id, reason = _picture_and_words(ctx)
    problem = inspection_words.reason_problem(ctx, reason, REASON_MIN, WORDS_MAX)
    if problem is not None:
        action = f"rectify:appeal:{inspection.id}" + (f":{picture_id}" if picture_id else "")
        return inspection_words.ask_reason(ctx, "why_appeal", problem, action, f"rectify:see:{inspection.id}")
    done = inspections.appeal(
        ctx.session, inspection.id, member_id=ctx.me, reason=reason, picture_id=picture_id, now=ctx.now
    )
    if not done:
        return Reply(ctx.say("rectify.no_appeal"), back="rectify")
    _log(ctx, inspection, "inspection.appealed", reason=reason, picture=picture_id)
    heard = notes.appealed(ctx.session, inspection, ctx.now, ctx.today)
    return Reply(ctx.say("rectify.appealed" if heard else "rectify.appealed_to_nobody"), back="rectify")


def _log(ctx: Context, inspection: Inspection, action: str, **detail: object) -> None:
    subject = f"inspection:{inspection.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=subject, **detail)


STEPS: Mapping[str, Callable[[Context, Inspection, Rectification], Reply]] = {
    "see": _see,
    "done": _done,
    "appeal": _appeal,
}

RECTIFY = Command(
    "rectify",
    ("整改", "整改卡", "rectify"),
    rectify,
    slash=("/rectify",),
    roles=frozenset({"secretary"}),
    phrases=("有什么要整改", "对检查结果申诉", "整改好了"),
    in_menu=False,
    order=145,
)
