"""The five seconds, the three tries, and that a reply reaches its person once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from bot.channels.wechat import WeChat
from notices.channel import Button, Message, Picture
from tests.bot.wechat.conftest import ALICE, BOB, PNG, Accounts, EchoDispatcher
from tests.bot.wechat.server import ACCEPT_AND_DROP, OUT_OF_ORDER, Seen, WeChatServer, errcode, status

SEND = "message/custom/send"
CHART = Picture("chart", {"option": {}}, "雷达图：五项都在 16 分以上")


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until `condition()` holds."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to pass")


async def settle() -> None:
    """Let everything run that can run now."""
    for _ in range(100):
        await asyncio.sleep(0)


async def test_an_answer_in_time_is_the_passive_reply(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    assert await server.say(ALICE, "签到") == "您说：签到"
    await wechat.idle()
    assert server.sent(ALICE) == [Seen("passive", "您说：签到")]
    assert echo.taken_ids == [1]
    assert server.requests == []  # no call of the API, not even for a token


async def test_nothing_to_say_is_success_and_taken(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    echo.reply = lambda _: None
    assert await server.unfollow(ALICE) is None
    await wechat.idle()
    assert server.sent(ALICE) == []
    assert echo.taken_ids == [1]


async def test_a_late_reply_goes_once_as_a_customer_message(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher
) -> None:
    wechat = await account(budget_s=0.0)
    echo.hold = asyncio.Event()
    assert await server.say(ALICE, "指数") is None
    assert server.sent(ALICE) == []
    echo.hold.set()
    await wechat.idle()
    assert server.sent(ALICE) == [Seen("customer", "您说：指数")]
    assert echo.taken_ids == [1]


async def test_a_try_waits_for_the_whole_budget_and_no_longer(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher, leap: Callable[[float], None]
) -> None:
    wechat = await account()  # with the budget of the real service: 4 s
    echo.hold = asyncio.Event()
    attempt = asyncio.create_task(server.say(ALICE, "指数"))
    await until(lambda: echo.asked == 1)
    leap(3.5)
    await settle()
    assert not attempt.done()
    leap(0.5)
    assert await attempt is None
    echo.hold.set()
    await wechat.idle()
    assert server.sent(ALICE) == [Seen("customer", "您说：指数")]


async def test_three_tries_at_once_have_one_effect_and_one_reply(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    echo.hold = asyncio.Event()
    letter = server.typed(ALICE, "签到")
    tries = asyncio.create_task(server.deliver_at_once(letter))
    await until(lambda: server.attempts == 3)
    await settle()
    echo.hold.set()
    assert await tries == "您说：签到"
    await wechat.idle()
    assert [incoming.text for incoming in echo.effects] == ["签到"]
    assert server.sent(ALICE) == [Seen("passive", "您说：签到")]


async def test_only_the_newest_of_several_open_tries_carries_the_reply(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    echo.hold = asyncio.Event()
    letter = server.typed(ALICE, "签到")
    tries = []
    for number in range(3):
        tries.append(asyncio.create_task(server.attempt(letter)))
        await until(lambda expected=number + 1: server.attempts == expected)  # type: ignore[misc]
    await settle()
    echo.hold.set()
    bodies = [body for _, body in await asyncio.gather(*tries)]
    assert bodies[:2] == [b"success", b"success"]
    assert server.opened(bodies[2])["Content"] == "您说：签到"


async def test_a_lost_answer_is_given_again_to_the_next_try(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    server.lost_answers = 2
    assert await server.say(ALICE, "签到") == "您说：签到"
    await wechat.idle()
    assert server.attempts == 3
    assert len(echo.effects) == 1
    assert server.sent(ALICE) == [Seen("passive", "您说：签到")]


async def test_a_redelivery_after_a_late_reply_says_nothing_again(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher
) -> None:
    wechat = await account(budget_s=0.0)
    echo.hold = asyncio.Event()
    letter = server.typed(ALICE, "指数")
    await server.deliver(letter)
    echo.hold.set()
    await wechat.idle()
    assert await server.deliver(letter) is None
    await wechat.idle()
    assert server.sent(ALICE) == [Seen("customer", "您说：指数")]


async def test_a_retry_while_the_reply_is_late_carries_it_instead_of_a_customer_message(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher, leap: Callable[[float], None]
) -> None:
    echo.hold = asyncio.Event()
    server.lost_answers = 1
    person = asyncio.create_task(server.say(ALICE, "指数"))
    await until(lambda: server.attempts == 1)
    await settle()
    leap(4.0)  # the first try gets `success`, which is lost on the way
    await until(lambda: server.attempts == 2)
    await settle()
    echo.hold.set()
    assert await person == "您说：指数"
    await wechat.idle()
    assert server.sent(ALICE) == [Seen("passive", "您说：指数")]


async def test_a_reply_for_a_try_that_hung_up_goes_as_a_customer_message(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher
) -> None:
    wechat = await account()
    query, body = server.sealed(server.typed(ALICE, "指数").document)
    status, _ = await hang_up_after(wechat, query, body)
    await wechat.idle()
    assert status == 200
    assert server.sent(ALICE) == [Seen("customer", "您说：指数")]


async def hang_up_after(wechat: WeChat, query: str, body: bytes) -> tuple[int, bytes]:
    """One request whose caller is gone once the body was sent; what would have been answered."""
    app = FastAPI()
    app.include_router(wechat.router)
    incoming: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        said.append(event)

    scope = {"type": "http", "method": "POST", "path": "/wechat", "raw_path": b"/wechat", "headers": []}
    await app({**scope, "query_string": query.encode()}, receive, send)
    return said[0]["status"], said[1]["body"]


async def test_a_new_process_does_not_push_again_what_was_taken(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher
) -> None:
    letter = server.typed(ALICE, "指数")
    for _ in range(2):  # the second account is the first one's process, started again
        wechat = await account()
        await hang_up_after(wechat, *server.sealed(letter.document))
        await wechat.idle()
    assert server.sent(ALICE) == [Seen("customer", "您说：指数")]


async def test_a_new_process_gives_a_redelivery_the_stored_reply(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher
) -> None:
    await account()
    letter = server.typed(ALICE, "签到")
    server.lost_answers = 3
    await server.deliver(letter)
    await account()
    assert await server.deliver(letter) == "您说：签到"
    assert len(echo.effects) == 1


async def test_a_message_that_cannot_be_committed_is_brought_again(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    echo.fails = 2
    assert await server.say(ALICE, "签到") == "您说：签到"
    assert server.attempts == 3
    assert len(echo.effects) == 1


async def test_a_message_that_can_never_be_committed_is_not_acknowledged(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    echo.fails = 3
    await server.say(ALICE, "签到")
    assert server.words(ALICE) == [OUT_OF_ORDER]
    assert echo.effects == []


async def test_the_picture_follows_the_words(wechat: WeChat, server: WeChatServer, echo: EchoDispatcher) -> None:
    echo.reply = lambda _: Message("指数 71.50 分", (Button("榜单", "board"),), CHART)
    await server.click(ALICE, "index")
    await wechat.idle()
    assert server.sent(ALICE) == [
        Seen("passive", "指数 71.50 分\n1 榜单"),
        Seen("customer", image=PNG + CHART.alt.encode()),
    ]


async def test_a_late_picture_follows_its_words_too(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher
) -> None:
    wechat = await account(budget_s=0.0)
    echo.hold = asyncio.Event()
    echo.reply = lambda _: Message("指数 71.50 分", picture=CHART)
    await server.click(ALICE, "index")
    echo.hold.set()
    await wechat.idle()
    assert [seen.text for seen in server.sent(ALICE)] == ["指数 71.50 分", ""]
    assert server.sent(ALICE)[1].image == PNG + CHART.alt.encode()


async def test_a_redelivered_picture_is_sent_once(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    echo.reply = lambda _: Message("指数 71.50 分", picture=CHART)
    server.lost_answers = 1
    await server.click(ALICE, "index")
    await wechat.idle()
    assert len([seen for seen in server.sent(ALICE) if seen.image]) == 1


async def test_a_picture_that_cannot_go_leaves_the_words(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    echo.reply = lambda _: Message("指数 71.50 分", picture=CHART)
    server.script("media/upload", *[status(502)] * 3)
    await server.click(ALICE, "index")
    await wechat.idle()
    assert server.words(ALICE) == ["指数 71.50 分"]
    assert echo.taken_ids == [1]


async def test_a_long_reply_goes_on_as_a_customer_message(
    wechat: WeChat, server: WeChatServer, echo: EchoDispatcher
) -> None:
    text = "".join(f"第{number:03d}条，学习贯彻。" for number in range(200))
    echo.reply = lambda _: Message(text, (Button("菜单", "menu", 0),))
    await server.say(ALICE, "明细")
    await wechat.idle()
    seen = server.sent(ALICE)
    assert [one.way for one in seen] == ["passive", "customer", "customer"]
    assert "".join(one.text for one in seen) == text + "\n0 菜单"
    assert all(one.text.endswith("。") for one in seen[:-1])


async def test_a_late_reply_is_tried_three_times_then_left_open(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher
) -> None:
    wechat = await account(budget_s=0.0)
    echo.hold = asyncio.Event()
    server.script(SEND, errcode(-1), errcode(-1))
    await server.say(ALICE, "一")
    echo.hold.set()
    await wechat.idle()
    assert (server.words(ALICE), echo.taken_ids) == (["您说：一"], [1])
    echo.hold.clear()
    server.script(SEND, errcode(-1), errcode(-1), errcode(-1))
    await server.say(BOB, "二")
    echo.hold.set()
    await wechat.idle()
    assert (server.words(BOB), echo.taken_ids) == ([], [1])


async def test_a_late_reply_of_which_nobody_knows_is_not_sent_again(
    account: Accounts, server: WeChatServer, echo: EchoDispatcher
) -> None:
    wechat = await account(budget_s=0.0)
    echo.hold = asyncio.Event()
    server.script(SEND, ACCEPT_AND_DROP)
    await server.say(ALICE, "一")
    echo.hold.set()
    await wechat.idle()
    assert server.words(ALICE) == ["您说：一"]
    assert echo.taken_ids == [1]
    assert server.requests.count(SEND) == 1


async def test_two_people_at_once_each_get_their_own_reply(wechat: WeChat, server: WeChatServer) -> None:
    people = [f"oPerson{number}" for number in range(30)]
    replies = await asyncio.gather(*(server.say(openid, openid) for openid in people))
    assert replies == [f"您说：{openid}" for openid in people]
