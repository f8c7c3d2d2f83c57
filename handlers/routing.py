"""Which conversation answers: a button, a number, a word, an expected answer, or the meaning of free text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from db import audit, members
from handlers import meaning
from handlers.conversation import Button, Command, Context, Reply

START = "start"  # the command that follows deep links, scanned codes and bind codes
FILES = "sheet"  # the command that takes tables
LINKS = {"c-": "check_in", "r-": "remote", "p-": "hand_over"}
"""How a code in a link or a picture says whose it is; one without a mark is a bind code."""
WORDS_MAX = 20  # characters: a longer text in the middle of a dialogue is its answer, not a command
ASKED_MAX = 60  # characters of what was asked for that the audit log keeps
OFFERED_MAX = 3  # choices when a text may mean several things


def respond(ctx: Context, commands: Sequence[Command]) -> Reply:
    """The reply to the message in `ctx`, from the command that it belongs to."""
    incoming = ctx.incoming
    if incoming.kind in ("scan", "follow"):
        return _run(ctx, commands, _named(START, commands), (incoming.text,) if incoming.text else ())
    if incoming.kind == "button":
        return _pressed(ctx, incoming.text, commands)
    if incoming.kind == "file":
        return _sent_file(ctx, commands)
    if incoming.kind in ("location", "image") or (incoming.kind == "voice" and not incoming.text):
        return _sent_something(ctx, commands)
    text = meaning.clean(incoming.text)
    if incoming.kind == "other" or not text:
        return Reply(ctx.say("routing.only_words"), _numbers_home(ctx, commands), expect=ctx.who.expect)
    return _typed(ctx, text, commands)


def is_secret(ctx: Context, commands: Sequence[Command]) -> bool:
    """Whether this is said to a secret step: by a button, by a choice, or as what the chat waits for."""
    text, choices = ctx.incoming.text, ctx.who.choices
    said = (
        text if ctx.incoming.kind == "button" else choices.get(meaning.typed_number(text) or meaning.folded(text))
    )
    found = meaning.action(said or ctx.who.expect or "", {command.name: command for command in commands})
    return found is not None and bool(found[1]) and found[1][0] in found[0].secret


def _typed(ctx: Context, text: str, commands: Sequence[Command]) -> Reply:
    number = meaning.typed_number(text)
    if number is not None and number in ctx.who.choices:
        return _choice(ctx, ctx.who.choices[number], commands)
    label = meaning.folded(text)
    if label in ctx.who.choices and not label.isdigit():
        return _choice(ctx, ctx.who.choices[label], commands)
    if number == "0":
        return _run(ctx, commands, _named("menu", commands))
    if number == "9" and ctx.who.back:
        return _choice(ctx, ctx.who.back, commands)
    by_name = {command.name: command for command in commands}
    pressed = meaning.action(text, by_name)
    if not pressed and ctx.who.expect and (len(text) > WORDS_MAX or "\n" in text):
        return _expected(ctx, text, commands)  # a letter may begin with any word
    opened = None if ctx.who.expect else meaning.opened(text, commands)  # a wish may begin with 订阅, too
    found = pressed or opened or meaning.said(text, commands)
    if ctx.who.expect and found and _goes_on(text, found[1]):
        return _expected(ctx, text, commands)  # and so may a wish: `我 想要一把椅子`
    if found and _may(ctx, found[0]):
        return _run(ctx, commands, *found)
    if ctx.who.expect:
        return _expected(ctx, text, commands)
    if found and found[0].instead and not found[1]:
        return _choice(ctx, found[0].instead, commands)
    if found:
        return _refused(ctx, *found)
    if ctx.who.member_id is None and meaning.looks_like_code(text):
        return _run(ctx, commands, _named(START, commands), (text,))
    return _by_meaning(ctx, text, commands)


def _choice(ctx: Context, choice: str, commands: Sequence[Command]) -> Reply:
    """What a number stands for: an action, or the words of an earlier message to be tried again."""
    found = meaning.action(choice, {command.name: command for command in commands})
    if found:
        return _run(ctx, commands, *found)
    ctx.who.choices = {}  # a stored text is not itself a number to look up
    return _typed(ctx, meaning.clean(choice), commands)


def _pressed(ctx: Context, text: str, commands: Sequence[Command]) -> Reply:
    found = meaning.action(text, {command.name: command for command in commands})
    if found is None:
        return Reply(ctx.say("routing.old_button"), _numbers_home(ctx, commands))
    return _run(ctx, commands, *found)


def _expected(ctx: Context, text: str, commands: Sequence[Command]) -> Reply:
    found = meaning.action(ctx.who.expect or "", {command.name: command for command in commands})
    if found is None:
        return Reply(ctx.say("routing.old_button"), _numbers_home(ctx, commands))
    command, args = found
    if not _may(ctx, command):  # the role has ended since; what was typed now is nobody's to keep
        return _refused(ctx, command, args)
    return _run(ctx, commands, command, (*args, text))


def _sent_something(ctx: Context, commands: Sequence[Command]) -> Reply:
    """A picture, a place or an unheard voice: for the conversation that waits for it, else a hint."""
    kind = ctx.incoming.kind
    if kind != "voice" and ctx.who.expect and ctx.who.member_id is not None:
        return _expected(ctx, meaning.clean(ctx.incoming.text), commands)
    return Reply(ctx.say(f"routing.{kind}"), _numbers_home(ctx, commands), expect=ctx.who.expect)


def _sent_file(ctx: Context, commands: Sequence[Command]) -> Reply:
    """A table: for departments, whatever the chat waits for; others are told that nobody needs it."""
    command = _named(FILES, commands)
    if _may(ctx, command):
        return _run(ctx, commands, command, ("file",))
    return Reply(ctx.say("routing.file"), _numbers_home(ctx, commands), expect=ctx.who.expect)


def _run(ctx: Context, commands: Sequence[Command], command: Command, args: tuple[str, ...] = ()) -> Reply:
    if command.name == START and args and args[0][:2] in LINKS:
        return _linked(ctx, args[0], commands)
    if not _may(ctx, command):
        return _refused(ctx, command, args)
    ctx.args = args
    ctx.who.misses = 0
    return command.run(ctx)


def _linked(ctx: Context, token: str, commands: Sequence[Command]) -> Reply:
    """A link or picture that belongs to a conversation; a stranger has to bind first."""
    if ctx.who.member_id is None:
        return Reply(ctx.say("routing.bind_first"), at_home=True)
    command = _named(LINKS[token[:2]], commands)
    return _run(ctx, commands, command, (token[2:],))


def _may(ctx: Context, command: Command) -> bool:
    if command.strangers:
        return True
    if ctx.who.member_id is None or ctx.who.status != "active":
        return False
    return not command.roles or any(held in command.roles for held, _ in ctx.roles())


def _refused(ctx: Context, command: Command, args: Sequence[str] = ()) -> Reply:
    """What to say instead. Who asks for something certain (a button, a number, a name) stands in the audit log."""
    say = ctx.say
    if ctx.who.member_id is not None and args and args[0] not in command.secret:
        asked = ":".join((command.name, *args))[:ASKED_MAX]
        subject = f"member:{ctx.me}"
        audit.record(
            ctx.session, at=ctx.now, actor_id=ctx.me, action="conversation.refused", subject=subject, asked=asked
        )
    if ctx.who.member_id is None:
        return Reply(
            say("routing.stranger"),
            (Button(say("routing.about"), "about"), Button(say("routing.privacy"), "privacy")),
            at_home=True,
        )
    if ctx.who.status != "active":
        return Reply(say("routing.not_active"), at_home=True)
    return Reply(say("routing.no_role", what=say(f"menu.{command.name}")))


def _by_meaning(ctx: Context, text: str, commands: Sequence[Command]) -> Reply:
    if ctx.who.member_id is None:
        return _refused(ctx, _named("menu", commands))
    allowed = [command for command in commands if _may(ctx, command) and command.name != START]
    found = meaning.matches(text, allowed)
    if found and _clear(found):
        return _run(ctx, commands, found[0].command, found[0].args)
    number = meaning.typed_number(text)
    if number is not None:
        said = ctx.say("routing.no_such_number", number=number, secretary=_helper(ctx))
        return Reply(said, _numbers_home(ctx, commands))
    ctx.who.misses += 1
    quoted = text if len(text) <= 20 else text[:20] + "…"
    if found and ctx.who.misses == 1:
        buttons = tuple(Button(_offer(ctx, match), match.action) for match in found[:OFFERED_MAX])
        return Reply(ctx.say("routing.did_you_mean", text=quoted), buttons)
    return Reply(
        ctx.say("routing.not_understood", secretary=_helper(ctx)),
        _numbers_home(ctx, commands),
    )


def _offer(ctx: Context, match: meaning.Match) -> str:
    """What a match is called: the command, and behind it the words of the step that it would go to."""
    name = ctx.say(f"menu.{match.command.name}")
    return ctx.say("routing.step_of", name=name, step=match.phrase) if match.args else name


def _goes_on(text: str, args: Sequence[str]) -> bool:
    """Whether Chinese words, no code or number, follow a command's word: then it is hardly a command."""
    rest = tuple(text.split()[1:])
    words = "".join(rest)
    return rest == tuple(args) and bool(re.search("[\u3400-\u9fff]", words)) and not re.search(r"\d", words)


