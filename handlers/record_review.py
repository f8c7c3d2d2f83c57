"""记实审核: what waits for a second person: records, grades of a review, resolutions, appeals of a line.

Everything is shown before it is decided; nobody decides on what they proposed, booked, or are concerned by.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from db import appeals, grade_lists, organizations, resolutions
from handlers.appeal_review import STEPS as APPEALS
from handlers.appeal_review import reach
from handlers.conversation import Button, Command, Context, Reply
from handlers.grades_review import STEPS as GRADES
from handlers.proposal_review import STEPS as RECORDS
from handlers.proposal_review import title, waiting
from handlers.resolution_review import STEPS as RESOLUTIONS

SHOWN_MAX = 7
ROLES = frozenset({"secretary", "committee_reviewer", "district_org_department"})
ABOVE = ("committee_reviewer", "district_org_department")

STEPS: Mapping[str, Callable[[Context], Reply | str]] = {
    **RECORDS,
    **GRADES,
    **RESOLUTIONS,
    **APPEALS,
}
"""Each gives a reply, or the line that says what was decided: then the list follows."""


def review(ctx: Context) -> Reply:
    """`记实审核`: what waits for this person; with arguments, one step."""
    step = STEPS.get(ctx.arg())
    if step is None:
        return _waiting(ctx)
    done = step(ctx)
    return _waiting(ctx, done) if isinstance(done, str) else done


def _waiting(ctx: Context, first: str = "") -> Reply:
    say, roles = ctx.say, ctx.roles()
    above = [node.path for role, node in roles if role in ABOVE]
    buttons: list[Button] = []
    for appeal in appeals.to_decide(ctx.session, reach(ctx), ctx.me, most=SHOWN_MAX):
        buttons.append(Button(say("record_review.an_appeal", id=appeal.id), f"record_review:appeal:{appeal.id}"))
    for one in waiting(ctx, most=SHOWN_MAX):
        buttons.append(Button(title(ctx, one), f"record_review:record:{one.id}"))
    for each in grade_lists.to_confirm(ctx.session, above, ctx.me, most=SHOWN_MAX):
        branch = organizations.get(ctx.session, each.organization_id).name
        buttons.append(Button(say("record_review.a_list", branch=branch), f"record_review:grades:{each.id}"))
    for resolution in resolutions.to_confirm(ctx.session, above, ctx.me, most=SHOWN_MAX):
        branch = organizations.get(ctx.session, resolution.organization_id).name
        label = say("record_review.a_resolution", branch=branch)
        buttons.append(Button(label, f"record_review:resolution:{resolution.id}"))
    shown = [*buttons[: SHOWN_MAX - 1], Button(say("record_review.done_button"), "record_review:done")]
    lines = [first] if first else []
    lines.append(say("record_review.waiting" if buttons else "record_review.nothing"))
    return Reply("\n".join(lines), tuple(shown))


RECORD_REVIEW = Command(
    "record_review",
    ("记实审核", "审核记实", "record review"),
    review,
    slash=("/recordreview",),
    roles=ROLES,
    phrases=("审核积分记录", "处理申诉", "有申诉要处理吗"),
    in_menu=False,
    order=135,
)
