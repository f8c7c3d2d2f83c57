"""学时: one's own study hours, and reporting study with a picture; the secretary notes several at once."""

from __future__ import annotations

from db import ledger
from handlers.conversation import Button, Command, Context, Reply
from handlers.spoken_hours import said_hours
from scoring.catalogue import shipped

RULE = "PB3"


def run(ctx: Context) -> Reply:
    """`学时`: hours of the year of those that are asked, and what can be done."""
    terms = shipped().rule(RULE).terms_on(ctx.today)
    hundredths = ledger.totals(ctx.session, ctx.me, ctx.today.year).get(RULE, (0, 0))[1]
    full = terms.full_at if terms is not None and terms.full_at is not None else 0
    text = ctx.say("study.have", year=ctx.today.year, hours=said_hours(max(0, hundredths)), full=full)
    buttons = [
        Button(ctx.say("study.report"), f"recording:new:{RULE}:self"),
        Button(ctx.say("study.lines"), f"index:rule:{RULE}"),
    ]
    if ctx.node("secretary") is not None:
        buttons.append(Button(ctx.say("study.of_others"), f"recording:new:{RULE}"))
        buttons.append(Button(ctx.say("study.to_confirm"), "record_review"))
    return Reply(text, tuple(buttons))


STUDY = Command(
    "study",
    ("学时", "学习学时", "报学时", "study hours"),
    run,
    slash=("/study",),
    phrases=("登记学习", "我学习了", "还差多少学时", "how many study hours do i have"),
    in_menu=False,
)
