"""The answers to the questions of `recording_steps`: each goes into the draft, or is told why it is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from db import members, proposals
from db.members import Member
from db.proposals import Proposal
from handlers import picking
from handlers.conversation import Context
from handlers.recording_steps import candidates, day_of, recent, rule_of
from handlers.spoken_hours import HALF_HOUR, spoken_half_hours
from handlers.spoken_time import spoken_past_day
from scoring.catalogue import shipped

WORDS_MIN, WORDS_MAX = 4, 200  # characters of what happened


def take(ctx: Context, draft: Proposal, step: str) -> str | None:
    """Take the answer in the arguments into the draft; None when it is one, else why it is not."""
    return _ANSWERS[step](ctx, draft, " ".join(ctx.args[1:]).strip())


def _activity(ctx: Context, draft: Proposal, word: str) -> str | None:
    if word == "none" and rule_of(draft).about == "activity_or_words":
        proposals.fill(ctx.session, draft, activity_id=None, picked="")
        return None
    found = next((one for one in recent(ctx, draft) if str(one.id) == word), None)
    if found is None:
        return ctx.say("recording.activity_unknown")
    values = {"activity_id": found.id, "day": day_of(ctx, found), "words": found.title, "picked": ""}
    proposals.fill(ctx.session, draft, **values)
    return None


def _whom(ctx: Context, draft: Proposal, word: str) -> str | None:
    people = candidates(ctx, draft)
    if people is None:
        return _named(ctx, draft, word)
    chosen: list[Member] = []
    marked = picking.marked(word, "m")
    if marked is not None:
        chosen = [one for one in people if one.id == marked]
    elif rule_of(draft).several and ctx.names_allowed:
        chosen = [people[place] for place in picking.picked(word, len(people)) or ()]
    if not chosen:
        chosen = picking.by_word(people, word)
        chosen = chosen if len(chosen) == 1 else []
    if not chosen:
        return ctx.say("recording.whom_unknown")
    proposals.fill(ctx.session, draft, picked=";".join(str(one.id) for one in chosen))
    return None


def _named(ctx: Context, draft: Proposal, word: str) -> str | None:
    """A reviewer names a member anywhere in the subtree; the branch of the draft is then that member's."""
    node = ctx.node("committee_reviewer")
    found = (
        members.named_under(ctx.session, node.path, word, ctx.today, most=2) if node is not None and word else ()
    )
    branch = members.branch_of(ctx.session, found[0].id or 0, ctx.today) if len(found) == 1 else None
    if branch is None:
        return ctx.say("recording.several_called" if len(found) > 1 else "recording.whom_unknown")
    proposals.fill(ctx.session, draft, picked=str(found[0].id), organization_id=branch.id)
    return None


def _hours(ctx: Context, draft: Proposal, word: str) -> str | None:
    halves = spoken_half_hours(word)
    if halves is None or not 0 < halves <= 2 * rule_of(draft).hours_max:
        return ctx.say("recording.hours_unknown", most=rule_of(draft).hours_max)
    proposals.fill(ctx.session, draft, hundredths=HALF_HOUR * halves)
    return None


def _choice(ctx: Context, draft: Proposal, word: str) -> str | None:
    if rule_of(draft).named(word) is None:
        return ctx.say("recording.which_choice")
    proposals.fill(ctx.session, draft, grade=word)
    return None


def _day_said(ctx: Context, draft: Proposal, word: str) -> str | None:
    day = spoken_past_day(word, ctx.today)
    within = rule_of(draft).within_days
    if day is None:
        return ctx.say("recording.day_unknown")
    if (ctx.today - day).days > within or shipped().rule(draft.rule_id).terms_on(day) is None:
        return ctx.say("recording.day_late", days=within)
    proposals.fill(ctx.session, draft, day=day)
    return None


def _words(ctx: Context, draft: Proposal, word: str) -> str | None:
    words = " ".join(word.split())
    if sum(letter.isalnum() for letter in words) < WORDS_MIN:
        return ctx.say("recording.words_short", least=WORDS_MIN)
    if len(words) > WORDS_MAX:
        return ctx.say("recording.words_long", most=WORDS_MAX)
    proposals.fill(ctx.session, draft, words=words)
    return None


def _picture(ctx: Context, draft: Proposal, word: str) -> str | None:
    if ctx.picture_id is None and (rule_of(draft).picture or word != "none"):
        return ctx.say("recording.picture_missing")
    proposals.fill(ctx.session, draft, picture_id=ctx.picture_id)
    return None


_ANSWERS: Mapping[str, Callable[[Context, Proposal, str], str | None]] = {
    "activity": _activity,
    "whom": _whom,
    "hours": _hours,
    "choice": _choice,
    "day": _day_said,
    "words": _words,
    "picture": _picture,
}
