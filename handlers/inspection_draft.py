"""What an inspector is writing down: who may, the preview, and the confirmation that stores and tells it."""

from __future__ import annotations

from db import audit, inspections, organizations, rectifications
from db.inspections import Inspection, InspectionDraft
from db.organizations import Organization
from db.rectifications import Rectification
from handlers.conversation import Button, Context, Picture, Reply
from notices import inspections as notes
from notices.inspection_terms import appeal_until, due_on, next_step
from notices.said_inspections import said_date, said_item, said_result
from scoring.inspected import items_of
from scoring.items import Indicator, NegativeItem

Item = Indicator | NegativeItem


def paths(ctx: Context) -> list[str]:
    """Subtrees in which this person inspects."""
    return [node.path for role, node in ctx.roles() if role == "inspector"]


def covered(ctx: Context, branch: Organization) -> bool:
    """Whether this person may inspect the branch today."""
    closed = branch.closed_on is not None and branch.closed_on <= ctx.today
    return branch.field is not None and not closed and any(branch.path.startswith(path) for path in paths(ctx))


def draft_of(ctx: Context) -> tuple[InspectionDraft, Organization] | None:
    """What this inspector is writing down; None when nothing is, or the branch is out of reach."""
    draft = inspections.draft_of(ctx.session, ctx.me)
    if draft is None:
        return None
    branch = organizations.get(ctx.session, draft.organization_id)
    return (draft, branch) if covered(ctx, branch) else None


def items(ctx: Context, branch: Organization) -> dict[str, Item]:
    """What can be inspected there today, by id."""
    return {item.id: item for item in items_of(branch.field or "", ctx.today)}


def begun(ctx: Context) -> tuple[InspectionDraft, Organization, Item] | None:
    """The draft with the item that was chosen; None when there is none that can still be inspected."""
    found = draft_of(ctx)
    item = items(ctx, found[1]).get(found[0].item_id) if found else None
    return (*found, item) if found and item else None


def _complete(ctx: Context) -> tuple[InspectionDraft, Organization, Item] | None:
    found = begun(ctx)
    if found is None:
        return None
    draft = found[0]
    proved = not draft.finding or (draft.picture_id is not None and draft.note)
    return found if draft.value and draft.place and draft.visit and proved else None


def gone(ctx: Context) -> Reply:
    """Nothing is being written down (any more)."""
    return Reply(ctx.say("inspections.no_draft"), (Button(ctx.say("inspections.new"), "inspect:new"),))


def preview(ctx: Context) -> Reply:
    """Everything once more before it is stored."""
    found = _complete(ctx)
    if found is None:
        return gone(ctx)
    draft, branch, item = found
    say = ctx.say
    name = "preview_finding" if draft.finding else "preview_clear"
    text = say(
        f"inspections.{name}",
        branch=branch.name,
        title=said_item(say, item),
        result=said_result(say, item, draft.value),
        place=draft.place,
        note=draft.note or say("inspections.nothing"),
        visit=say(f"inspections.visit_{draft.visit}"),
        due=said_date(say, due_on(ctx.today)),
    )
    buttons = (
        Button(say("inspections.confirm"), "inspect:confirm"),
        Button(say("inspections.again"), "inspect:ask_item"),
        Button(say("inspections.drop"), "inspect:drop"),
    )
    return Reply(text, buttons, picture(ctx, draft.picture_id), back="inspect:ask_note")


def picture(ctx: Context, picture_id: int | None) -> Picture | None:
    """The stored picture, for channels over which it may go; None when there is none."""
    if picture_id is None or not ctx.names_allowed:
        return None
    return Picture("stored", {"id": picture_id}, ctx.say("inspections.picture_alt"))


def confirm(ctx: Context) -> Reply:
    """Store the inspection, open a card for a finding, and tell the branch."""
    found = _complete(ctx)
    if found is None:
        return gone(ctx)
    draft, branch, item = found
    stored = _inspection(ctx, draft)
    if not inspections.drop_draft(ctx.session, ctx.me):
        return gone(ctx)  # the same was confirmed in another chat at this moment
    inspection_id = inspections.add(ctx.session, stored)
    due = due_on(ctx.today) if stored.finding else None
    if due is not None:
        assert branch.id is not None
        step_on = next_step(due, ctx.today)
        card = Rectification(inspection_id=inspection_id, organization_id=branch.id, due_on=due, step_on=step_on)
        rectifications.add(ctx.session, card)
    audit.record(
        ctx.session,
        at=ctx.now,
        actor_id=ctx.me,
        action="inspection.made",
        subject=f"inspection:{inspection_id}",
        organization=branch.id,
        item=item.id,
        value=stored.value,
        visit=stored.visit,
    )
    notes.made(ctx.session, stored, due, ctx.now)
    name = "stored_finding" if stored.finding else "stored_clear"
    text = ctx.say(f"inspections.{name}", branch=branch.name, number=inspection_id)
    return Reply(text, (Button(ctx.say("inspections.new"), "inspect:new"),), back="inspect")


def _inspection(ctx: Context, draft: InspectionDraft) -> Inspection:
    return Inspection(
        organization_id=draft.organization_id,
        inspector_id=ctx.me,
        item_id=draft.item_id,
        value=draft.value,
        finding=draft.finding,
        visit=draft.visit,
        picture_id=draft.picture_id,
        place=draft.place,
        latitude=draft.latitude,
        longitude=draft.longitude,
        note=draft.note,
        day=ctx.today,
        made_at=ctx.now,
        state="noticed" if draft.finding else "clear",
        appeal_until=appeal_until(ctx.today, ctx.zone) if draft.finding else None,
    )


def drop(ctx: Context) -> Reply:
    """Forget what was being written down."""
    inspections.drop_draft(ctx.session, ctx.me)
    return Reply(ctx.say("inspections.dropped"), (Button(ctx.say("inspections.new"), "inspect:new"),))