def _clear(found: Sequence[meaning.Match]) -> bool:
    """Whether the best match is good enough to act upon, and no other is as good."""
    enough = meaning.SURE if found[0].command.acts else meaning.ACT
    return found[0].score >= enough and (len(found) == 1 or found[0].score > found[1].score)


def _helper(ctx: Context) -> str:
    """The branch secretary's name, for a person who is stuck; without a name, the office.

    Secretaries themselves are sent to the committee above them.
    """
    if any(role == "secretary" and node.id == ctx.who.branch_id for role, node in ctx.roles()):
        return ctx.say("routing.secretary_above")
    if ctx.who.branch_id is None:
        return ctx.say("routing.secretary_unknown")
    branch = ctx.branch()
    name = members.secretary_name(ctx.session, branch, ctx.today) if branch else ""
    return name or ctx.say("routing.secretary_unknown")


def _numbers_home(ctx: Context, commands: Sequence[Command]) -> tuple[Button, ...]:
    """The first things that this person can do, as numbers."""
    usual = [c for c in sorted(commands, key=lambda c: c.order) if c.in_menu and not c.roles and _may(ctx, c)]
    return tuple(Button(ctx.say(f"menu.{command.name}"), command.name) for command in usual[:5])


def _named(name: str, commands: Sequence[Command]) -> Command:
    return next(command for command in commands if command.name == name)
