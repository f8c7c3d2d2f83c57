"""Dates of the branch from which something follows: the secretary sees them, notes those of applicants, ends them.

Actions: `dated`, `dated:list:PLACE`, `dated:new`, `dated:who:KIND LABEL`, `dated:day:KIND:LABEL DAY`,
`dated:sure:KIND:LABEL:DAY`, `dated:see:ID`, `dated:done:ID`, `dated:drop:ID`, `dated:dropped:ID`,
`dated:mentor:ID NAME`.
An applicant is known by initials or a number: the form of a label leaves no room for a name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta

from db import audit, companions, dated_facts, members
from db.dated_facts import DatedFact
from db.organizations import Organization
from handlers import picking
from handlers.conversation import Button, Command, Context, Reply
from handlers.group_own import own_branch
from handlers.paging import page_of
from handlers.spoken_time import spoken_past_day
from notices.dated_days import Kind, kinds, next_on

SHOWN_MAX = 5  # beside 更多 and the button to add
LABEL = re.compile(r"(?=.)[A-Z]{0,4}\d{0,6}")
BACK_MAX = timedelta(days=731)  # an older day is a slip of the finger


def dated(ctx: Context) -> Reply:
    """`期限`: the open dates of one's branch, and the steps to one of them."""
    branch = own_branch(ctx)
    if branch is None:
        return Reply(ctx.say("dated.no_branch"))
    steps: dict[str, Callable[[Context, Organization], Reply]] = {
        "new": _which,
        "who": _who,
        "day": _day,
        "sure": _note,
        "see": _see,
        "done": _done,
        "drop": _drop,
        "dropped": _dropped,
        "mentor": _mentor,
    }
    return steps.get(ctx.arg(), _list)(ctx, branch)


def _list(ctx: Context, branch: Organization, first: str = "") -> Reply:
    found = _open(ctx, branch)
    part = page_of(found, ctx.arg_id(1) if ctx.arg() == "list" else None, SHOWN_MAX)
    steps = [Button(ctx.say("dated.line", **_words(ctx, one)), f"dated:see:{one.id}") for one in part.shown]
    steps += [*part.more(ctx, "dated:list"), Button(ctx.say("dated.add"), "dated:new")]
    text = ctx.say("dated.list", count=len(found)) if found else ctx.say("dated.none")
    return Reply(f"{first}\n{text}" if first else text, tuple(steps), back="work")


def _open(ctx: Context, branch: Organization) -> list[DatedFact]:
    ids = [branch.id] if branch.id is not None else []
    return [one.fact for one in dated_facts.standing(ctx.session, ids, ctx.today) if one.fact.kind in kinds()]


def _words(ctx: Context, fact: DatedFact) -> dict[str, str]:
    who = fact.label
    if fact.member_id is not None:
        who = ctx.called(members.get(ctx.session, fact.member_id).name)
    return {"kind": ctx.say(f"dated.kind_{fact.kind}"), "who": who, "day": _said(ctx, fact.day)}


def _said(ctx: Context, day: date) -> str:
    return ctx.say("dated.date", year=day.year, month=day.month, day=day.day)


def _which(ctx: Context, branch: Organization) -> Reply:
    listed = [one.id for one in kinds().values() if one.of == "applicant"]
    steps = tuple(Button(ctx.say(f"dated.kind_{one}"), f"dated:who:{one}") for one in listed)
    return Reply(ctx.say("dated.which"), steps, back="dated")


def _kind(ctx: Context) -> Kind | None:
    """The kind of the step, if a secretary notes it here."""
    kind = kinds().get(ctx.arg(1))
    return kind if kind is not None and kind.of == "applicant" else None


def _label(word: str) -> str:
    """Initials or a number as they are kept; an empty text when it is neither."""
    said = unicodedata.normalize("NFKC", word).strip().upper()
    return said if LABEL.fullmatch(said) else ""


def _who(ctx: Context, branch: Organization) -> Reply:
    kind = _kind(ctx)
    if kind is None:
        return _which(ctx, branch)
    said = " ".join(ctx.args[2:])
    label = _label(said)
    if not label:
        wrong = ctx.say("dated.who_wrong") if said else ctx.say("dated.who")
        return Reply(wrong, expect=f"dated:who:{kind.id}", back="dated:new")
    return _ask_day(ctx, kind, label)


def _ask_day(ctx: Context, kind: Kind, label: str, wrong: str = "") -> Reply:
    text = wrong or ctx.say(f"dated.day_{kind.id}", label=label)
    return Reply(text, expect=f"dated:day:{kind.id}:{label}", back=f"dated:who:{kind.id}")


def _day(ctx: Context, branch: Organization) -> Reply:
    kind, label = _kind(ctx), _label(ctx.arg(2))
    if kind is None or not label:
        return _which(ctx, branch)
    day = spoken_past_day(" ".join(ctx.args[3:]), ctx.today)
    if day is None or day < ctx.today - BACK_MAX:
        return _ask_day(ctx, kind, label, ctx.say("dated.day_wrong"))
    steps = (
        Button(ctx.say("dated.sure"), f"dated:sure:{kind.id}:{label}:{day}"),
        Button(ctx.say("dated.other"), "dated:new"),
    )
    values = {"kind": ctx.say(f"dated.kind_{kind.id}"), "who": label, "day": _said(ctx, day)}
    return Reply(_with_next(ctx, "dated.preview", kind, day, values), steps, back="dated")


def _with_next(ctx: Context, name: str, kind: Kind, day: date, values: dict[str, str]) -> str:
    """The text, or the one for when no reminder is to come."""
    coming = next_on(kind, day, ctx.today)
    if coming is None:
        return ctx.say(f"{name}_late", **values)
    return ctx.say(name, **values, next=_said(ctx, coming))


