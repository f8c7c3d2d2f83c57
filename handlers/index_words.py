"""One line of an index in words: what a rule is called, what it brought, how far it is, how sure its source is."""

from __future__ import annotations

from fractions import Fraction

from handlers.conversation import Context
from notices.wording import two_places
from scoring.blocks import Named
from scoring.explain import Line

TITLE_MAX = 16  # characters of a title on a button


def title_of(ctx: Context, named: Named | None) -> str:
    """The title in the reader's language; None: the deductions of a branch."""
    return named.title_in(ctx.say.language) if named else ctx.say("index.deductions")


def short_of(ctx: Context, named: Named) -> str:
    """`C02` and its title for a button, cut where it is too long."""
    title, most = title_of(ctx, named), TITLE_MAX if ctx.say.language == "zh" else 2 * TITLE_MAX
    return f"{named.id} {title if len(title) <= most else title[: most - 1] + '…'}"


def line_of(ctx: Context, line: Line) -> str:
    """One rule in a line: what it brought, of how much, for how many."""
    most = f" / {line.most // 100}" if line.most is not None else ""
    have = "" if line.have is None else _quantity(ctx, line)
    return f"{title_of(ctx, line.rule)} {two_places(line.value)}{most}{have}"


def _quantity(ctx: Context, line: Line) -> str:
    have = figure_of(line.have)
    if line.required is None:
        return ctx.say("index.have", have=have)
    return ctx.say("index.have_of", have=have, required=figure_of(line.required))


def figure_of(value: Fraction | None) -> str:
    """A quantity without a tail of zeros: `12`, `7.5`; `-` where there is none."""
    if value is None:
        return "-"
    return str(int(value)) if value.denominator == 1 else f"{float(value):.2f}".rstrip("0").rstrip(".")


def status_of(ctx: Context, line: Line) -> str:
    """How sure the rule behind the line is: stated, published, our proposal."""
    return ctx.say(f"index.status_{line.status.rstrip('*')}")
