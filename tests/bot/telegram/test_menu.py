"""The list behind the menu key: per scope and language, never more than the person's roles."""

from __future__ import annotations

import pytest

from bot.channels.telegram import Telegram
from bot.channels.telegram.menu import listed
from handlers import COMMANDS as REAL_COMMANDS
from notices.wording import LANGUAGES, wording
from tests.bot.telegram.conftest import ALICE
from tests.bot.telegram.server import TelegramServer


def names(rows: list[dict[str, str]]) -> list[str]:
    return [row["command"] for row in rows]


async def test_strangers_are_shown_what_strangers_may_do_in_both_languages(
    server: TelegramServer, polling: Telegram
) -> None:
    chinese, english = server.commands["all_private_chats|"], server.commands["all_private_chats|en"]
    assert names(chinese) == names(english) == ["start"]
    assert chinese[0]["description"] != english[0]["description"]
    in_groups = server.commands["all_group_chats|"], server.commands["all_group_chats|en"]
    assert [names(one) for one in in_groups] == [["call"], ["call"]]


@pytest.mark.parametrize(
    ("roles", "shown"), [((), ["start", "points"]), (("secretary",), ["start", "points", "broadcast"])]
)
async def test_a_bound_chat_is_shown_what_its_roles_may_do(
    server: TelegramServer, polling: Telegram, roles: tuple[str, ...], shown: list[str]
) -> None:
    await polling.set_chat_commands(str(ALICE), roles)
    assert names(server.commands[f"{ALICE}|"]) == names(server.commands[f"{ALICE}|en"]) == shown


async def test_an_unbound_chat_falls_back_to_the_strangers_list(server: TelegramServer, polling: Telegram) -> None:
    await polling.set_chat_commands(str(ALICE), {"secretary"})
    await polling.set_chat_commands(str(ALICE), None)
    assert server.commands[f"{ALICE}|"] == server.commands[f"{ALICE}|en"] == []


async def test_a_refused_list_is_no_reason_to_stop(server: TelegramServer, polling: Telegram) -> None:
    server.refuse("setMyCommands", 400, "Bad Request: BOT_COMMAND_INVALID")
    await polling.set_chat_commands(str(ALICE), ())
    await server.say(ALICE, "签到")
    await server.wait_shown(ALICE, 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_real_command_fits_telegrams_form(language: str) -> None:
    for row in listed(REAL_COMMANDS, wording(language)):
        assert row["command"].replace("_", "").isalnum()
        assert row["command"] == row["command"].lower()
        assert row["command"].isascii()
        assert len(row["command"]) <= 32
        assert 1 <= len(row["description"]) <= 256
