"""Veto events: one person of the district reports with evidence, another one decides.

Actions: `vetoes`, `vetoes:branch CODE`, `vetoes:kinds:BRANCH`, `vetoes:note:BRANCH:KIND`, `vetoes:see:ID`,
`vetoes:yes:ID`, `vetoes:no:ID`.
An event is about the last year until its close is confirmed, and about this year after that.
"""

from __future__ import annotations

from collections.abc import Callable

from db import audit, members, organizations, vetoes, year_close
from db.organizations import Organization
from db.vetoes import VetoEvent
from handlers.conversation import Button, Command, Context, Picture, Reply
from scoring.catalogue import shipped

ROLE = "district_org_department"
SHOWN_MAX = 6
NOTE_MIN, NOTE_MAX = 4, 300  # characters


def veto(ctx: Context) -> Reply:
    """`一票否决事项`: what waits for a second person, and reporting a new one."""
    steps: dict[str, Callable[[Context], Reply]] = {
        "branch": _branch,
        "kinds": _branch,
        "note": _note,
        "see": _see,
        "yes": lambda ctx: _decide(ctx, "confirmed"),
        "no": lambda ctx: _decide(ctx, "rejected"),
    }
    step = steps.get(ctx.arg())
    return step(ctx) if step else _home(ctx)


def _year(ctx: Context) -> int:
    """The year that a new event takes the stars of."""
    last = ctx.today.year - 1
    closing = year_close.get(ctx.session, last)
    return last if closing is not None and closing.state == "open" else ctx.today.year


def _home(ctx: Context, first: str = "") -> Reply:
    say, year = ctx.say, _year(ctx)
    buttons = [
        Button(_title(ctx, one), f"vetoes:see:{one.id}")
        for one in vetoes.waiting(ctx.session, year)[:SHOWN_MAX]
        if _within(ctx, organizations.get(ctx.session, one.organization_id))
    ]
    text = say("vetoes.waiting" if buttons else "vetoes.none", year=year)
    text = f"{text}\n{say('vetoes.report')}"
    return Reply(f"{first}\n{text}" if first else text, tuple(buttons), expect="vetoes:branch")


def _within(ctx: Context, branch: Organization) -> bool:
    return members.has_role(ctx.session, ctx.me, ROLE, branch, ctx.today)


def _title(ctx: Context, one: VetoEvent) -> str:
    kind = shipped().ratings.year_close.veto_kind(one.kind).title_in(ctx.say.language)
    return f"{organizations.get(ctx.session, one.organization_id).name} {kind}"


def _branch(ctx: Context) -> Reply:
    """The kinds of events, for a branch that was named by its number or comes back by its id."""
    say = ctx.say
    if ctx.arg() == "kinds":
        branch = ctx.session.get(Organization, ctx.arg_id(1)) if ctx.arg_id(1) is not None else None
    else:
        branch = organizations.by_code(ctx.session, " ".join(ctx.args[1:]))
    if branch is None or branch.field is None or not _within(ctx, branch):
        return Reply(say("vetoes.no_branch"), expect="vetoes:branch", back="vetoes")
    buttons = tuple(
        Button(kind.title_in(say.language), f"vetoes:note:{branch.id}:{kind.id}")
        for kind in shipped().ratings.year_close.terms_on(ctx.today).veto
    )
    return Reply(say("vetoes.which", branch=branch.name, year=_year(ctx)), buttons, back="vetoes")


def _note(ctx: Context) -> Reply:
    """Ask for what happened, in words or by a picture with words, and keep it for the second person."""
    say, branch_id, kind = ctx.say, ctx.arg_id(1), ctx.arg(2)
    branch = ctx.session.get(Organization, branch_id) if branch_id is not None else None
    known = {one.id for one in shipped().ratings.year_close.terms_on(ctx.today).veto}
    if (
        branch is None
        or branch.id is None
        or branch.field is None
        or kind not in known
        or not _within(ctx, branch)
    ):
        return _home(ctx, say("vetoes.no_branch"))
    words = " ".join(" ".join(ctx.args[3:]).split())
    if not NOTE_MIN <= len(words) <= NOTE_MAX:
        return Reply(
            say("vetoes.ask_note"), expect=f"vetoes:note:{branch.id}:{kind}", back=f"vetoes:kinds:{branch.id}"
        )
    event = VetoEvent(
        organization_id=branch.id,
        year=_year(ctx),
        kind=kind,
        note=words,
        picture_id=ctx.picture_id,
        reported_by=ctx.me,
        reported_at=ctx.now,
    )
    if not vetoes.report(ctx.session, event):
        return _home(ctx, say("vetoes.reported_before"))
    _log(ctx, "veto.reported", event)
    return _home(ctx, say("vetoes.reported"))


def _asked(ctx: Context) -> VetoEvent | None:
    event = vetoes.get(ctx.session, ctx.arg_id(1))
    if event is None or not _within(ctx, organizations.get(ctx.session, event.organization_id)):
        return None
    return event


def _see(ctx: Context) -> Reply:
    say, event = ctx.say, _asked(ctx)
    if event is None:
        return _home(ctx, say("vetoes.unknown"))
    text = say(f"vetoes.is_{event.state}", title=_title(ctx, event), year=event.year, note=event.note)
    picture = Picture("stored", {"id": event.picture_id}, say("vetoes.picture")) if event.picture_id else None
    if event.state != "reported" or event.reported_by == ctx.me:
        own = f"\n{say('vetoes.own')}" if event.state == "reported" else ""
        return Reply(text + own, picture=picture, back="vetoes")
    buttons = (
        Button(say("vetoes.confirm"), f"vetoes:yes:{event.id}"),
        Button(say("vetoes.reject"), f"vetoes:no:{event.id}"),
    )
    return Reply(text, buttons, picture, back="vetoes")


def _decide(ctx: Context, state: str) -> Reply:
    say, event = ctx.say, _asked(ctx)
    if event is None or event.id is None:
        return _home(ctx, say("vetoes.unknown"))
    closing = year_close.get(ctx.session, event.year)
    if closing is not None and closing.state != "open":
        return _home(ctx, say("vetoes.too_late"))  # the results are frozen: that is a correction now
    if not vetoes.decide(ctx.session, event.id, state, ctx.me, ctx.now):
        own = event.reported_by == ctx.me and event.state == "reported"
        return _home(ctx, say("vetoes.own" if own else "vetoes.decided_before"))
    _log(ctx, f"veto.{state}", event)
    return _home(ctx, say(f"vetoes.done_{state}"))


def _log(ctx: Context, action: str, event: VetoEvent) -> None:
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=action,
        subject=f"veto_event:{event.id}",
        organization=event.organization_id,
        year=event.year,
        kind=event.kind,
    )


VETOES = Command(
    "vetoes",
    ("否决事项", "一票否决事项", "veto"),
    veto,
    slash=("/veto",),
    roles=frozenset({ROLE}),
    phrases=("登记一票否决",),
    in_menu=False,
    order=151,
)
