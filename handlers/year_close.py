"""The close of a year in chat, for the committee's reviewers and the district.

Actions: `year_close` and `year_close:STEP:...`. The reviewer confirms the branches of the committee and answers
objections; the district opens the close, sees what stands in the way, and confirms the whole. Corrections and
veto events are in conversations of their own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date

from db import audit, members, organizations, vetoes, year_close, year_results
from db.organizations import Organization
from db.year_close import YearClose, YearCommittee
from db.year_obstacles import obstacles
from handlers import year_objections
from handlers.conversation import Button, Command, Context, Reply
from notices import year_close as notes
from notices.working_days import working_day_after
from scoring.catalogue import shipped

DISTRICT, REVIEWER = "district_org_department", "committee_reviewer"
SHOWN_MAX, PAGE = 5, 8
LATER = ("committees", "window", "objections")  # obstacles that come after a committee's confirmation


def close_year(ctx: Context) -> Reply:
    """`定星`: how far the close of the last year is, and what this person has to do in it."""
    steps: dict[str, Callable[[Context], Reply]] = {
        "open": _open,
        "confirm": _confirm,
        "committee": _committee,
        "list": _branches,
        "stand": _stand,
        **year_objections.STEPS,
    }
    step = steps.get(ctx.arg())
    return step(ctx) if step else _home(ctx)


def _year(ctx: Context) -> int:
    """The year that is to be closed: always the last one."""
    return ctx.today.year - 1


def _is_district(ctx: Context) -> bool:
    return any(role == DISTRICT for role, _ in ctx.roles())


def _home(ctx: Context, first: str = "") -> Reply:
    say, year = ctx.say, _year(ctx)
    closing = year_close.get(ctx.session, year)
    state = closing.state if closing else "not_open"
    lines = [first] if first else []
    lines.append(say(f"year_close.is_{state}", year=year))
    buttons: list[Button] = []
    if _is_district(ctx):
        buttons += _district(ctx, closing, lines)
    if closing is not None and closing.state == "open":
        for part, node in _mine(ctx, year):
            buttons.append(Button(node.name, f"year_close:committee:{node.id}"))
            lines.append(say(f"year_close.committee_{part.state}", node=node.name))
    if closing is not None and any(role == REVIEWER for role, _ in ctx.roles()):
        buttons.append(Button(say("year_close.objections"), "year_close:objections"))
    return Reply("\n".join(lines), tuple(buttons[:7]))


def _district(ctx: Context, closing: YearClose | None, lines: list[str]) -> list[Button]:
    """The preview and the ways of the district."""
    say, year = ctx.say, _year(ctx)
    buttons = []
    lines += _preview(ctx, year)
    if closing is None and year_results.counts(ctx.session, year):
        buttons.append(Button(say("year_close.open"), "year_close:open"))
    elif closing is not None and closing.state == "open":
        lines += [
            say(f"year_close.waits_{kind}", count=count)
            for kind, count in obstacles(ctx.session, year, ctx.today).items()
        ]
        buttons.append(Button(say("year_close.confirm"), "year_close:confirm"))
    buttons.append(Button(say("menu.vetoes"), "vetoes"))
    if closing is not None and closing.state == "closed":
        buttons.append(Button(say("menu.star_corrections"), "star_corrections"))
    return buttons


def _preview(ctx: Context, year: int) -> list[str]:
    """Per field how many of each star, the quota of five stars, and vetoes by count and by event."""
    say = ctx.say
    counts: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    few: dict[str, int] = defaultdict(int)
    for field, stars, vetoed, count in year_results.counts(ctx.session, year):
        counts[field][stars] += count
        few[field] += count if vetoed else 0
    share = shipped().fortress.terms_on(notes.last_day(year)).stars.five_star_share
    lines = []
    for field, found in counts.items():
        size = sum(found.values())
        listed = say("year_close.joint").join(
            say("year_close.count", stars=say(f"stars.{stars}"), count=found[stars])
            for stars in sorted(found)[::-1]
        )
        quota = max(1, int(share * size))
        name = say(f"fields.{field}")
        lines.append(say("year_close.field", field=name, counts=listed, quota=quota, few=few[field]))
    events = len(vetoes.confirmed(ctx.session, year))
    return [*lines, say("year_close.events", count=events)] if lines else [say("year_close.no_figures")]


# ---- the district -------------------------------------------------------------------------------------------


def _open(ctx: Context) -> Reply:
    if not _is_district(ctx):
        return _home(ctx, ctx.say("year_close.not_yours"))
    year = _year(ctx)
    if not year_results.counts(ctx.session, year):  # a year before the service: it could never be confirmed
        return _home(ctx)
    if ctx.arg(1) != "yes":
        count = len(year_close.committees_with_branches(ctx.session))
        text = ctx.say("year_close.sure_open", year=year, count=count)
        return Reply(text, (Button(ctx.say("year_close.yes"), "year_close:open:yes"),), back="year_close")
    parts = year_close.committees_with_branches(ctx.session)
    if not year_close.open_year(ctx.session, year, ctx.me, ctx.now, parts):
        return _home(ctx, ctx.say("year_close.opened_before"))
    _log(ctx, "year_close.opened", f"year:{year}")
    return _home(ctx, ctx.say("year_close.opened"))


def _confirm(ctx: Context) -> Reply:
    """The district stands for the whole: only when nothing of the year is undecided."""
    say, year = ctx.say, _year(ctx)
    if not _is_district(ctx):
        return _home(ctx, say("year_close.not_yours"))
    closing = year_close.get(ctx.session, year)
    if closing is None or closing.state != "open":
        return _home(ctx)
    open_ones = obstacles(ctx.session, year, ctx.today)
    if open_ones:
        lines = [say("year_close.not_yet")]
        lines += [say(f"year_close.waits_{kind}", count=count) for kind, count in open_ones.items()]
        return Reply("\n".join(lines), back="year_close")
    if ctx.arg(1) != "yes":
        text = "\n".join((say("year_close.sure_confirm", year=year), *_preview(ctx, year)))
        return Reply(text, (Button(say("year_close.yes"), "year_close:confirm:yes"),), back="year_close")
    if not year_close.begin_freezing(ctx.session, year, ctx.me, ctx.now):
        return _home(ctx)
    if obstacles(ctx.session, year, ctx.today):  # something came in between: the row is ours now, look again
        raise RuntimeError("something was handed in while the year was confirmed")
    _log(ctx, "year_close.confirmed", f"year:{year}")
    return _home(ctx, say("year_close.confirmed"))


# ---- the committee ------------------------------------------------------------------------------------------


def _mine(ctx: Context, year: int) -> Sequence[tuple[YearCommittee, Organization]]:
    """The parts that this person confirms as a reviewer; the district for nodes without one."""
    found = []
    for part, node in year_close.committees(ctx.session, year):
        if _stands_for(ctx, node):
            found.append((part, node))
    return found[:SHOWN_MAX]


def _stands_for(ctx: Context, node: Organization) -> bool:
    if members.has_role(ctx.session, ctx.me, REVIEWER, node, ctx.today):
        return True
    vacant = not members.holders(ctx.session, node, REVIEWER, ctx.today)
    return vacant and members.has_role(ctx.session, ctx.me, DISTRICT, node, ctx.today)


def _asked(ctx: Context) -> tuple[YearCommittee, Organization] | None:
    part = year_close.committee(ctx.session, _year(ctx), ctx.arg_id(1))
    if part is None:
        return None
    node = organizations.get(ctx.session, part.organization_id)
    return (part, node) if _stands_for(ctx, node) else None


def _committee(ctx: Context) -> Reply:
    """The committee's branches in figures, and what to do about them."""
    asked = _asked(ctx)
    if asked is None:
        return _home(ctx, ctx.say("year_close.not_yours"))
    part, node = asked
    say, year = ctx.say, _year(ctx)
    listed = year_results.under(ctx.session, year, node.path)
    events = vetoes.confirmed(ctx.session, year)
    counts: dict[int, int] = defaultdict(int)
    for index, _ in listed:
        counts[notes.shown_stars(index, events)] += 1
    told = say("year_close.joint").join(
        say("year_close.count", stars=say(f"stars.{stars}"), count=counts[stars]) for stars in sorted(counts)[::-1]
    )
    text = say("year_close.committee", node=node.name, year=year, total=len(listed), counts=told or "-")
    text += "\n" + say(f"year_close.committee_{part.state}", node=node.name)
    buttons = [Button(say("year_close.list"), f"year_close:list:{node.id}:1")]
    if part.state == "open":
        buttons.append(Button(say("year_close.stand"), f"year_close:stand:{node.id}"))
    return Reply(text, tuple(buttons), back="year_close")


