"""The menu stays short; what comes with an office is one step behind it."""

from __future__ import annotations

import pytest

from db.members import Role
from handlers import COMMANDS
from handlers.menu import ENTRIES_MAX
from handlers.work import DUTIES, REVIEWS
from tests.cast import ALICE, CITY, DAY, DING, INES, KE, MO, NAMES, OLGA, RUI, SUN

BASE = ["check_in", "points", "rewards", "wishes", "letters", "index", "activities", "me"]
DOING = {command.name for command in COMMANDS if command.acts}


def actions(message):
    return [button.action for button in message.buttons]


@pytest.mark.parametrize(
    ("person", "more"),
    [
        (ALICE, []),
        (MO, ["remote"]),
        (SUN, ["work"]),
        (RUI, ["work"]),
        (OLGA, ["work"]),
        (DING, ["work"]),
        (KE, ["hand_over"]),
        (INES, ["inspect"]),
    ],
)
async def test_the_menu_holds_what_everybody_needs_and_one_way_to_the_office(say, person, more):
    first = await say(person, "菜单")
    if not more:
        assert actions(first) == BASE
        return
    here = [one for one in BASE if one not in ("letters", "me")]
    assert actions(first) == [*here, *more, "menu:more"]
    assert first.labels()[-1] == "8 更多"
    rest = await say(person, "8")
    assert actions(rest) == ["letters", "me", "menu"]
    assert actions(await say(person, "0")) == actions(first)


async def test_no_number_of_a_menu_comes_after_9(say, look):
    await look(appointed)
    everything = set()
    for person in NAMES:
        waiting, seen = ["menu"], set()
        while waiting:
            asked = waiting.pop()
            seen.add(asked)
            message = await say(person, asked, kind="button")
            assert [number for number, _ in message.numbered() if number > 9] == [], (person, asked)
            if asked.partition(":")[0] in ("menu", "work"):  # what they lead to, and no further
                waiting += [one for one in actions(message) if one not in seen and one not in DOING]
        assert "me" in seen
        everything |= seen
    assert {*DUTIES, *REVIEWS} <= everything, "somebody has to see every one of them"


async def test_a_secretary_reaches_every_duty_and_comes_back(say):
    first = await say(SUN, "工作")
    assert actions(first)[:4] == ["warnings", "work:review", "declare", "rectify"]
    more = await say(SUN, "7")
    assert {"receipts", "diagnosis", "standards"} < set(actions(more))
    assert (await say(SUN, "9")).text == first.text
    reviews = await say(SUN, "2")
    assert "record_review" in actions(reviews)
    assert "declaration_review" not in actions(reviews)
    assert (await say(SUN, "9")).text == first.text
    await say(SUN, "3")
    assert actions(await say(SUN, "审核")) == actions(reviews)


async def test_a_reviewer_finds_the_declarations_without_typing_their_name(say):
    assert "work:review" in actions(await say(RUI, "工作"))
    assert "declaration_review" in actions(await say(RUI, "work:review", kind="button"))


@pytest.mark.parametrize("asked", ["work", "work:review", "work:more:6", "work:more:x"])
async def test_without_an_office_nothing_is_offered(say, asked):
    message = await say(ALICE, asked, kind="button")
    assert message.text.startswith("您现在没有登记的职责")
    assert actions(message)[-1] == "menu"


@pytest.mark.parametrize("asked", ["work:more:600", "work:more:x", "work:more:-1", "work:nothing"])
async def test_a_page_that_is_none_is_the_first(say, asked):
    assert actions(await say(SUN, asked, kind="button"))[:2] == ["warnings", "work:review"]


def appointed(session):
    """Give Mo every office that there is."""
    for role in sorted({role for command in COMMANDS for role in command.roles}):
        session.add(Role(member_id=MO, organization_id=CITY, role=role, from_day=DAY))


async def test_all_offices_at_once_still_make_a_short_menu(say, look):
    await look(appointed)
    assert len((await say(MO, "菜单")).buttons) == ENTRIES_MAX
    assert actions(await say(MO, "8")) == ["wishes", "letters", "me", "menu"]
    message, found = await say(MO, "工作"), set()
    while True:
        assert len(message.buttons) <= 9
        found |= set(actions(message))
        if not any(action.startswith("work:more") for action in actions(message)):
            break
        message = await say(MO, "7")
    assert found >= set(DUTIES)
    assert set(actions(await say(MO, "审核"))) >= set(REVIEWS)
