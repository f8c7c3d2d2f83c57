"""Totals and wallets from the raw lines."""

from __future__ import annotations

from datetime import date

from sqlalchemy import text

from db import ledger
from db.rebuild import rebuild
from tests.cast import ALICE, BOB, DAY, NOON


def book(session, member_id, cause, points, **more):
    ledger.book(
        session,
        member_id=member_id,
        rule_id="PB1",
        cause=cause,
        points=points,
        booked_at=NOON,
        **{"day": DAY} | more,
    )


async def lines(look):
    def write(session):
        book(session, ALICE, "a", 2)
        book(session, ALICE, "b", 3, day=date(2025, 12, 31))
        book(session, BOB, "c", 5, in_wallet=False)
        ledger.spend(session, member_id=ALICE, rule_id="REDEEM", cause="r", points=4, day=DAY, booked_at=NOON)

    await look(write)


async def test_what_is_right_is_left_alone(look):
    await lines(look)
    assert (
        str(await look(rebuild))
        == "3 totals (0 corrected), 1 wallets (0 corrected), 0 periods of values (0 corrected)"
    )


async def test_what_was_spoiled_is_corrected_from_the_lines(look):
    await lines(look)

    def spoil(session):
        session.execute(text(f"UPDATE total SET points = 99 WHERE member_id = {ALICE} AND year = 2026"))
        session.execute(text(f"DELETE FROM total WHERE member_id = {BOB}"))
        session.execute(text(f"UPDATE wallet SET balance = 77 WHERE member_id = {ALICE}"))

    await look(spoil)
    assert (
        str(await look(rebuild))
        == "3 totals (2 corrected), 1 wallets (1 corrected), 0 periods of values (0 corrected)"
    )
    assert await look(lambda s: ledger.totals(s, ALICE, 2026)) == {"PB1": (2, 100)}
    assert await look(lambda s: ledger.totals(s, BOB, 2026)) == {"PB1": (5, 100)}
    assert await look(lambda s: ledger.balance(s, ALICE)) == 1
