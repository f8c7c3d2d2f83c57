"""申诉: a member objects to one line, once, within thirty days; somebody who did not book it answers."""

from __future__ import annotations

from datetime import date, datetime

from db import appeals, audit, ledger, ledger_lines, members, organizations
from db.ledger import Entry
from handlers.conversation import Button, Command, Context, Reply
from handlers.line_evidence import evidence
from notices import record_notes
from scoring.catalogue import shipped
from scoring.record_rules import record_rules

WORDS_MIN, WORDS_MAX = 4, 300  # characters
FINAL = ("undo", "appeal")  # causes of lines that are themselves corrections
FIRST, ABOVE = "committee_reviewer", "district_org_department"


def may_appeal(ctx: Context, line: Entry) -> bool:
    """Whether the line counts for an index, still stands, is no correction, and is not too old."""
    ruled = any(rule.id == line.rule_id for rule in shipped().pioneer.rule)
    if not ruled or not line.in_index or line.cause.partition(":")[0] in FINAL or _too_old(ctx, line.booked_at):
        return False
    return ledger.line(ctx.session, line.member_id, f"undo:{line.cause}", line.rule_id) is None


def _too_old(ctx: Context, booked_at: datetime) -> bool:
    day: date = booked_at.astimezone(ctx.zone).date()
    return (ctx.today - day).days > record_rules().appeal.within_days


def appeal(ctx: Context) -> Reply:
    """`appeal:LINE`, then the words (or a picture), then `yes`."""
    line = ledger_lines.by_id(ctx.session, ctx.arg_id(0))
    if line is None or line.id is None or line.member_id != ctx.me:
        return Reply(ctx.say("appeal.which"), (Button(ctx.say("points.look"), "points:lines"),), back="points")
    back = f"points:line:{line.id}"
    if appeals.of_entry(ctx.session, line.id) is not None:
        return Reply(ctx.say("appeal.once"), back=back)
    if not may_appeal(ctx, line):
        return Reply(ctx.say("appeal.not_this", days=record_rules().appeal.within_days), back=back)
    words = " ".join(" ".join(ctx.args[1:]).split())
    enough = sum(letter.isalnum() for letter in words) >= WORDS_MIN
    if not enough or len(words) > WORDS_MAX:
        name = "long" if len(words) > WORDS_MAX else "short" if words or ctx.picture_id else "ask"
        text = ctx.say(f"appeal.{name}", most=WORDS_MAX, reason=line.reason or line.rule_id)
        return Reply(text, expect=f"appeal:{line.id}", back=back)
    return _make(ctx, line, words)


def _make(ctx: Context, line: Entry, words: str) -> Reply:
    booked = evidence(ctx, line)
    goes_to = ABOVE if booked.booked_as in (FIRST, ABOVE) else FIRST
    node_id = line.organization_id or ctx.branch_id
    root = organizations.root(ctx.session)
    node_id = node_id if node_id is not None else root.id if root is not None else None
    assert node_id is not None
    made = appeals.make(
        ctx.session,
        entry_id=line.id,
        member_id=ctx.me,
        organization_id=node_id,
        booked_by=booked.booked_by,
        goes_to=goes_to,
        words=words,
        picture_id=ctx.picture_id,
        made_at=ctx.now,
    )
    if not made:
        return Reply(ctx.say("appeal.once"), back=f"points:line:{line.id}")
    subject = f"entry:{line.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="entry.appealed", subject=subject, words=words)
    but = tuple(one for one in (ctx.me, booked.booked_by) if one is not None)
    record_notes.waiting(ctx.session, node_id, (goes_to,), ctx.now, ctx.today, but=but)
    to = members.holders(ctx.session, organizations.get(ctx.session, node_id), goes_to, ctx.today)
    role = ctx.say(f"appeal.to_{goes_to}")
    add = Button(ctx.say("appeal.add_picture"), f"appeal_picture:{line.id}") if ctx.picture_id is None else None
    text = ctx.say("appeal.made" if to else "appeal.made_nobody", role=role)
    return Reply(text, (add,) if add else (), back=f"points:line:{line.id}")


def appeal_picture(ctx: Context) -> Reply:
    """`appeal_picture:LINE`, then a picture that belongs to the open appeal."""
    line = ledger_lines.by_id(ctx.session, ctx.arg_id(0))
    if line is None or line.id is None or line.member_id != ctx.me:
        return Reply(ctx.say("appeal.which"), back="points:lines")
    if ctx.picture_id is None:
        return Reply(ctx.say("appeal.send_picture"), expect=f"appeal_picture:{line.id}", back="points:lines")
    added = appeals.add_picture(ctx.session, line.id, ctx.picture_id)
    return Reply(ctx.say("appeal.picture_noted" if added else "appeal.once"), back=f"points:line:{line.id}")


APPEAL = Command(
    "appeal",
    ("申诉", "appeal"),
    appeal,
    phrases=("我要申诉", "这笔积分不对", "积分记错了", "扣分扣错了", "my points are wrong"),
    in_menu=False,
)
APPEAL_PICTURE = Command("appeal_picture", ("补申诉图片", "appeal picture"), appeal_picture, in_menu=False)
