"""Declaring one thing: the question, the answer, the proof, a preview, and the confirmation that hands it in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from db import audit, declarations
from db.declarations import Declaration, DeclarationDraft
from db.organizations import Organization
from handlers.conversation import Button, Context, Reply
from handlers.declaration_sight import picture_of, service_saw, shown
from handlers.declared_values import read_words
from notices.declarations import may_declare, until
from notices.declared_words import said_day, said_period, said_value
from scoring.declaring import Due, due_one

ROLE = "secretary"
NOTE_MAX = 100  # characters: one line


def own_branches(ctx: Context) -> list[Organization]:
    """The branches of a field whose secretary this is; nobody declares for another branch."""
    found = {node.id: node for role, node in ctx.roles() if role == ROLE and node.field is not None}
    return list(found.values())


def asked_for(ctx: Context) -> tuple[Organization, Due] | None:
    """The branch and the thing that the arguments name; None when it is not this secretary's to declare."""
    branch = next((one for one in own_branches(ctx) if one.id == ctx.arg_id(1)), None)
    if branch is None or branch.field is None:
        return None
    due = due_one(branch.field, ctx.arg(2), ctx.arg(3), branch.founded_on)
    return (branch, due) if due and due.period.first <= ctx.today else None


def _row(ctx: Context, branch: Organization, due: Due) -> Declaration | None:
    assert branch.id is not None
    return declarations.of(ctx.session, branch.id, due.what.id, due.period.text)


def _key(branch: Organization, due: Due) -> str:
    return f"{branch.id}:{due.what.id}:{due.period.text}"


def one(ctx: Context, branch: Organization, due: Due, *, first: str = "") -> Reply:
    """How it stands; where nothing was declared yet, the question itself."""
    row, back = _row(ctx, branch, due), f"declare:of:{branch.id}"
    if row is None:
        return ask(ctx, branch, due) if may_declare(due, None, ctx.today) else _too_late(ctx, branch, due, None)
    lines = [first] if first else []
    lines += shown(ctx, branch, row)
    last = until(due, row)
    name = row.state
    if row.state in declarations.OPEN and ctx.today > last:
        name = f"{row.state}_late"
    why = row.recheck_reason if row.state == "failed" else row.reason
    lines.append(ctx.say(f"declarations.stands_{name}", why=why, day=said_day(ctx.say, last)))
    change = Button(ctx.say("declarations.change"), f"declare:ask:{_key(branch, due)}")
    buttons = (change,) if may_declare(due, row, ctx.today) else ()
    return Reply("\n".join(lines), buttons, picture_of(ctx, row.picture_id), back=back)


def _too_late(ctx: Context, branch: Organization, due: Due, row: Declaration | None) -> Reply:
    """Why nothing can be declared any more."""
    text = ctx.say("declarations.too_late", period=said_period(ctx.say, due.period), day=_last(ctx, due, row))
    return Reply(text, back=f"declare:of:{branch.id}")


def _last(ctx: Context, due: Due, row: Declaration | None) -> str:
    last: date = until(due, row)
    return said_day(ctx.say, last)


def ask(ctx: Context, branch: Organization, due: Due, *, first: str = "") -> Reply:
    """The question in plain words, with what counts and what the service saw."""
    form = due.what.form
    lines = [first] if first else []
    lines.append(ctx.say(f"declared.{due.what.id.lower()}"))
    lines.append(ctx.say(f"declarations.ask_{form}", period=said_period(ctx.say, due.period)))
    saw = service_saw(ctx, branch, due)
    if saw:
        lines.append(saw)
    action, back = f"declare:value:{_key(branch, due)}", f"declare:of:{branch.id}"
    buttons: tuple[Button, ...] = ()
    if form == "statement":
        buttons = (
            Button(ctx.say("declarations.met"), f"{action}:true"),
            Button(ctx.say("declarations.not_met"), f"{action}:false"),
        )
    return Reply("\n".join(lines), buttons, expect=action, back=back)


def _ask(ctx: Context) -> Reply:
    found = asked_for(ctx)
    if found is None:
        return _unknown(ctx)
    row = _row(ctx, *found)
    return ask(ctx, *found) if may_declare(found[1], row, ctx.today) else one(ctx, *found)


def _unknown(ctx: Context) -> Reply:
    return Reply(ctx.say("declarations.unknown"), (Button(ctx.say("declarations.list"), "declare"),))


def _value(ctx: Context) -> Reply:
    """Take the answer and ask for the proof; for what was not done none is needed."""
    found = asked_for(ctx)
    if found is None:
        return _unknown(ctx)
    branch, due = found
    if not may_declare(due, _row(ctx, branch, due), ctx.today):
        return one(ctx, branch, due)
    value = read_words(" ".join(ctx.args[4:]), due.what.form)
    if value is None:
        return ask(ctx, branch, due, first=ctx.say(f"declarations.wrong_{due.what.form}"))
    assert branch.id is not None
    draft = DeclarationDraft(
        member_id=ctx.me,
        organization_id=branch.id,
        indicator_id=due.what.id,
        period=due.period.text,
        value=value,
        changed_at=ctx.now,
    )
    declarations.new_draft(ctx.session, draft)
    return _ask_picture(ctx, draft, due) if due.what.met(value) else _preview(ctx, draft, branch, due)


def _ask_picture(ctx: Context, draft: DeclarationDraft, due: Due, *, first: str = "") -> Reply:
    value = said_value(ctx.say, due.what.form, draft.value)
    asked = ctx.say("declarations.ask_picture", value=value)
    back = f"declare:ask:{draft.organization_id}:{draft.indicator_id}:{draft.period}"
    return Reply(f"{first}\n{asked}" if first else asked, expect=f"declare:picture:{draft.id}", back=back)


