"""What was recorded about an indicator, in words: the value, who handed it in, what became of it, its picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from db import activities, declarations, inspections, members, negatives, values
from db.negatives import Negative
from db.organizations import Organization
from db.values import ValueRecord
from handlers import power_scope
from handlers.conversation import Button, Context, Picture, Reply
from handlers.dates import said_day
from notices.said_values import said_recorded
from scoring.items import CommonItem, Indicator
from scoring.periods import CalendarPeriod, period

SHOWN = 2  # lines on the page of an indicator; all of them are a button away
PAGE = 5
_COUNT = re.compile(r"count\((\w+)\)")  # a metric that counts activities of a kind
ORIGINS = ("declaration", "clawback", "appeal", "correction", "sheet", "inspection", "auto", "undo", "poll")
"""How the cause of a recorded value begins."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The last lines about a value, and the ways to the rest."""

    lines: list[str]
    buttons: tuple[Button, ...]


def evidence(ctx: Context, branch: Organization, rule: Indicator, text: str | None, month: str) -> Evidence:
    """What stands behind an indicator of `month`, in the period that it is judged by; nothing if not due."""
    if text is None or branch.id is None:
        return Evidence([], ())
    say, found = ctx.say, values.history(ctx.session, branch.id, rule.id, text)
    lines = [said_line(ctx, branch, rule, one) for one in found[-SHOWN:]]
    lines += counted(ctx, branch, rule, period(rule.period, text))
    buttons = []
    picture = _picture_of(found[-1].cause) if found else None
    if picture is not None and power_scope.in_charge(ctx, branch):
        buttons.append(Button(say("power.see_proof"), f"org_power:proof:{branch.id}:{month}:{picture}"))
    if len(found) > SHOWN:
        buttons.append(
            Button(say("power.all_lines", count=len(found)), f"org_power:log:{branch.id}:{month}:{rule.id}:{text}")
        )
    buttons += _appeals(ctx, branch, [one.cause for one in found])
    return Evidence(lines, tuple(buttons))


def log(ctx: Context, branch: Organization, rule: Indicator, text: str, *, back: str) -> Reply:
    """Every line about one value, the latest first, page by page."""
    assert branch.id is not None
    found = list(reversed(values.history(ctx.session, branch.id, rule.id, text)))
    skip = (ctx.arg_id(5) or 0) * PAGE
    shown = found[skip : skip + PAGE]
    lines = [ctx.say("power.log_head", id=rule.id, title=rule.title_in(ctx.say.language), period=text)]
    lines += [said_line(ctx, branch, rule, one) for one in shown] or [ctx.say("power.nothing")]
    more: tuple[Button, ...] = ()
    if skip + PAGE < len(found):
        here = ":".join(ctx.args[:5])
        more = (Button(ctx.say("power.more"), f"org_power:{here}:{skip // PAGE + 1}"),)
    return Reply("\n".join(lines), more, back=back)


def said_line(ctx: Context, branch: Organization, rule: Indicator | CommonItem, line: ValueRecord) -> str:
    """Day, value and where it came from; names and reasons only for those who look after the organisation."""
    say = ctx.say
    return say(
        "power.value_line",
        day=said_day(ctx, line.recorded_at),
        value=said_recorded(say, rule, line.value),
        origin=_origin(ctx, branch, line),
    )


def _origin(ctx: Context, branch: Organization, line: ValueRecord) -> str:
    kind = next((one for one in ORIGINS if line.cause.startswith(one)), f"by_{line.collect}")
    words = ctx.say(f"power.origin_{kind}")
    if not power_scope.in_charge(ctx, branch):
        return words
    names = _people(ctx, kind, line)
    reason = [line.reason] if line.reason and ctx.names_allowed else []
    return ctx.say("power.between").join([words, *names, *reason])


def _people(ctx: Context, kind: str, line: ValueRecord) -> list[str]:
    """Who declared and approved, or who recorded it; never an inspector: the visit may have been covert."""
    if kind == "declaration":
        one = declarations.by_id(ctx.session, _number(line.cause))
        if one is None:
            return []
        said = [ctx.say("power.declared_by", name=_name(ctx, one.declared_by))]
        return said + ([ctx.say("power.approved_by", name=_name(ctx, one.decided_by))] if one.decided_by else [])
    if kind in ("inspection", "auto") or line.recorded_by is None:
        return []
    return [ctx.say("power.recorded_by", name=_name(ctx, line.recorded_by))]


