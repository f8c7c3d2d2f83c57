"""Long messages in parts, with the limits of the real channels, on both sides of each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.channels.telegram.render import calls
from bot.channels.telegram.text import cut as telegram_parts
from bot.channels.telegram.text import units
from bot.channels.wechat.reply import parts as wechat_parts
from bot.channels.wechat.reply import words
from notices.channel import Button, Message, Picture, SendError
from notices.markup import joined, parse
from notices.outbox import tell
from notices.parting import cut
from notices.wording import wording
from tests.cast import ALICE, NOON
from tests.notices.sending import FakeChannel, bind, engine, rows

STEPS = (Button("收到", "letters:ack:1"), Button("有困难，请联系我", "letters:help:1"))


class Telegram:
    name = "telegram"

    def parts(self, text):
        return telegram_parts(text, 4096)

    def fits_below(self, text):
        return units(text) <= 1024


class WeChat:
    name = "wechat"

    def parts(self, text):
        return wechat_parts(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("红" * 4096, 1),
        ("红" * 4097, 2),
        ("🎉" * 2048, 1),
        ("🎉" * 2048 + "红", 2),
        ("红" * 2 * 4088, 2),
        ("红" * (2 * 4088 + 1), 3),
    ],
)
def test_telegram_counts_utf_16_units_and_never_halves_an_emoji(text, count):
    found = cut(Message(text, STEPS), Telegram(), marked=True)
    assert len(found) == count
    assert all(units(part.text) <= 4096 for part in found)
    assert [bool(part.buttons) for part in found] == [False] * (count - 1) + [True]
    assert "".join(part.text.partition("\n")[2] if count > 1 else part.text for part in found) == text
    assert all(len(calls("7", part, None, wording("zh"))) == 1 for part in found)


@pytest.mark.parametrize(("count", "texts"), [(1024, 0), (1025, 1), (5000, 2)])
async def test_a_picture_too_small_for_its_words_is_a_part_that_is_not_sent_again(
    writer, clock, look, count, texts
):
    picture = Picture("stored", {"id": 1}, "红信的图片")
    telegram = FakeChannel("telegram", None, *[SendError("retry", "connect_refused")] * bool(texts))
    telegram.parts = Telegram().parts
    telegram.fits_below = Telegram().fits_below
    message = Message("红" * count, STEPS, picture)
    await look(lambda session: (bind(session, ALICE, "telegram"), tell_alice(session, message)))
    sender = engine(writer, clock, telegram)
    for _ in range(3 + texts):
        await sender.drain_once()
        clock.now += timedelta(seconds=10)
    found = [part for _, part in telegram.sent]
    assert [bool(part.picture) for part in found] == [True] + [False] * texts
    assert all(len(calls("7", part, b"png" if part.picture else None, wording("zh"))) == 1 for part in found)
    assert [bool(part.buttons) for part in found] == [False] * texts + [True]
    parts = await look(lambda session: [(row.part, row.state, row.attempts) for row in rows(session)])
    assert parts == [(1, "sent", 1), (2, "sent", 2), (3, "sent", 1)][: texts + 1]


def tell_alice(session, message):
    return tell(session, member_id=ALICE, key="n1", message=message, now=NOON)


@pytest.mark.parametrize(("more", "count"), [(0, 1), (1, 2)])
def test_wechat_counts_bytes_with_the_steps_below_the_words(more, count):
    below = len(words(Message("", STEPS)).encode()) + 2  # at most so many bytes stand between two steps
    text = "x" * ((2048 - below) % 3 + more) + "红" * ((2048 - below) // 3)
    found = cut(Message(text, STEPS), WeChat(), worded=True)
    assert len(found) == count
    assert [len(wechat_parts(words(part))) for part in found] == [1] * count
    assert "2 有困难，请联系我" in words(found[-1])


def test_parts_end_with_sentences_and_say_which_they_are():
    text = "这是第一句话。" * 600
    found = cut(Message(text), WeChat())
    assert [part.text.partition("\n")[0] for part in found] == [
        f"（{n}/{len(found)}）" for n in range(1, len(found) + 1)
    ]
    assert all(part.text.endswith("。") for part in found)


def test_marks_go_along_and_links_stand_in_words_where_none_can_be_shown():
    letter = joined(["红" * 4090, parse("**重要🎉事项**请看[这里](https://www.gov.cn)")], "")
    message = Message(letter.text, marks=letter.marks)
    shown = []
    for part in cut(message, Telegram(), marked=True):
        ((_, arguments),) = calls("7", part, None, wording("zh"))
        raw = arguments["text"].encode("utf-16-le")
        for one in arguments.get("entities", ()):
            at, end = 2 * one["offset"], 2 * (one["offset"] + one["length"])
            shown.append((one["type"], raw[at:end].decode("utf-16-le"), one.get("url")))
    assert "".join(words for kind, words, _ in shown if kind == "bold") == "重要🎉事项"
    assert shown[-1] == ("text_link", "这里", "https://www.gov.cn")
    last = cut(message, WeChat())[-1]
    assert last.text.endswith("请看这里（https://www.gov.cn）")
    assert last.marks == ()
