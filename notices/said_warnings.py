"""Warnings in words: one line each with its figures, and the message that asks a secretary to act."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from db.warnings import BranchWarning
from notices.channel import Button, Message
from notices.said_pool import is_pool, pool_line
from notices.troubles import OVERDUE, VETO
from notices.wording import Wording

SHOWN_MAX = 5  # lines of one message


def warning_message(say: Wording, listed: Sequence[BranchWarning], today: date) -> Message:
    """What a secretary reads about one or several warnings, with the next steps."""
    plan = Button(say("warnings.plan"), "activities:new")
    if len(listed) == 1:
        number = listed[0].id
        steps = (
            plan,
            Button(say("warnings.ack"), f"warnings:ack:{number}"),
            Button(say("warnings.why"), f"warnings:why:{number}"),
        )
        return Message(say("warnings.one", line=said_warning(say, listed[0], today)), steps)
    lines = [said_warning(say, one, today) for one in listed[:SHOWN_MAX]]
    text = "\n".join((say("warnings.several", count=len(listed)), *lines))
    return Message(
        text, (plan, Button(say("warnings.ack_all"), "warnings:ack:all"), Button(say("warnings.list"), "warnings"))
    )


def proof_of(warning: BranchWarning) -> dict[str, Any]:
    """The figures behind a warning."""
    found: dict[str, Any] = json.loads(warning.proof)
    return found


def said_warning(say: Wording, warning: BranchWarning, today: date) -> str:
    """A warning in words, with the days that are left today; a colour of the pool with its first cause."""
    if is_pool(warning):
        return pool_line(say, warning)
    proof = proof_of(warning)
    days_left = max(0, (date.fromisoformat(proof["last"]) - today).days)
    if warning.kind == VETO:
        return say("warnings.veto", **proof, days_left=days_left)
    name = f"warnings.overdue_{_length(warning)}" + ("" if days_left else "_last")
    return say(name, **_named(say, warning), days_left=days_left)


def said_missed(say: Wording, warning: BranchWarning) -> str:
    """That something was missed in a period that is over, in words."""
    return say(f"warnings.overdue_{_length(warning)}_over", **_named(say, warning))


def said_cleared(say: Wording, warning: BranchWarning) -> str:
    """That a warning is over, in words."""
    if warning.kind == VETO:
        return say("warnings.cleared_veto", year=warning.period)
    return say(f"warnings.cleared_{_length(warning)}", **_named(say, warning))


def _length(warning: BranchWarning) -> str:
    return "quarter" if "Q" in warning.period else "month"


def _named(say: Wording, warning: BranchWarning) -> dict[str, Any]:
    kind = next(one.activity_kind for one in OVERDUE if one.kind == warning.kind)
    number = int(warning.period.replace("Q", "-").split("-")[1])
    return {"kind": say(f"activities.kind_{kind}"), "number": number}
