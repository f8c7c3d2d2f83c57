"""The list of wishes, what is forged, and what the database itself refuses."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import Session

from db import wish_claims, wishes
from db.wishes import Wish, WishClaim
from tests.cast import ALICE, BOB, CHARLIE, LIANGFENG, NOON, RUI, SHAZHOU
from tests.handlers.wishes.conftest import GLASSES, state


async def test_own_branch_comes_first_and_the_longest_wait_within_it(say, look):
    def fill(session: Session) -> None:
        for number, branch, hours in ((1, SHAZHOU, 9), (2, LIANGFENG, 1), (3, LIANGFENG, 5)):
            session.add(
                Wish(
                    id=number + 100,
                    organization_id=branch,
                    wisher_id=RUI,
                    title=f"心愿之{number}",
                    area="某地",
                    value_yuan=0,
                    state="published",
                    created_at=NOON,
                    published_at=NOON - timedelta(hours=hours),
                )
            )

    await look(fill)
    titles = [label.split("（")[0] for label in (await say(BOB, "心愿")).labels()[:3]]
    assert titles == ["1 心愿之3", "2 心愿之2", "3 心愿之1"]
    assert (await say(CHARLIE, "心愿")).labels()[0].startswith("1 心愿之1")
    assert (await say(BOB, "心愿 2")).text.startswith("心愿之2")  # typed by its place


async def test_four_on_a_page_and_the_rest_on_the_next(say, look):
    await look(
        lambda s: s.add_all(
            Wish(
                organization_id=LIANGFENG,
                wisher_id=RUI,
                title=f"心愿之{number}",
                area="某地",
                value_yuan=0,
                state="published",
                created_at=NOON,
                published_at=NOON + timedelta(minutes=number),
            )
            for number in range(1, 7)
        )
    )
    first = await say(BOB, "心愿")
    assert first.labels()[3:6] == ["4 心愿之4（某地，不用花钱）", "5 下一页", "6 我要许心愿"]
    second = await say(BOB, "5")
    assert second.labels()[:2] == ["1 心愿之5（某地，不用花钱）", "2 心愿之6（某地，不用花钱）"]
    for page in ("0", "abc", "99999999999"):
        assert "心愿之1" in (await say(BOB, f"wishes:page:{page}", kind="button")).labels()[0]


@pytest.mark.parametrize(
    "text",
    [
        "wishes:see:999999",
        "wishes:see:abc",
        "wishes:claim:999999",
        "wishes:claim:abc",
        "wishes:claim",
        "wishes:claim:99999999999",
        "wishes:nonsense",
        "wishes:999999",
        "心愿 999999",
        "心愿 😀",
        "心愿 " + "长" * 5000,
        "心愿 \u202e老花镜",
    ],
)
async def test_what_is_forged_or_mistyped_gets_the_list(say, publish, look, text):
    await publish()
    message = await say(BOB, text)
    assert message.text.startswith("没有找到这个心愿")
    assert message.labels()[0] == "1 一副老花镜（梁丰社区，约 80 元）"
    assert await state(look) == ("published", [])


@pytest.mark.parametrize("verb", ["mine", "done", "report", "release", "extend", "contacted"])
@pytest.mark.parametrize("what", ["abc", "999999", ""])
async def test_a_forged_claim_is_not_found(say, verb, what):
    if verb == "mine" and not what:
        return
    assert (await say(BOB, f"wishes:{verb}:{what}", kind="button")).text.startswith(
        ("没有找到这次认领", "您现在没有在办的心愿")
    )


# The database


def test_a_second_living_claim_cannot_be_written(engine):
    from sqlalchemy.exc import IntegrityError

    with Session(engine) as session:
        session.add(
            Wish(
                id=1,
                organization_id=LIANGFENG,
                wisher_id=ALICE,
                title=GLASSES,
                area="某地",
                state="claimed",
                created_at=NOON,
            )
        )
        session.flush()
        for person in (BOB, CHARLIE):
            session.add(WishClaim(wish_id=1, member_id=person, claimed_at=NOON, due_at=NOON))
        with pytest.raises(IntegrityError):
            session.flush()


def test_who_has_read_first_and_claims_last_gets_nothing(engine):
    """Two sessions by hand: both see the wish published, one claims it, the other's claim finds it gone."""
    with Session(engine) as session:
        session.add(
            Wish(
                id=1,
                organization_id=LIANGFENG,
                wisher_id=ALICE,
                title=GLASSES,
                area="某地",
                state="published",
                created_at=NOON,
                published_at=NOON,
            )
        )
        session.commit()
    with Session(engine) as session:
        assert wishes.by_id(session, 1).state == "published"
    with Session(engine) as session:
        assert not isinstance(wish_claims.claim(session, wish_id=1, member_id=BOB, now=NOON), str)
        session.commit()
    with Session(engine) as session:
        assert wish_claims.claim(session, wish_id=1, member_id=CHARLIE, now=NOON) == "gone"