def _drafted(ctx: Context) -> tuple[DeclarationDraft, Organization, Due] | None:
    """The draft that the argument names, while its secretary may still declare it."""
    draft = declarations.draft_of(ctx.session, ctx.me, ctx.arg_id(1))
    if draft is None:
        return None
    branch = next((one for one in own_branches(ctx) if one.id == draft.organization_id), None)
    due = due_one(branch.field or "", draft.indicator_id, draft.period, branch.founded_on) if branch else None
    return (draft, branch, due) if branch and due else None


def _gone(ctx: Context) -> Reply:
    """An old button of a draft that was handed in, given up or replaced."""
    return Reply(ctx.say("declarations.no_draft"), (Button(ctx.say("declarations.list"), "declare"),))


def _picture(ctx: Context) -> Reply:
    found = _drafted(ctx)
    if found is None:
        return _gone(ctx)
    draft, branch, due = found
    if ctx.picture_id is None and draft.picture_id is not None:
        return _note(ctx) if ctx.arg(2) else _preview(ctx, *found)  # words below a preview are its note
    if ctx.picture_id is None:
        return _ask_picture(ctx, draft, due, first=ctx.say("declarations.need_picture"))
    words = " ".join(" ".join(ctx.args[2:]).split())[:NOTE_MAX]
    declarations.fill_draft(ctx.session, draft, ctx.now, picture_id=ctx.picture_id, note=words or draft.note)
    return _preview(ctx, draft, branch, due)


def _preview(ctx: Context, draft: DeclarationDraft, branch: Organization, due: Due, *, first: str = "") -> Reply:
    say, met = ctx.say, due.what.met(draft.value)
    lines = [first] if first else []
    lines.append(
        say(
            "declarations.preview",
            branch=branch.name,
            title=due.what.rule.title_in(say.language),
            period=said_period(say, due.period),
            value=said_value(say, due.what.form, draft.value),
        )
    )
    if draft.note:
        lines.append(say("declarations.note_is", note=draft.note))
    lines.append(say("declarations.preview_met" if met else "declarations.preview_unmet"))
    buttons = (
        Button(say("declarations.send"), f"declare:send:{draft.id}"),
        Button(say("declarations.add_note"), f"declare:words:{draft.id}"),
        Button(say("declarations.other_value"), f"declare:ask:{_key(branch, due)}"),
        Button(say("declarations.drop"), f"declare:drop:{draft.id}"),
    )
    # A better picture may be sent instead of pressing a button.
    expect = f"declare:picture:{draft.id}" if met else None
    back = f"declare:of:{branch.id}"
    return Reply("\n".join(lines), buttons, picture_of(ctx, draft.picture_id), expect=expect, back=back)


def _words(ctx: Context) -> Reply:
    found = _drafted(ctx)
    if found is None:
        return _gone(ctx)
    asked = ctx.say("declarations.ask_note", most=NOTE_MAX)
    return Reply(asked, expect=f"declare:note:{found[0].id}", back=f"declare:of:{found[1].id}")


def _note(ctx: Context) -> Reply:
    found = _drafted(ctx)
    if found is None:
        return _gone(ctx)
    note = " ".join(" ".join(ctx.args[2:]).split())
    first = ctx.say("declarations.note_cut", most=NOTE_MAX) if len(note) > NOTE_MAX else ""
    declarations.fill_draft(ctx.session, found[0], ctx.now, note=note[:NOTE_MAX])
    return _preview(ctx, *found, first=first)


def _send(ctx: Context) -> Reply:
    """Hand it in, once; pressed again, it says that the draft is gone."""
    found = _drafted(ctx)
    if found is None:
        return _gone(ctx)
    draft, branch, due = found
    assert draft.id is not None
    row = _row(ctx, branch, due)
    if not may_declare(due, row, ctx.today):
        return (
            one(ctx, branch, due, first=ctx.say("declarations.not_taken"))
            if row
            else _too_late(ctx, *found[1:], row)
        )
    if due.what.met(draft.value) and draft.picture_id is None:
        return _ask_picture(ctx, draft, due)
    made = declarations.declare(ctx.session, draft, closing=due.closing.text, now=ctx.now)
    if not isinstance(made, Declaration):
        return one(ctx, branch, due, first=ctx.say("declarations.not_taken"))
    _log(ctx, made)
    declarations.drop_draft(ctx.session, ctx.me, draft.id)
    days = {"day": _last(ctx, due, made), "title": due.what.rule.title_in(ctx.say.language)}
    go_on = Button(ctx.say("declarations.next"), f"declare:of:{branch.id}")
    return Reply(ctx.say("declarations.sent", **days), (go_on,), back=f"declare:of:{branch.id}")


def _log(ctx: Context, row: Declaration) -> None:
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="declaration.declared",
        subject=f"declaration:{row.id}",
        version=row.version,
        indicator=row.indicator_id,
        period=row.period,
        value=row.value,
        picture=row.picture_id,
    )


def _drop(ctx: Context) -> Reply:
    found = _drafted(ctx)
    if found is None or found[0].id is None:
        return _gone(ctx)
    declarations.drop_draft(ctx.session, ctx.me, found[0].id)
    return (
        one(ctx, found[1], found[2], first=ctx.say("declarations.dropped"))
        if _row(ctx, *found[1:])
        else _gone(ctx)
    )


STEPS: dict[str, Callable[[Context], Reply]] = {
    "ask": _ask,
    "value": _value,
    "picture": _picture,
    "words": _words,
    "note": _note,
    "send": _send,
    "drop": _drop,
}