def _note(ctx: Context, branch: Organization) -> Reply:
    kind, label, day = _kind(ctx), _label(ctx.arg(2)), _iso(ctx.arg(3))
    if kind is None or not label or day is None or not ctx.today - BACK_MAX <= day <= ctx.today:
        return _which(ctx, branch)
    assert branch.id is not None
    fact = DatedFact(
        organization_id=branch.id, kind=kind.id, day=day, label=label, noted_by=ctx.me, noted_at=ctx.now
    )
    if not dated_facts.note(ctx.session, fact):
        return _list(ctx, branch, ctx.say("dated.noted_before", who=label))
    _log(ctx, branch, fact, "noted")
    return _list(ctx, branch, ctx.say("dated.noted"))


def _iso(word: str) -> date | None:
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def _asked(ctx: Context, branch: Organization) -> DatedFact | None:
    """The open fact of the step, looked for among those of one's own branch."""
    return next((one for one in _open(ctx, branch) if one.id == ctx.arg_id(1)), None)


def _see(ctx: Context, branch: Organization) -> Reply:
    fact = _asked(ctx, branch)
    if fact is None:
        return _list(ctx, branch, ctx.say("dated.gone"))
    return _seen(ctx, branch, fact)


def _seen(ctx: Context, branch: Organization, fact: DatedFact, first: str = "") -> Reply:
    assert branch.id is not None
    kind = kinds()[fact.kind]
    steps = [
        Button(ctx.say("dated.done_again" if kind.again else "dated.done"), f"dated:done:{fact.id}"),
        Button(ctx.say("dated.drop"), f"dated:drop:{fact.id}"),
    ]
    text = _with_next(ctx, "dated.see", kind, fact.day, _words(ctx, fact))
    if any("mentor" in step.to for step in kind.steps):
        steps.append(Button(ctx.say("dated.mentor"), f"dated:mentor:{fact.id}"))
        mentor = companions.mentors(ctx.session, [branch.id]).get((branch.id, fact.label))
        if mentor is not None:
            who = ctx.called(members.get(ctx.session, mentor).name)
            text += "\n" + ctx.say("dated.mentored", who=who)
    return Reply(f"{first}\n{text}" if first else text, tuple(steps), back="dated")


def _mentor(ctx: Context, branch: Organization) -> Reply:
    """`mentor:ID`, then a member of the branch: who mentors this applicant hears of the reviews."""
    fact = _asked(ctx, branch)
    if fact is None or fact.member_id is not None:
        return _list(ctx, branch, ctx.say("dated.gone"))
    assert branch.id is not None
    people = members.members_of(ctx.session, branch.id, ctx.today)
    action, word = f"dated:mentor:{fact.id}", " ".join(ctx.args[2:])
    marked, page = picking.marked(word, "m"), picking.marked(word, "p")
    found = [one for one in people if one.id == marked]
    if not found and word and page is None:
        found = picking.by_word(people, word)
    if len(found) != 1:
        text = ctx.say("dated.mentor_unknown" if word and page is None else "dated.mentor_who", who=fact.label)
        shown = picking.buttons(ctx, people, action, page or 0) if ctx.names_allowed else ()
        return Reply(text, shown, expect=action, back=f"dated:see:{fact.id}")
    assert found[0].id is not None
    companions.name_mentor(ctx.session, branch.id, fact.label, found[0].id)
    _log(ctx, branch, fact, "mentor")
    return _seen(ctx, branch, fact, ctx.say("dated.mentor_named"))


def _done(ctx: Context, branch: Organization) -> Reply:
    fact = _asked(ctx, branch)
    again = fact is not None and kinds()[fact.kind].again
    on = ctx.today if again else None
    if fact is None or not dated_facts.end(ctx.session, fact, "done", ctx.me, ctx.now, again_on=on):
        return _list(ctx, branch, ctx.say("dated.gone"))
    _log(ctx, branch, fact, "done")
    return _list(ctx, branch, ctx.say("dated.ended_again" if again else "dated.ended"))


def _drop(ctx: Context, branch: Organization) -> Reply:
    fact = _asked(ctx, branch)
    if fact is None:
        return _list(ctx, branch, ctx.say("dated.gone"))
    steps = (Button(ctx.say("dated.drop_yes"), f"dated:dropped:{fact.id}"),)
    return Reply(ctx.say("dated.drop_sure", **_words(ctx, fact)), steps, back=f"dated:see:{fact.id}")


def _dropped(ctx: Context, branch: Organization) -> Reply:
    fact = _asked(ctx, branch)
    if fact is None or not dated_facts.end(ctx.session, fact, "dropped", ctx.me, ctx.now, again_on=None):
        return _list(ctx, branch, ctx.say("dated.gone"))
    _log(ctx, branch, fact, "dropped")
    return _list(ctx, branch, ctx.say("dated.dropped"))


def _log(ctx: Context, branch: Organization, fact: DatedFact, what: str) -> None:
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action=f"dated.{what}",
        subject=f"dated_fact:{fact.id}",
        organization=branch.id,
        kind=fact.kind,
        day=fact.day.isoformat(),
    )


DATED = Command(
    "dated",
    ("期限", "入党期限", "dates"),
    dated,
    roles=frozenset({"secretary"}),
    phrases=("登记入党申请", "谁的期限快到了", "note an application"),
    steps=dict.fromkeys(("登记期限", "note a date"), "new"),
    in_menu=False,
    order=152,
)
