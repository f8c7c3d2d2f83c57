"""What a row of a roll gets wrong about the other rows and about what is stored."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bot.roll.columns import COMPANION_COLUMNS, SHEETS

if TYPE_CHECKING:
    from bot.roll.plan import Known


def mistakes_of(known: Known, sheet: str, code: str, values: dict[str, Any]) -> Iterator[str]:
    """What the row gets wrong about the other rows."""
    if sheet == "organizations":
        parent = values.get("parent")
        if parent and parent not in known.codes:
            yield f"上级编号 {parent} is not known"
        elif parent and _in_circle(known.parents, code):
            yield "this organisation stands above itself"
        if values.get("level") == "branch" and not values.get("field"):
            yield "a branch needs its 领域"
    elif sheet == "regions":
        unknown = [one for one in values["organizations"].split(";") if one not in known.codes]
        if unknown:
            yield f"组织编号 {', '.join(unknown)} is not known"
    else:
        yield from _member_mistakes(known, code, values)


def _member_mistakes(known: Known, code: str, values: dict[str, Any]) -> Iterator[str]:
    organization, day = values["organization"], known.today
    if organization not in known.codes:
        yield f"支部编号 {organization} is not known"
    there = values.get("transfer_to")
    if there and there not in known.codes:
        yield f"转往支部编号 {there} is not known; leave it empty for a branch elsewhere"
    if values["from_day"] > known.today:
        yield "转入日期 lies in the future"
    for column in SHEETS["members"][1]:
        if column.name in ("away_since", "last_contact_on") and (values.get(column.name) or day) > day:
            yield f"{column.chinese} lies in the future"
    for name in COMPANION_COLUMNS:
        named = {one for one in (values.get(name) or "").split(";") if one}
        unknown = sorted(named - known.people)
        if unknown or code in named:
            yield f"{', '.join(unknown) or code} cannot accompany this member"
    stored = known.members.get(code)
    if stored and stored["organization"] not in ("", organization) and values["from_day"] <= stored["from_day"]:
        yield f"a transfer must be later than {stored['from_day']}"
    if stored and not stored["organization"] and stored["left"] and values["from_day"] < stored["left"]:
        yield f"转入日期 lies before {stored['left']}, when the former membership ended"
    for role in filter(None, (values.get("roles") or "").split(";")):
        if role.partition(":")[2] not in known.codes:
            yield f"职责 {role}: the organisation is not known"


def _in_circle(parents: dict[str, str], code: str) -> bool:
    above, steps = parents.get(code, ""), 0
    while above and steps < 50:
        if above == code:
            return True
        above, steps = parents.get(above, ""), steps + 1
    return steps >= 50
