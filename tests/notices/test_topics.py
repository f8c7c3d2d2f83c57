"""Topic letters: one a week for each topic, in turn, once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from db import letters
from db.deliveries import Delivery
from db.letters import Letter, Topic
from db.members import Member
from db.organizations import Organization
from notices import topics
from notices.topics import COLUMNS, ContentError, ensure, origin_of, read, texts, write_letter
from tests.cast import ALICE, CHARLIE, NOON
from tests.conftest import ZONE

WEEK = timedelta(days=7)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.id)
def test_every_topic_has_letters_that_can_be_sent(column):
    found = texts(column.id)
    assert len(found) >= (4 if column.id in ("party_constitution", "member_focus", "law_corner") else 2)
    for text in found:
        assert 0 < len(text.title) <= 40
        assert 100 <= len(text.body) <= 600
        assert "TODO" not in text.body
    assert len({text.title for text in found}) == len(found)


def test_current_affairs_link_to_authorised_sources_only():
    allowed = {"news.cn", "people.com.cn", "cctv.com", "gov.cn", "12371.cn", "piyao.org.cn", "stats.gov.cn"}
    words = " ".join(text.body for text in texts("current_affairs")).replace("（", " ").replace("，", " ").split()
    links = [word for word in words if word.startswith("www.")]
    assert links
    for link in links:
        assert link.removeprefix("www.") in allowed, link


def test_a_file_is_a_title_perhaps_a_question_and_a_text():
    assert read("# 标题\n\n正文\n第二行\n", "x.md") == topics.Text("标题", "正文\n第二行", "none")
    assert read("# 标题\nask: ack\n\n正文", "x.md").ask == "ack"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "first line"),
        ("标题\n正文", "first line"),
        ("# \n正文", "first line"),
        ("# 标题\n", "no text"),
        ("# 标题\nask: perhaps\n正文", "ask must be"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_wrong(text, problem):
    with pytest.raises(ContentError, match=f"law_corner/1.md: .*{problem}"):
        read(text, "law_corner/1.md")


def test_a_week_belongs_to_its_iso_year():
    assert origin_of("law_corner", datetime(2026, 6, 17, tzinfo=UTC).date()) == "topic:law_corner:2026-W25"
    assert origin_of("law_corner", datetime(2027, 1, 1, tzinfo=UTC).date()) == "topic:law_corner:2026-W53"


async def test_ensure_adds_what_is_missing_and_keeps_what_a_city_has_renamed(look):
    def rename(session):
        session.get(Topic, "law_corner").title = "普法角"

    await look(rename)
    assert await look(ensure) == 3  # the cast has two
    assert await look(ensure) == 0
    assert await look(lambda s: s.get(Topic, "law_corner").title) == "普法角"


async def sent(look):
    return await look(
        lambda s: [
            (row.origin, row.title, row.recipients, row.state, row.author_id)
            for row in s.execute(select(Letter).order_by(Letter.id)).scalars()
        ]
    )


async def test_the_letter_of_a_week_goes_to_everybody_with_a_chat(look):
    letter = await look(lambda s: write_letter(s, "law_corner", NOON, NOON, ZONE))
    title = texts("law_corner")[24 % len(texts("law_corner"))].title  # week 25
    assert await sent(look) == [("topic:law_corner:2026-W25", title, 9, "sending", None)]
    assert letter.expires_at == NOON + WEEK
    members = await look(lambda s: set(s.execute(select(Delivery.member_id)).scalars()))
    assert {ALICE, CHARLIE} < members


async def test_a_week_is_written_once(look):
    await look(lambda s: write_letter(s, "law_corner", NOON, NOON, ZONE))
    assert await look(lambda s: write_letter(s, "law_corner", NOON, NOON + WEEK / 7, ZONE)) is None
    assert len(await sent(look)) == 1


async def test_weeks_take_the_files_in_turn_and_begin_again(look):
    count = len(texts("law_corner"))
    for week in range(2 * count):
        at = NOON + week * WEEK
        await look(lambda s, at=at: write_letter(s, "law_corner", at, at, ZONE))
    titles = [row[1] for row in await sent(look)]
    assert titles[:count] == titles[count:]
    assert Counter(titles) == {text.title: 2 for text in texts("law_corner")}


async def test_a_topic_without_files_sends_nothing(look, tmp_path):
    assert await look(lambda s: write_letter(s, "law_corner", NOON, NOON, ZONE, tmp_path)) is None


async def test_a_letter_is_found_by_what_made_it(look):
    await look(lambda s: write_letter(s, "law_corner", NOON, NOON, ZONE))
    assert await look(lambda s: letters.by_origin(s, "topic:law_corner:2026-W25").topic_id) == "law_corner"
    assert await look(lambda s: letters.by_origin(s, "topic:law_corner:2026-W26")) is None


async def test_the_city_is_the_sender(look):
    letter = await look(lambda s: write_letter(s, "law_corner", NOON, NOON, ZONE))
    assert await look(lambda s: s.get(Organization, letter.organization_id).level) == "city"


async def test_people_who_left_get_nothing(look):
    def leave(session):
        session.get(Member, ALICE).status = "left"

    await look(leave)
    await look(lambda s: write_letter(s, "law_corner", NOON, NOON, ZONE))
    members = await look(lambda s: set(s.execute(select(Delivery.member_id)).scalars()))
    assert ALICE not in members