def _name(ctx: Context, member_id: int) -> str:
    return ctx.called(members.get(ctx.session, member_id).name)


def _number(cause: str) -> int | None:
    found = re.search(r":([0-9]{1,9})(?::|$)", cause)
    return int(found[1]) if found else None


def counted(ctx: Context, branch: Organization, rule: Indicator, span: CalendarPeriod) -> list[str]:
    """Which activities of the service count for an indicator that counts them; nothing for others."""
    kind = _COUNT.match(rule.metric)
    return held(ctx, branch, frozenset({kind[1]}), span.first, span.last) if kind else []


def held(ctx: Context, branch: Organization, kinds: frozenset[str], first: date, last: date) -> list[str]:
    """The branch's closed activities of these kinds from `first` to `last`: how many, and the last of them."""
    begin, end = (datetime.combine(day, time(), ctx.zone) for day in (first, last + timedelta(days=1)))
    found = [
        one
        for one in activities.happened(ctx.session, begin, end, [branch.id or 0])
        if not kinds.isdisjoint(one.kinds.split(";")) and one.attended is not None
    ]
    if not found:
        return [ctx.say("power.counted_none")]
    found.sort(key=lambda one: one.starts_at)
    said = [
        ctx.say(
            "power.counted_one",
            day=said_day(ctx, one.starts_at),
            came=one.attended,
            due=one.should_attend or 0,
        )
        for one in found[-SHOWN:]
    ]
    return [ctx.say("power.counted", count=len(found), days=ctx.say("index.step_joint").join(said))]


def cases(ctx: Context, branch: Organization, item_id: str, first: date, last: date) -> list[str]:
    """The last cases of one item of the negative list from `first` to `last`."""
    found = [one for one in negatives.lines(ctx.session, branch.id or 0, first, last) if one.item_id == item_id]
    return [said_case(ctx, branch, one) for one in found[-SHOWN:]]


def said_case(ctx: Context, branch: Organization, line: Negative) -> str:
    """One case of the negative list; what it was about only for those who look after the organisation."""
    note = f" {line.note}" if line.note and ctx.names_allowed and power_scope.in_charge(ctx, branch) else ""
    name = "power.case" if line.count > 0 else "power.case_back"
    return ctx.say(name, month=line.day.month, day=line.day.day, count=abs(line.count), note=note)


def case_buttons(ctx: Context, branch: Organization, lines: Sequence[Negative], month: str) -> list[Button]:
    """The picture behind the last case, and the appeals that are still open to the secretary."""
    buttons = []
    picture = next((found for one in reversed(lines) if (found := _picture_of(one.cause or ""))), None)
    if picture is not None and power_scope.in_charge(ctx, branch):
        buttons.append(Button(ctx.say("power.see_proof"), f"org_power:proof:{branch.id}:{month}:{picture}"))
    return buttons + _appeals(ctx, branch, [one.cause or "" for one in lines])


def _appeals(ctx: Context, branch: Organization, causes: Sequence[str]) -> list[Button]:
    """The secretary appeals an inspection where its card is."""
    mine = any(role == "secretary" and node.id == branch.id for role, node in ctx.roles())
    numbers = {_number(one): None for one in causes if one.startswith("inspection:")}
    return [
        Button(ctx.say("power.appeal"), f"rectify:see:{number}")
        for number in numbers
        if mine and number is not None
    ][:1]


def _picture_of(cause: str) -> str | None:
    """`declaration:17` where the cause leads to something with a picture."""
    kind, number = cause.removeprefix("clawback:").partition(":")[0], _number(cause)
    return f"{kind}:{number}" if kind in ("declaration", "inspection") and number is not None else None


def proof(ctx: Context, branch: Organization, kind: str, number: int | None, *, back: str) -> Reply:
    """The picture that was handed in. The caller has seen to it that this person looks after the organisation."""
    found = (declarations if kind == "declaration" else inspections).by_id(ctx.session, number)
    if found is None or found.organization_id != branch.id or found.picture_id is None:
        return Reply(ctx.say("power.no_proof"), back=back)
    if not ctx.names_allowed:
        return Reply(ctx.say("power.proof_not_here"), back=back)
    picture = Picture("stored", {"id": found.picture_id}, ctx.say("power.proof_alt"))
    return Reply(ctx.say("power.proof"), (), picture, back=back)
