"""The last piece, and a wish, go to one person: a barrier stands between every check and every act, so luck has no part.

Each one has an engine of its own, like a process of its own. `naive` is the bug that these tests are for:
under the same barrier it oversells in every round, so a pass of the real code means something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.engine import Engine
from sqlmodel import Session, func, select

from db import ledger, redemptions, rewards, wish_claims
from db.engine import write_engine
from db.members import Member, Membership
from db.rewards import HOLD_FOR, Order, Redemption, Reward
from db.wishes import Wish
from tests.at_once import Meet, at_once, seen_at_once
from tests.cast import ALICE, CITY, DAY, LIANGFENG, NOON

MANY = 16
CROWD = tuple(range(1001, 1001 + MANY))
PATH = "/1/2/10/"
LAST = 70  # the reward with one piece left
Act = Callable[[Session, Order, int], object]


@pytest.fixture
def crowd(engine: Engine) -> None:
    """Sixteen members with 30 points each, and one piece at 30."""
    with Session(engine) as session:
        session.add(
            Reward(id=LAST, organization_id=CITY, kind="goods", name="最后一个", price=30, stock=1, received=1)
        )
        session.add_all(Member(id=person, code=f"M{person}", name=f"同志{person}") for person in CROWD)
        session.flush()
        for person in CROWD:
            session.add(Membership(member_id=person, organization_id=LIANGFENG, from_day=date(2020, 1, 1)))
            _earn(session, person, 30)
        session.commit()


@pytest.fixture
def another(database_url: str) -> Iterator[Engine]:
    """A second write engine."""
    made = write_engine(database_url)
    yield made
    made.dispose()


def _earn(session: Session, person: int, points: int, cause: str = "test") -> None:
    ledger.book(session, member_id=person, rule_id="PB1", cause=cause, points=points, day=DAY, booked_at=NOON)


def order(person: int, reward_id: int = LAST, points: int = 30, nonce: str = "n1") -> Order:
    return Order(
        reward_id=reward_id,
        member_id=person,
        branch_path=PATH,
        points=points,
        nonce=nonce,
        now=NOON,
        day=DAY,
        year_began_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def guarded(session: Session, asked: Order, _seen: int) -> object:
    """The real one."""
    return rewards.redeem(session, asked)


def naive(session: Session, asked: Order, seen: int) -> object:
    """The seeded bug: decides by what was read before, and writes what follows from it."""
    if seen < 1:
        return "sold_out"
    reward = session.get(Reward, asked.reward_id)
    assert reward is not None
    reward.stock = seen - 1
    made = rewards._insert(session, asked, state="held", expires_at=NOON + HOLD_FOR)
    rewards._spend(session, asked, made, "REDEEM", reward.name)
    return made, True


def all_at_once(url: str, orders: list[Order], act: Act) -> list[object]:
    """Every one reads the stock, waits until all have read it, and then acts."""

    def one(asked: Order) -> Callable[[Session, Meet], object]:
        def run(session: Session, meet: Meet) -> object:
            seen = session.get(Reward, asked.reward_id)
            stock = seen.stock if seen is not None and seen.stock is not None else 0
            meet()  # between check and act
            outcome = act(session, asked, stock)
            return outcome if isinstance(outcome, str) else "made" if outcome[1] else "known"

        return run

    return seen_at_once(url, *[one(asked) for asked in orders])


def held(engine: Engine, reward_id: int = LAST) -> int:
    with Session(engine) as session:
        statement = select(func.count()).where(Redemption.reward_id == reward_id, Redemption.state == "held")
        return session.exec(statement).one()


def stock(engine: Engine, reward_id: int = LAST) -> int | None:
    with Session(engine) as session:
        return session.get(Reward, reward_id).stock


def balances(engine: Engine) -> list[int]:
    with Session(engine) as session:
        return sorted(ledger.balance(session, person) for person in CROWD)


@pytest.mark.usefixtures("crowd")
def test_sixteen_at_once_for_the_last_piece_make_one_redemption(engine, database_url):
    outcomes = all_at_once(database_url, [order(person) for person in CROWD], guarded)
    assert sorted(outcomes) == ["made"] + ["sold_out"] * (MANY - 1)
    assert (held(engine), stock(engine)) == (1, 0)
    assert balances(engine) == [0] + [30] * (MANY - 1)  # the others keep their points


@pytest.mark.usefixtures("crowd")
def test_the_barrier_finds_the_naive_read_then_write(engine, database_url):
    outcomes = all_at_once(database_url, [order(person) for person in CROWD], naive)
    assert outcomes == ["made"] * MANY
    assert held(engine) == MANY  # one piece, sixteen codes: this is what must never happen
    assert stock(engine) == 0


@pytest.mark.usefixtures("crowd")
def test_one_member_with_sixteen_chats_spends_only_what_is_there(engine, database_url):
    with Session(engine) as session:
        session.get(Reward, LAST).stock = MANY
        _earn(session, ALICE, 45)
        session.commit()
    orders = [order(ALICE, nonce=f"n{place}") for place in range(MANY)]
    outcomes = all_at_once(database_url, orders, guarded)
    assert sorted(outcomes) == ["made"] + ["not_enough"] * (MANY - 1)
    with Session(engine) as session:
        assert ledger.purse(session, ALICE) == (15, 0)
    assert stock(engine) == MANY - 1


@pytest.mark.usefixtures("crowd")
def test_one_member_with_sixteen_chats_holds_at_most_two(engine, database_url):
    with Session(engine) as session:
        session.get(Reward, LAST).stock = MANY
        _earn(session, ALICE, 1000)
        session.commit()
    orders = [order(ALICE, nonce=f"n{place}") for place in range(MANY)]
    outcomes = all_at_once(database_url, orders, guarded)
    assert sorted(outcomes) == ["made"] * 2 + ["too_many_open"] * (MANY - 2)


@pytest.mark.usefixtures("crowd")
def test_one_preview_confirmed_sixteen_times_is_one_redemption(engine, database_url):
    with Session(engine) as session:
        session.get(Reward, LAST).stock = MANY
        _earn(session, ALICE, 1000)
        session.commit()
    outcomes = all_at_once(database_url, [order(ALICE)] * MANY, guarded)
    assert sorted(outcomes) == ["known"] * (MANY - 1) + ["made"]
    with Session(engine) as session:
        assert ledger.balance(session, ALICE) == 970


@pytest.mark.usefixtures("crowd")
def test_sixteen_supporters_never_give_a_project_more_than_it_needs(engine, database_url):
    with Session(engine) as session:
        session.add(
            Reward(id=71, organization_id=CITY, kind="project", name="长椅", goal=100, raised=0, stock=None)
        )
        session.commit()
    orders = [order(person, reward_id=71, points=30) for person in CROWD]
    outcomes = all_at_once(database_url, orders, lambda session, asked, _: rewards.support(session, asked))
    assert sorted(outcomes) == ["beyond_goal"] * (MANY - 3) + ["made"] * 3
    with Session(engine) as session:
        assert session.get(Reward, 71).raised == 90
    assert balances(engine) == [0] * 3 + [30] * (MANY - 3)


@pytest.mark.usefixtures("crowd")
def test_cancel_expire_and_hand_over_at_once_end_a_redemption_once(engine, database_url):
    ends = NOON + HOLD_FOR
    with Session(engine) as session:
        made, _ = rewards.redeem(session, order(CROWD[0]))
        session.commit()
        number = made.id

    def one(place: int) -> Callable[[Session], str]:
        def act(session: Session) -> str:
            if place % 3 == 0:
                done = redemptions.cancel(session, number, now=ends, day=DAY)
            elif place % 3 == 1:
                done = bool(redemptions.expired(session, now=ends, day=DAY, most=10))
            else:
                early = ends - timedelta(seconds=1)
                done = redemptions.hand_over(session, number, keeper_id=ALICE, now=early)
            return ("cancelled", "expired", "handed_over")[place % 3] if done else ""

        return act

    ended = [done for done in at_once(database_url, *[one(place) for place in range(MANY)]) if done]
    assert len(ended) == 1
    with Session(engine) as session:
        assert session.get(Redemption, number).state == ended[0]
        back = ended[0] != "handed_over"
        assert ledger.balance(session, CROWD[0]) == (30 if back else 0)
        assert session.get(Reward, LAST).stock == (1 if back else 0)


@pytest.mark.usefixtures("crowd")
def test_who_has_read_first_and_acts_last_gets_nothing(engine, another):
    """Two sessions by hand: A reads one piece, B takes it, A acts on what it read."""
    with Session(another) as session:
        assert rewards.offer(session, LAST, PATH).stock == 1
    with Session(engine) as session:
        assert rewards.redeem(session, order(CROWD[1]))[1] is True
        session.commit()
    with Session(another) as session:
        assert rewards.redeem(session, order(CROWD[0])) == "sold_out"
        session.commit()
    assert (held(engine), balances(engine)) == (1, [0] + [30] * (MANY - 1))


@pytest.mark.usefixtures("crowd")
def test_the_piece_itself_is_taken_on_a_condition(engine):
    """The update alone, without any check before it, refuses an empty shelf and an old price."""
    with Session(engine) as session:
        assert not rewards.take_piece(session, LAST, 29)
        assert rewards.take_piece(session, LAST, 30)
        assert not rewards.take_piece(session, LAST, 30)
        session.commit()
    assert stock(engine) == 0


@pytest.mark.usefixtures("crowd")
def test_one_member_with_sixteen_chats_claims_at_most_three_wishes(engine, database_url):
    with Session(engine) as session:
        for number in range(1, MANY + 1):
            session.add(
                Wish(
                    id=number,
                    organization_id=LIANGFENG,
                    wisher_id=ALICE,
                    title=f"心愿之{number}",
                    area="某地",
                    state="published",
                    created_at=NOON,
                    published_at=NOON,
                )
            )
        session.commit()
    outcomes = claim_all_at_once(database_url, [(number, CROWD[0]) for number in range(1, MANY + 1)])
    assert sorted(outcomes) == ["claimed"] * 3 + ["too_many"] * (MANY - 3)


@pytest.mark.usefixtures("crowd")
def test_sixteen_members_at_once_make_one_claim_on_one_wish(engine, database_url):
    with Session(engine) as session:
        session.add(
            Wish(
                id=1,
                organization_id=LIANGFENG,
                wisher_id=ALICE,
                title="心愿",
                area="某地",
                state="published",
                created_at=NOON,
                published_at=NOON,
            )
        )
        session.commit()
    outcomes = claim_all_at_once(database_url, [(1, person) for person in CROWD])
    assert sorted(outcomes) == ["claimed"] + ["gone"] * (MANY - 1)


def claim_all_at_once(url: str, asked: list[tuple[int, int]]) -> list[str]:
    """Every one reads its wish, waits until all have read theirs, and then claims it for its member."""

    def one(wish_id: int, person: int) -> Callable[[Session, Meet], str]:
        def run(session: Session, meet: Meet) -> str:
            assert session.get(Wish, wish_id).state == "published"
            meet()
            outcome = wish_claims.claim(session, wish_id=wish_id, member_id=person, now=NOON)
            return outcome if isinstance(outcome, str) else "claimed"

        return run

    return seen_at_once(url, *[one(wish_id, person) for wish_id, person in asked])
