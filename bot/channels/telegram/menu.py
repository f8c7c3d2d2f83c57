"""The list behind Telegram's menu key. It only shows; what a person may do is decided when it is said."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from bot.channels.telegram.api import Api
from handlers.conversation import Command
from notices.wording import LANGUAGES, Wording, wording

LOG = logging.getLogger(__name__)

COMMANDS_MAX = 100  # in one list
NAME_MAX = 32
DESCRIPTION_MAX = 256
IN_GROUPS = "call"  # whoever picks it there sends it with the bot's name, as privacy mode wants it
CODES = {"zh": "", "en": "en"}  # "" is the list of every language that has none of its own


async def show_to_strangers(api: Api, commands: Sequence[Command]) -> None:
    """Set the list of chats that belong to nobody yet. Raises CallError."""
    await _set(api, {"type": "all_private_chats"}, [c for c in commands if c.strangers])


async def show_in_groups(api: Api) -> None:
    """Set the list of all groups: calls alone, for everything else is private. Raises CallError."""
    for language in LANGUAGES:
        shown = [{"command": IN_GROUPS, "description": wording(language)("telegram.slash_call")}]
        arguments = {"scope": {"type": "all_group_chats"}, "commands": shown} | _code(CODES[language])
        await api.call("setMyCommands", arguments)


async def show_to_chat(api: Api, commands: Sequence[Command], address: str, roles: Collection[str] | None) -> None:
    """Set the list of one chat. roles: of its member, None when it belongs to nobody. Raises CallError."""
    scope = {"type": "chat", "chat_id": address}
    if roles is None:
        for code in CODES.values():
            await api.call("deleteMyCommands", {"scope": scope} | _code(code))
        return
    await _set(api, scope, [c for c in commands if not c.roles or c.roles.intersection(roles)])


async def _set(api: Api, scope: dict[str, Any], commands: Iterable[Command]) -> None:
    ordered = sorted(commands, key=lambda command: command.order)
    for language in LANGUAGES:
        shown = listed(ordered, wording(language))
        await api.call("setMyCommands", {"scope": scope, "commands": shown} | _code(CODES[language]))


def _code(code: str) -> dict[str, str]:
    return {"language_code": code} if code else {}


def listed(commands: Iterable[Command], say: Wording) -> list[dict[str, str]]:
    """Each command once, under its first slash word, as Telegram wants it."""
    rows: dict[str, str] = {}
    for command in commands:
        if command.slash:
            name = command.slash[0].lstrip("/")[:NAME_MAX]
            rows.setdefault(name, _title(command, name, say)[:DESCRIPTION_MAX])
    return [{"command": name, "description": title} for name, title in rows.items()][:COMMANDS_MAX]


def _title(command: Command, name: str, say: Wording) -> str:
    """What the command is called in the menu of this language; else its own first word."""
    for key in (f"menu.{command.name}", f"telegram.slash_{name}"):
        if say.has(key):
            return say(key)
    return command.words[0] if command.words and say.language == "zh" else name.replace("_", " ").capitalize()
