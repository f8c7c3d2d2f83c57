"""One line of an index in words: what a rule is called, what it brought, how far it is, how sure its source is."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from db.ledger import Entry
from handlers.conversation import Context
from handlers.spoken_hours import said_hours
from notices.said_values import is_share
from notices.wording import two_places
from scoring.blocks import Named
from scoring.catalogue import shipped
from scoring.explain import Line, Part
from scoring.items import CommonItem

TITLE_MAX = 16  # characters of a title on a button
FROM_RULE = "rule"  # what a button to a line says when it stands below its rule
BEGINNING = date(2000, 1, 1)  # the day from which the rule files hold


def title_of(ctx: Context, named: Named | None) -> str:
    """The title in the reader's language; None: the deductions of a branch."""
    return named.title_in(ctx.say.language) if named else ctx.say("index.deductions")


def short_of(ctx: Context, named: Named) -> str:
    """`C02` and its title for a button, cut where it is too long."""
    title, most = title_of(ctx, named), TITLE_MAX if ctx.say.language == "zh" else 2 * TITLE_MAX
    return f"{named.id} {title if len(title) <= most else title[: most - 1] + '…'}"


def line_of(ctx: Context, line: Line) -> str:
    """One rule in a line: what it brought, of how much, for how many."""
    have = "" if line.have is None else _quantity(ctx, line)
    return f"{title_of(ctx, line.rule)} {_brought(ctx, line.value, line.most)}{have}"


def part_of(ctx: Context, part: Part) -> str:
    """One part of an index in a line: its title and what it brought, of how much."""
    if part.title is None:  # 扣分 is its title already
        return f"{title_of(ctx, None)} {two_places(abs(part.value))}"
    return f"{title_of(ctx, part.title)} {_brought(ctx, part.value, part.most)}"


def _brought(ctx: Context, value: int, most: int | None) -> str:
    """`12.00 / 20`; what takes points is said so: nobody reads a minus sign before a score."""
    if value < 0:
        return ctx.say("index.taken", points=two_places(-value))
    return two_places(value) + (f" / {most // 100}" if most else "")


def _quantity(ctx: Context, line: Line) -> str:
    figure = percent_of if isinstance(line.rule, CommonItem) and is_share(line.rule) else figure_of
    if line.required is None:
        return ctx.say("index.have", have=figure(line.have))
    return ctx.say("index.have_of", have=figure(line.have), required=figure(line.required))


def percent_of(value: Fraction | None) -> str:
    """A share in per cent: `90%`, `66.67%`."""
    return "-" if value is None else f"{figure_of(100 * value)}%"


def figure_of(value: Fraction | None) -> str:
    """A quantity without a tail of zeros: `12`, `7.5`; `-` where there is none."""
    if value is None:
        return "-"
    return str(int(value)) if value.denominator == 1 else f"{float(value):.2f}".rstrip("0").rstrip(".")


def since_of(ctx: Context, day: date) -> str:
    """Since when a rule holds; nothing for one that holds since our rules begin, which is no day of any paper."""
    return "" if day <= BEGINNING else ctx.say("index.since", year=day.year, month=day.month, day=day.day)


def worth_of(ctx: Context, line: Entry) -> str:
    """What a line of the ledger brings: points with their sign; hours where hours are what counts."""
    known = any(rule.id == line.rule_id for rule in shipped().pioneer.rule)
    if not known or shipped().rule(line.rule_id).formula != "hours_pro_rata":
        return f"{line.points:+d}"
    sign = "-" if line.hundredths < 0 else "+"
    return ctx.say("points.hours", hours=f"{sign}{said_hours(abs(line.hundredths))}")


def status_of(ctx: Context, line: Line) -> str:
    """How sure the rule behind the line is: stated, published, our proposal."""
    return ctx.say(f"index.status_{line.status.rstrip('*')}")
