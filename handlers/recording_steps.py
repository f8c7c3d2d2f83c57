"""The questions to whoever proposes a line: which activity, whom, how much, when, what, a picture.

`records.toml` says which of them a rule asks. Every answer goes into the draft, and the next question follows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta

from db import activities, attendance, members, organizations
from db.activities import Activity
from db.attendance import CAME
from db.duties import over
from db.members import Member
from db.proposals import Proposal
from handlers import picking
from handlers.conversation import Button, Context, Reply
from handlers.spoken_hours import HALF_HOUR, half_hours, said_hours
from scoring.record_rules import record_rules
from scoring.record_scheme import RecordRule

SHOWN_MAX = 6
OFFICERS = frozenset({"secretary", "committee_reviewer"})
Preview = Callable[[Context, Proposal], Reply]
LATE_RECORDS = timedelta(days=30)  # a granted leave can be made up for so long


def rule_of(draft: Proposal) -> RecordRule:
    """How the draft's rule gets its facts."""
    found = record_rules().of(draft.rule_id)
    assert found is not None, draft.rule_id
    return found


ORDER = ("activity", "whom", "hours", "choice", "day", "words", "picture", "preview")


def steps_of(draft: Proposal) -> set[str]:
    """The questions that this draft needs an answer to."""
    rule = rule_of(draft)
    steps = {"picture", "preview"}
    if rule.about.startswith("activity"):
        steps.add("activity")
    if not reports_oneself(draft):
        steps.add("whom")
    if rule.asks != "nothing":
        steps.add(rule.asks)
    return steps if draft.activity_id else steps | {"day", "words"}


def reports_oneself(draft: Proposal) -> bool:
    """Whether a member reports for themselves."""
    return "member" in rule_of(draft).by and draft.picked == str(draft.proposed_by)


def home_of(ctx: Context) -> str:
    """The action behind "back" while something is filled in."""
    return "records" if any(role in OFFICERS for role, _ in ctx.roles()) else "study"


def ask(ctx: Context, draft: Proposal, step: str, preview: Preview, problem: str = "") -> Reply:
    """The question of one step; behind the last one the preview."""
    if step == "preview":
        return preview(ctx, draft)
    return _QUESTIONS[step](ctx, draft, problem)


def following(draft: Proposal, step: str = "") -> str:
    """The step after this one; without one the first."""
    place = ORDER.index(step) + 1 if step else 0
    needed = steps_of(draft)
    return next(one for one in ORDER[place:] if one in needed)


# The questions


def _ask_activity(ctx: Context, draft: Proposal, problem: str) -> Reply:
    found = recent(ctx, draft)[:SHOWN_MAX]
    buttons = [
        Button(
            ctx.say(
                "recording.activity_of", title=one.title, month=day_of(ctx, one).month, day=day_of(ctx, one).day
            ),
            f"recording:activity:{one.id}",
        )
        for one in found
    ]
    if rule_of(draft).about == "activity_or_words":
        buttons.append(Button(ctx.say("recording.no_activity"), "recording:activity:none"))
    name = "which_activity" if found else "no_activities"
    text = problem or ctx.say(f"recording.{name}", days=rule_of(draft).within_days)
    return Reply(text, tuple(buttons), back=home_of(ctx))


def _ask_whom(ctx: Context, draft: Proposal, problem: str) -> Reply:
    people = candidates(ctx, draft)
    text = problem or ctx.say("recording.whom_name")
    if not ctx.names_allowed or people is None:
        return Reply(text, expect="recording:whom", back=home_of(ctx))
    if not people:
        return Reply(problem or ctx.say("recording.nobody"), back=home_of(ctx))
    if rule_of(draft).several:
        listed = picking.listed(people)
        text = f"{problem or ctx.say('recording.whom_numbers')}\n{listed}"
        return Reply(text, expect="recording:whom", back=home_of(ctx))
    buttons = picking.buttons(ctx, people, "recording:whom", 0)
    return Reply(problem or ctx.say("recording.whom"), buttons, expect="recording:whom", back=home_of(ctx))


