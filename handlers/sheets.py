"""`报数据`: a department hands in values as a spreadsheet; judged row by row, then recorded all at once.

Actions: `sheet`, `sheet:file` (a file has come), `sheet:yes:ID`, `sheet:no:ID`, `sheet:form`, `sheet:mine`,
`sheet:show:ID`. The file itself is looked at after the message is answered (`bot/sheets/incoming.py`); the verdict
comes as a message of its own.
"""

from __future__ import annotations

import secrets

from db import sheets
from db.sheets import Sheet, SheetForm
from handlers.conversation import Button, Command, Context, Reply
from notices import sheets as notes
from notices.channel import Message

ROLE = "department"
NAME_MAX = 80  # characters of a file's name
SHOWN_MAX = 5
FORM_ADDRESS = "/web/form/"
"""Before the token of an empty form."""


def hand_in(ctx: Context) -> Reply:
    """`报数据`, a file, or one of the buttons."""
    steps = {"file": _received, "yes": _confirm, "no": _cancel, "form": _form, "mine": _mine, "show": _show}
    step = steps.get(ctx.arg())
    return step(ctx) if step else _begin(ctx)


def _begin(ctx: Context) -> Reply:
    waiting = sheets.waiting_for(ctx.session, ctx.me)
    if waiting is not None:
        return _shown(ctx, waiting)
    text = ctx.say("sheets.intro") if ctx.takes_files else ctx.say("sheets.no_files")
    return Reply(text, _usual(ctx), expect="sheet:file" if ctx.takes_files else None)


def _usual(ctx: Context) -> tuple[Button, ...]:
    return Button(ctx.say("sheets.form"), "sheet:form"), Button(ctx.say("sheets.mine"), "sheet:mine")


def _received(ctx: Context) -> Reply:
    """A file has come, or something else where one was expected."""
    incoming, node = ctx.incoming, ctx.node(ROLE)
    if node is None or node.id is None:
        return Reply(ctx.say("sheets.no_node"))
    if incoming.file is None:
        return Reply(ctx.say("sheets.not_a_file"), _usual(ctx), expect="sheet:file")
    sheet_id = sheets.receive(
        ctx.session,
        member_id=ctx.me,
        organization_id=node.id,
        channel=incoming.channel,
        reference=incoming.file,
        name="".join(incoming.file_name.split("\n"))[:NAME_MAX] or "?",
        token=secrets.token_urlsafe(16),
        at=ctx.now,
    )
    sheet = sheets.get(ctx.session, sheet_id)
    assert sheet is not None
    return _shown(ctx, sheet)


def _own(ctx: Context) -> Sheet | None:
    sheet = sheets.get(ctx.session, ctx.arg_id(1))
    return sheet if sheet is not None and sheet.member_id == ctx.me else None


def _confirm(ctx: Context) -> Reply:
    sheet, node = _own(ctx), ctx.node(ROLE)
    if sheet is None or node is None or node.id != sheet.organization_id:
        return Reply(ctx.say("sheets.gone"), _usual(ctx))
    done = notes.confirm(ctx.session, sheet, ctx.now, ctx.zone)
    if done is None:
        return Reply(ctx.say("sheets.gone"), _usual(ctx))
    after, verdicts = done
    return _reply(ctx, notes.message_of(ctx.say, after, ctx.site, notes.refusals(ctx.say, verdicts)))


def _cancel(ctx: Context) -> Reply:
    sheet = _own(ctx)
    if sheet is None or sheet.id is None:
        return Reply(ctx.say("sheets.gone"), _usual(ctx))
    if not sheets.move(ctx.session, sheet.id, "planned", state="cancelled", lines=None):
        return Reply(ctx.say("sheets.gone"), _usual(ctx))
    return Reply(ctx.say("sheets.state_cancelled"), _usual(ctx), back="sheet")


def _form(ctx: Context) -> Reply:
    """The address of an empty form; it is drawn when somebody fetches it."""
    node = ctx.node(ROLE)
    if node is None or node.id is None:
        return Reply(ctx.say("sheets.no_node"))
    token = secrets.token_urlsafe(16)
    ctx.session.add(SheetForm(token=token, member_id=ctx.me, organization_id=node.id, created_at=ctx.now))
    text = ctx.say("sheets.form_at", address=f"{ctx.site.rstrip('/')}{FORM_ADDRESS}{token}")
    return Reply(text, expect="sheet:file" if ctx.takes_files else None, back="sheet")


def _mine(ctx: Context) -> Reply:
    found = sheets.of_member(ctx.session, ctx.me, most=SHOWN_MAX)
    if not found:
        return Reply(ctx.say("sheets.mine_none"), back="sheet")
    lines, buttons = [ctx.say("sheets.mine_head")], []
    for number, sheet in enumerate(found, 1):
        when = f"{sheet.created_at.astimezone(ctx.zone):%Y-%m-%d}"
        state = ctx.say(f"sheets.short_{sheet.state}")
        lines.append(ctx.say("sheets.mine_line", number=number, when=when, name=sheet.name, state=state))
        buttons.append(Button(ctx.say("sheets.show", number=number), f"sheet:show:{sheet.id}"))
    return Reply("\n".join(lines), tuple(buttons), back="sheet")


def _show(ctx: Context) -> Reply:
    sheet = _own(ctx)
    return _shown(ctx, sheet) if sheet is not None else Reply(ctx.say("sheets.gone"), _usual(ctx))


def _shown(ctx: Context, sheet: Sheet) -> Reply:
    return _reply(ctx, notes.message_of(ctx.say, sheet, ctx.site))


def _reply(ctx: Context, message: Message) -> Reply:
    return Reply(message.text, message.buttons or _usual(ctx), expect="sheet:file" if ctx.takes_files else None)


SHEET = Command(
    "sheet",
    ("报数据", "报表", "上报数据", "hand in data"),
    hand_in,
    slash=("/sheet",),
    roles=frozenset({ROLE}),
    phrases=("部门上报指标", "导入数据", "上传表格", "发表格", "报指标数据"),
    in_menu=False,
    order=125,
    steps={"模板": "form", "空白表": "form", "我报过的表": "mine"},
)
