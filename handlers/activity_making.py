"""A secretary makes an activity in chat: kind, title, time, place, from afar or not, preview, confirm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from db import activities, activity_drafts, audit, organizations
from db.activities import KINDS, ONSITE_ONLY, Activity, ActivityDraft
from handlers import activity_roll
from handlers.conversation import Button, Context, Reply
from handlers.spoken_time import spoken_window
from notices.said_time import clock, said

OFFERED = (
    "theme_party_day",
    "member_assembly",
    "party_lecture",
    "branch_committee_meeting",
    "party_group_meeting",
    "org_life_meeting",
    "volunteering",
    "democratic_review",
    "term_election",
)
TITLE_MAX, PLACE_MAX = 40, 60  # characters
USUAL_LENGTH = timedelta(hours=2)  # when no end is named
SHORTEST, LONGEST = timedelta(minutes=15), timedelta(hours=12)
REMOTE_FROM = timedelta(minutes=30)  # shorter ones leave no room for asking who is there
OPENS_BEFORE = timedelta(minutes=30)  # check-in, before the beginning
FARTHEST = timedelta(days=366)


def _new(ctx: Context) -> Reply:
    if ctx.node("secretary") is None:
        return activity_roll.refused(ctx)
    kinds = tuple(Button(ctx.say(f"activities.kind_{kind}"), f"activities:kind:{kind}") for kind in OFFERED)
    return Reply(ctx.say("activities.which_kind"), kinds, back="activities")


def _kind(ctx: Context) -> Reply:
    node, kind = ctx.node("secretary"), ctx.arg(1)
    if node is None or node.id is None:
        return activity_roll.refused(ctx)
    if kind not in KINDS:
        return _new(ctx)
    activity_drafts.begin(ctx.session, member_id=ctx.me, organization_id=node.id, kind=kind, now=ctx.now)
    return _ask_title(ctx, kind)


def _ask_title(ctx: Context, kind: str, problem: str = "") -> Reply:
    usual = Button(
        ctx.say("activities.title_usual", kind=ctx.say(f"activities.kind_{kind}")), "activities:title_usual"
    )
    text = problem or ctx.say("activities.which_title")
    return Reply(text, (usual,), expect="activities:title", back="activities:new")


def _title(ctx: Context) -> Reply:
    draft = _draft(ctx)
    if draft is None:
        return _gone(ctx)
    title = " ".join(" ".join(ctx.args[1:]).split())
    if ctx.arg() == "title_usual":
        title = ctx.say(f"activities.kind_{draft.kind}")
    if not title or len(title) > TITLE_MAX:
        return _ask_title(ctx, draft.kind, ctx.say("activities.title_long", most=TITLE_MAX) if title else "")
    activity_drafts.change(ctx.session, draft, ctx.now, title=title)
    return _ask_when(ctx)


def _ask_when(ctx: Context, problem: str = "which_when") -> Reply:
    if _draft(ctx) is None:
        return _gone(ctx)
    return Reply(ctx.say(f"activities.{problem}"), expect="activities:when", back="activities:new")


def _when(ctx: Context) -> Reply:
    draft = _draft(ctx)
    if draft is None:
        return _gone(ctx)
    window = spoken_window(" ".join(ctx.args[1:]), ctx.now, ctx.zone)
    if window is None:
        return _ask_when(ctx, "when_unclear")
    starts_at, ends_at = window.starts_at, window.ends_at or window.starts_at + USUAL_LENGTH
    if starts_at <= ctx.now:
        return _ask_when(ctx, "when_past")
    if starts_at > ctx.now + FARTHEST:
        return _ask_when(ctx, "when_far")
    if not SHORTEST <= ends_at - starts_at <= LONGEST:
        return _ask_when(ctx, "when_length")
    activity_drafts.change(ctx.session, draft, ctx.now, starts_at=starts_at, ends_at=ends_at)
    return _preview(ctx) if draft.place else _ask_place(ctx, draft)


def _ask_place(ctx: Context, draft: ActivityDraft, problem: str = "which_place") -> Reply:
    usual = organizations.get(ctx.session, draft.organization_id).place
    buttons = (Button(usual, "activities:place_usual"),) if usual else ()
    text = ctx.say(f"activities.{problem}", most=PLACE_MAX)
    return Reply(text, buttons, expect="activities:place", back="activities:ask_when")


def _place(ctx: Context) -> Reply:
    draft = _draft(ctx)
    if draft is None or draft.starts_at is None or draft.ends_at is None:
        return _gone(ctx)
    place = " ".join(" ".join(ctx.args[1:]).split())
    if ctx.arg() == "place_usual":
        place = organizations.get(ctx.session, draft.organization_id).place
    if not place or len(place) > PLACE_MAX:
        return _ask_place(ctx, draft, "place_long" if place else "which_place")
    activity_drafts.change(ctx.session, draft, ctx.now, place=place)
    if draft.kind in ONSITE_ONLY or draft.ends_at - draft.starts_at < REMOTE_FROM:
        return _preview(ctx)
    buttons = (
        Button(ctx.say("activities.remote_yes"), "activities:remote:yes"),
        Button(ctx.say("activities.remote_no"), "activities:remote:no"),
    )
    return Reply(ctx.say("activities.which_remote"), buttons, back="activities:ask_when")


def _remote(ctx: Context) -> Reply:
    draft = _complete(ctx)
    if draft is None:
        return _gone(ctx)
    assert draft.starts_at is not None
    assert draft.ends_at is not None
    long_enough = draft.ends_at - draft.starts_at >= REMOTE_FROM
    allowed = ctx.arg(1) == "yes" and long_enough and draft.kind not in ONSITE_ONLY
    activity_drafts.change(ctx.session, draft, ctx.now, remote_allowed=allowed)
    return _preview(ctx)


def _scope(ctx: Context) -> Reply:
    draft = _complete(ctx)
    if draft is None:
        return _gone(ctx)
    scope = "region" if ctx.arg(1) == "region" and _region(ctx, draft) is not None else "branch"
    activity_drafts.change(ctx.session, draft, ctx.now, scope=scope)
    return _preview(ctx)


def _preview(ctx: Context) -> Reply:
    draft = _complete(ctx)
    if draft is None:
        return _gone(ctx)
    say = ctx.say
    assert draft.starts_at is not None
    assert draft.ends_at is not None
    lines = [
        say("activities.preview", title=draft.title, kind=say(f"activities.kind_{draft.kind}")),
        say(
            "activities.when",
            when=said(say, draft.starts_at, ctx.now, ctx.zone),
            ends=clock(draft.ends_at, ctx.zone),
        ),
        say("activities.where", place=draft.place),
        say(f"activities.scope_{draft.scope}") + (say("activities.remote_too") if draft.remote_allowed else ""),
    ]
    other = "branch" if draft.scope == "region" else "region"
    buttons = [
        Button(say("activities.confirm"), "activities:confirm"),
        Button(say("activities.change_when"), "activities:ask_when"),
    ]
    if other == "branch" or _region(ctx, draft) is not None:
        buttons.append(Button(say(f"activities.make_{other}"), f"activities:scope:{other}"))
    buttons.append(Button(say("activities.drop"), "activities:drop"))
    return Reply("\n".join(lines), tuple(buttons), back="activities:new")


def _region(ctx: Context, draft: ActivityDraft) -> int | None:
    """The first region of the branch that makes the activity; None when it belongs to none."""
    organization = organizations.get(ctx.session, draft.organization_id)
    found = organizations.regions_of(ctx.session, organization)
    return found[0].id if found else None


def _confirm(ctx: Context) -> Reply:
    draft = _complete(ctx)
    if draft is None:
        return _gone(ctx)
    assert draft.starts_at is not None
    assert draft.ends_at is not None
    if draft.starts_at <= ctx.now:  # the preview was left lying
        return _ask_when(ctx, "when_past")
    activity = activity_drafts.add(
        ctx.session,
        Activity(
            code=activity_drafts.free_code(ctx.session),
            organization_id=draft.organization_id,
            region_id=_region(ctx, draft) if draft.scope == "region" else None,
            scope=draft.scope,
            kinds=draft.kind,
            title=draft.title,
            place=draft.place,
            starts_at=draft.starts_at,
            ends_at=draft.ends_at,
            check_in_opens_at=draft.starts_at - OPENS_BEFORE,
            check_in_closes_at=draft.ends_at,
            remote_allowed=draft.remote_allowed,
            created_by=ctx.me,
            created_at=ctx.now,
        ),
    )
    activity_drafts.drop(ctx.session, ctx.me)
    subject = f"activity:{activity.id}"
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action="activity.made", subject=subject)
    count = len(activities.invited_members(ctx.session, activity, activity.starts_at.astimezone(ctx.zone).date()))
    text = ctx.say("activities.made", title=activity.title, code=activity.code, count=count)
    return Reply(text, activity_roll.steps(ctx, activity), back="activities")


def _drop(ctx: Context) -> Reply:
    activity_drafts.drop(ctx.session, ctx.me)
    return Reply(ctx.say("activities.dropped"), (Button(ctx.say("activities.new"), "activities:new"),))


def _draft(ctx: Context) -> ActivityDraft | None:
    """What this secretary is making; None when nothing is, or the role on that node is gone."""
    draft = activity_drafts.draft_of(ctx.session, ctx.me)
    held = {node.id for role, node in ctx.roles() if role == "secretary"}
    return draft if draft is not None and draft.organization_id in held else None


def _complete(ctx: Context) -> ActivityDraft | None:
    draft = _draft(ctx)
    ready = draft is not None and draft.title and draft.place and draft.starts_at and draft.ends_at
    return draft if ready else None


def _gone(ctx: Context) -> Reply:
    if ctx.node("secretary") is None:
        return activity_roll.refused(ctx)
    return Reply(ctx.say("activities.no_draft"), (Button(ctx.say("activities.new"), "activities:new"),))


STEPS: Mapping[str, Callable[[Context], Reply]] = {
    "new": _new,
    "kind": _kind,
    "title": _title,
    "title_usual": _title,
    "ask_when": _ask_when,
    "when": _when,
    "place": _place,
    "place_usual": _place,
    "remote": _remote,
    "scope": _scope,
    "preview": _preview,
    "confirm": _confirm,
    "drop": _drop,
}