def _branches(ctx: Context) -> Reply:
    """The committee's branches by name, page by page, for those who stand for them."""
    asked = _asked(ctx)
    if asked is None:
        return _home(ctx, ctx.say("year_close.not_yours"))
    _, node = asked
    page = max(1, ctx.arg_id(2) or 1)
    listed = year_results.under(ctx.session, _year(ctx), node.path)
    events = vetoes.confirmed(ctx.session, _year(ctx))
    lines = []
    for index, branch in listed[(page - 1) * PAGE : page * PAGE]:
        kinds = events.get(index.organization_id, [])
        stars = notes.said_stars(ctx.say, notes.shown_stars(index, events), index.veto, kinds)
        lines.append(f"{branch.name} {stars}")
    more = (Button(ctx.say("year_close.more"), f"year_close:list:{node.id}:{page + 1}"),)
    text = "\n".join(lines) or ctx.say("year_close.no_figures")
    return Reply(text, more if page * PAGE < len(listed) else (), back=f"year_close:committee:{node.id}")


def _stand(ctx: Context) -> Reply:
    """The committee confirms: from now members may object for some working days."""
    asked = _asked(ctx)
    say, year = ctx.say, _year(ctx)
    if asked is None:
        return _home(ctx, say("year_close.not_yours"))
    _, node = asked
    assert node.id is not None
    open_ones = {
        kind: count for kind, count in obstacles(ctx.session, year, ctx.today).items() if kind not in LATER
    }
    if open_ones:  # what members are shown now should not change under their eyes
        lines = [say("year_close.not_yet")]
        lines += [say(f"year_close.waits_{kind}", count=count) for kind, count in open_ones.items()]
        return Reply("\n".join(lines), back=f"year_close:committee:{node.id}")
    until = _until(ctx.today)
    if ctx.arg(2) != "yes":
        text = say("year_close.sure_stand", node=node.name, year=year, month=until.month, day=until.day)
        yes = Button(say("year_close.yes"), f"year_close:stand:{node.id}:yes")
        return Reply(text, (yes,), back=f"year_close:committee:{node.id}")
    if not year_close.confirm_committee(ctx.session, year, node.id, ctx.me, ctx.now, until):
        return _home(ctx, say("year_close.stood_before"))
    _log(ctx, "year_close.committee", f"node:{node.id}", year=year)
    return _home(ctx, say("year_close.stood", month=until.month, day=until.day))


def _until(today: date) -> date:
    """The last day on which members may object."""
    return working_day_after(today, shipped().ratings.year_close.terms_on(today).objection_days)


def _log(ctx: Context, action: str, subject: str, **detail: object) -> None:
    audit.record(ctx.session, at=ctx.now, actor_id=ctx.me, action=action, subject=subject, **detail)


YEAR_CLOSE = Command(
    "year_close",
    ("定星", "年度定星", "year close"),
    close_year,
    slash=("/yearclose",),
    roles=frozenset({DISTRICT, REVIEWER}),
    phrases=("年底评星", "确认星级", "close the year"),
    in_menu=False,
    order=150,
)
