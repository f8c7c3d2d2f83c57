"""The menu under the chat and the codes that people scan."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.channels.wechat import WeChat
from bot.channels.wechat.menu import EVERYBODY, SECRETARIES, Entry, menu
from handlers import COMMANDS
from notices.channel import SendError
from notices.wording import LANGUAGES, Wording, wording
from tests.bot.wechat.conftest import ALICE, Clock, EchoDispatcher
from tests.bot.wechat.server import Outcome, WeChatServer, errcode

SAY = wording("zh")


async def test_everybody_gets_a_menu_and_secretaries_another(wechat: WeChat, server: WeChatServer) -> None:
    server.tags = [{"id": 2, "name": "星标组", "count": 0}, {"id": 101, "name": "书记", "count": 60}]
    assert await wechat.create_menu() is True
    assert server.menu == menu(EVERYBODY, SAY)
    (one,) = server.conditional
    assert one["matchrule"] == {"tag_id": "101"}
    assert one["button"] == menu(SECRETARIES, SAY)
    assert server.requests.index("menu/create") < server.requests.index("menu/addconditional")


async def test_without_tagged_secretaries_there_is_one_menu(wechat: WeChat, server: WeChatServer) -> None:
    assert await wechat.create_menu() is False
    assert server.menu == menu(EVERYBODY, SAY)
    assert server.conditional == []


async def test_to_set_the_menu_again_leaves_one_of_each(wechat: WeChat, server: WeChatServer) -> None:
    server.tags = [{"id": 101, "name": "书记"}]
    for _ in range(3):
        assert await wechat.create_menu() is True
    assert len(server.conditional) == 1


async def test_a_refused_menu_says_why(wechat: WeChat, server: WeChatServer) -> None:
    server.script("menu/create", errcode(48001))
    with pytest.raises(SendError, match="permanent: not_permitted"):
        await wechat.create_menu()
    server.script("menu/get", errcode(-1))
    with pytest.raises(SendError, match="retry: busy"):
        await wechat.create_menu()


async def test_odd_answers_count_as_none(wechat: WeChat, server: WeChatServer) -> None:
    server.script("menu/get", Outcome(body=b'{"menu": {}, "conditionalmenu": [7, {"button": []}]}'))
    server.script("tags/get", Outcome(body=b'{"tags": [7, {"name": "\xe4\xb9\xa6\xe8\xae\xb0"}]}'))
    assert await wechat.create_menu() is False


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("entries", [EVERYBODY, SECRETARIES])
def test_our_menus_are_within_wechats_limits(entries: tuple[Entry, ...], language: str) -> None:
    shown = menu(entries, wording(language))
    assert len(shown) <= 3
    for top in shown:
        assert len(top["name"].encode()) <= 16
        assert 1 <= len(top["sub_button"]) <= 5
        for line in top["sub_button"]:
            assert line["type"] == "click"
            assert len(line["name"].encode()) <= 60
            assert len(line["key"].encode()) <= 128


def test_every_line_of_our_menus_is_a_conversation_that_exists() -> None:
    names = {command.name for command in COMMANDS}
    lines = {line.action for top in (*EVERYBODY, *SECRETARIES) for line in top.under}
    assert lines - names == set()


async def test_a_tap_on_the_menu_comes_back_as_its_action(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    await server.click(ALICE, EVERYBODY[0].under[0].action)
    assert [(one.kind, one.text) for one in echo.effects] == [("button", "check_in")]


def named(**names: str) -> Wording:
    return Wording("zh", {f"wechat.{name}": text for name, text in names.items()})


@pytest.mark.parametrize(
    ("entries", "say", "good"),
    [
        ([Entry("a", "menu")], named(a="四个汉字吧"), True),  # 15 bytes
        ([Entry("a", "menu")], named(a="四个汉字吧ab"), False),  # 17
        ([Entry("a", "menu")], named(a=""), False),
        ([Entry("a", "m" * 128)], named(a="一"), True),
        ([Entry("a", "m" * 129)], named(a="一"), False),
        ([Entry("a", "")], named(a="一"), False),
        ([Entry("a", "menu")] * 3, named(a="一"), True),
        ([Entry("a", "menu")] * 4, named(a="一"), False),
        ([], named(a="一"), False),
        ([Entry("a", under=(Entry("b", "menu"),) * 5)], named(a="一", b="二" * 20), True),
        ([Entry("a", under=(Entry("b", "menu"),) * 6)], named(a="一", b="二"), False),
        ([Entry("a", under=(Entry("b", "menu"),))], named(a="一", b="二" * 20 + "x"), False),
        ([Entry("a", under=(Entry("b", under=(Entry("a", "menu"),)),))], named(a="一", b="二"), False),
    ],
)
def test_a_menu_that_wechat_would_refuse_is_not_sent(entries: list[Entry], say: Wording, good: bool) -> None:
    if good:
        assert len(menu(entries, say)) == len(entries)
    else:
        with pytest.raises(ValueError, match=r"menu|lines"):
            menu(entries, say)


async def test_a_scene_comes_back_with_the_scan(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher, clock: Clock
) -> None:
    code = await wechat.scene_code("check_in-17_AbC", lasts=timedelta(minutes=10))
    assert code.url == "http://weixin.qq.com/q/check_in-17_AbC"
    assert code.expires_at == clock() + timedelta(minutes=10)
    (call,) = server.accepted("qrcode/create")
    assert (call.payload["action_name"], call.payload["expire_seconds"]) == ("QR_STR_SCENE", 600)
    await server.scan(ALICE, "check_in-17_AbC")
    await server.follow(ALICE, "check_in-17_AbC")
    assert [(one.kind, one.text) for one in echo.effects] == [
        ("scan", "check_in-17_AbC"),
        ("follow", "check_in-17_AbC"),
    ]


@pytest.mark.parametrize(
    ("scene", "good"), [("a" * 64, True), ("a" * 65, False), ("", False), ("签到", False), ("a b", False)]
)
async def test_a_scene_has_1_to_64_plain_characters(scene: str, good: bool, wechat: WeChat) -> None:
    if good:
        assert (await wechat.scene_code(scene, lasts=timedelta(days=1))).ticket
    else:
        with pytest.raises(ValueError, match="scene"):
            await wechat.scene_code(scene, lasts=timedelta(days=1))


@pytest.mark.parametrize(
    ("lasts", "good"),
    [
        (timedelta(days=30), True),
        (timedelta(days=30, seconds=1), False),
        (timedelta(seconds=60), True),
        (timedelta(seconds=59), False),
    ],
)
async def test_a_code_lasts_a_minute_to_30_days(lasts: timedelta, good: bool, wechat: WeChat) -> None:
    if good:
        await wechat.scene_code("a", lasts=lasts)
    else:
        with pytest.raises(ValueError, match="30 days"):
            await wechat.scene_code("a", lasts=lasts)


async def test_a_code_without_an_address_is_none(wechat: WeChat, server: WeChatServer) -> None:
    server.script("qrcode/create", Outcome(body=b'{"ticket": "t"}'))
    with pytest.raises(SendError, match="retry: nonsense"):
        await wechat.scene_code("a", lasts=timedelta(days=1))