def _ask_hours(ctx: Context, draft: Proposal, problem: str) -> Reply:
    """No buttons here: a lone number is the hours, not a choice."""
    activity = activities.get(ctx.session, draft.activity_id) if draft.activity_id else None
    text = problem or ctx.say("recording.how_many_hours", most=rule_of(draft).hours_max)
    if activity is not None and not problem:
        hours = said_hours(HALF_HOUR * half_hours(activity.starts_at, activity.ends_at))
        text += "\n" + ctx.say("recording.hours_of", hours=hours)
    return Reply(text, expect="recording:hours", back=home_of(ctx))


def _ask_choice(ctx: Context, draft: Proposal, problem: str) -> Reply:
    buttons = tuple(
        Button(one.title_in(ctx.say.language), f"recording:choice:{one.id}") for one in rule_of(draft).choice
    )
    return Reply(problem or ctx.say("recording.which_choice"), buttons, back=home_of(ctx))


def _ask_day(ctx: Context, draft: Proposal, problem: str) -> Reply:
    buttons = (
        Button(ctx.say("recording.today"), "recording:day:today"),
        Button(ctx.say("recording.yesterday"), "recording:day:yesterday"),
    )
    return Reply(problem or ctx.say("recording.which_day"), buttons, expect="recording:day", back=home_of(ctx))


def _ask_words(ctx: Context, draft: Proposal, problem: str) -> Reply:
    return Reply(problem or ctx.say("recording.which_words"), expect="recording:words", back=home_of(ctx))


def _ask_picture(ctx: Context, draft: Proposal, problem: str) -> Reply:
    needed = rule_of(draft).picture
    buttons = () if needed else (Button(ctx.say("recording.no_picture"), "recording:picture:none"),)
    text = problem or ctx.say("recording.picture_needed" if needed else "recording.picture_may")
    return Reply(text, buttons, expect="recording:picture", back=home_of(ctx))


_QUESTIONS: Mapping[str, Callable[[Context, Proposal, str], Reply]] = {
    "activity": _ask_activity,
    "whom": _ask_whom,
    "hours": _ask_hours,
    "choice": _ask_choice,
    "day": _ask_day,
    "words": _ask_words,
    "picture": _ask_picture,
}


# What can be chosen from


def recent(ctx: Context, draft: Proposal) -> Sequence[Activity]:
    """The activities of the branch that the draft can be about, the newest first."""
    rule = rule_of(draft)
    first = ctx.today - timedelta(days=rule.within_days)
    begin = datetime.combine(first, time(), ctx.zone)
    found = over(ctx.session, draft.organization_id, rule.kinds, begin, ctx.now, held=False)
    if draft.rule_id == "PN2":  # there is still time to make it up
        return [one for one in found if one.starts_at + LATE_RECORDS < ctx.now]
    return found


def candidates(ctx: Context, draft: Proposal) -> Sequence[Member] | None:
    """Members that the draft can be about; None when any of the subtree can be named."""
    if draft.activity_id is not None:
        return _of_activity(ctx, draft)
    branch = organizations.get(ctx.session, draft.organization_id)
    if not members.has_role(ctx.session, ctx.me, "secretary", branch, ctx.today):
        return None
    return members.members_of(ctx.session, draft.organization_id, ctx.today)


def _of_activity(ctx: Context, draft: Proposal) -> Sequence[Member]:
    """Who was there; for an absence who was not: without leave, or on leave that was not made up."""
    activity = activities.get(ctx.session, draft.activity_id or 0)
    if activity is None or activity.id is None:
        return ()
    rows = {row.member_id: row for row in attendance.roll(ctx.session, activity.id)}
    if rule_of(draft).absent:
        invited = activities.invited_members(ctx.session, activity, day_of(ctx, activity))
        wanted = ("excused",) if draft.rule_id == "PN2" else (None, "undone", "refused")
        return [one for one in invited if (rows[one.id].state if one.id in rows else None) in wanted]
    there = [row.member_id for row in rows.values() if row.state == "present" and row.mode in CAME]
    own = {one.id for one in members.members_of(ctx.session, draft.organization_id, day_of(ctx, activity))}
    found = members.by_ids(ctx.session, there)
    return [found[member_id] for member_id in sorted(found) if member_id in own]


def day_of(ctx: Context, activity: Activity) -> date:
    """The day on which it began, on the city's calendar."""
    return activity.starts_at.astimezone(ctx.zone).date()
