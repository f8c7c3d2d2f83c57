"""What must hold in the database at every moment, each as one query for the cases in which it does not.

The queries are plain SQL that both databases understand, so that they share no code with what they prove.
"""

from __future__ import annotations

from dataclasses import dataclass

from db import value_invariants
from db.schema import APPEND_ONLY


@dataclass(frozen=True, slots=True)
class Invariant:
    """cases: a query with one text column, a row per broken case. {braces} are filled per database.

    A query that names :low and :high is run for one slice of the members after the other.
    """

    title: str
    cases: str


# What the two databases spell differently. `e` is a line of the ledger.
_WORDS = {
    "sqlite": {
        "year": "CAST(strftime('%Y', e.day) AS INTEGER)",
        "activity_id": "CAST(substr(e.cause, 10) AS INTEGER)",
        "triggers": "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%RAISE(ABORT%'",
    },
    "postgresql": {
        "year": "CAST(EXTRACT(YEAR FROM e.day) AS INTEGER)",
        "activity_id": "CAST(substring(e.cause from '^activity:([0-9]{1,9})') AS INTEGER)",
        "triggers": "SELECT tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
        "WHERE tgenabled IN ('O', 'A') AND pg_table_is_visible(pg_class.oid)",
    },
}
_TRIGGERS = {
    "sqlite": [f"{table}_no_{verb}" for table in APPEND_ONLY for verb in ("update", "delete")],
    "postgresql": [f"{table}_append_only" for table in APPEND_ONLY],
}
_SHARED = {
    # A line that nothing has taken back.
    "stands": "NOT EXISTS (SELECT 1 FROM entry u WHERE u.member_id = e.member_id AND u.rule_id = e.rule_id "
    "AND u.cause = 'undo:' || e.cause)",
    # `a` is an attendance and `c` its activity: what `scoring.booking` books for it.
    "cause": "'activity:' || a.activity_id || CASE WHEN a.round > 1 THEN ':' || a.round ELSE '' END",
    "rule": "CASE c.scope WHEN 'branch' THEN 'PB1' ELSE 'PP1' END",
    "came": "a.state = 'present' AND a.mode IN ('onsite', 'remote')",
    "appealed": "EXISTS (SELECT 1 FROM appeal p WHERE p.entry_id = e.id AND p.state = 'accepted')",
}

INVARIANTS = (
    Invariant(
        "totals equal the index lines",
        """SELECT 'member ' || member_id || ' ' || year || ' ' || rule_id AS one FROM (
             SELECT member_id, year, rule_id, points, hundredths FROM total
              WHERE member_id > :low AND member_id <= :high
             UNION ALL
             SELECT e.member_id, {year}, e.rule_id, -e.points, -e.hundredths FROM entry e
              WHERE e.in_index AND e.member_id > :low AND e.member_id <= :high) AS line
           GROUP BY member_id, year, rule_id HAVING sum(points) <> 0 OR sum(hundredths) <> 0""",
    ),
    Invariant(
        "wallets equal the wallet lines",
        """SELECT 'member ' || member_id AS one FROM (
             SELECT member_id, balance - debt AS points FROM wallet WHERE member_id > :low AND member_id <= :high
             UNION ALL
             SELECT e.member_id, -e.points FROM entry e
              WHERE e.in_wallet AND e.member_id > :low AND e.member_id <= :high) AS line
           GROUP BY member_id HAVING sum(points) <> 0""",
    ),
    Invariant(
        "no wallet is negative, or holds points beside a debt",
        """SELECT 'member ' || member_id AS one FROM wallet
            WHERE balance < 0 OR debt < 0 OR (balance <> 0 AND debt <> 0)""",
    ),
    Invariant(
        "one cause pays a member once under one rule",
        """SELECT 'member ' || e.member_id || ' ' || e.cause || ' ' || e.rule_id AS one FROM entry e
            WHERE e.member_id > :low AND e.member_id <= :high
            GROUP BY e.member_id, e.cause, e.rule_id HAVING count(*) > 1""",
    ),
    Invariant(
        "a line that undoes is the opposite of one line",
        """SELECT 'entry ' || u.id AS one FROM entry u
            WHERE u.member_id > :low AND u.member_id <= :high AND u.cause LIKE 'undo:%' AND NOT EXISTS (
              SELECT 1 FROM entry e
               WHERE e.member_id = u.member_id AND e.rule_id = u.rule_id AND u.cause = 'undo:' || e.cause
                 AND e.points = -u.points AND e.hundredths = -u.hundredths AND e.day = u.day
                 AND e.in_index = u.in_index AND e.in_wallet = u.in_wallet)""",
    ),
    Invariant(
        "every attendance has one award",
        """SELECT 'activity ' || a.activity_id || ' member ' || a.member_id AS one
             FROM attendance a JOIN activity c ON c.id = a.activity_id
            WHERE a.member_id > :low AND a.member_id <= :high AND {came} AND NOT EXISTS (
              SELECT 1 FROM entry e
               WHERE e.member_id = a.member_id AND e.cause = {cause} AND e.rule_id = {rule} AND {stands})""",
    ),
    Invariant(
        "every award has its attendance; what was undone is taken back",
        """SELECT 'member ' || e.member_id || ' ' || e.cause || ' ' || e.rule_id AS one FROM entry e
            WHERE e.member_id > :low AND e.member_id <= :high AND e.cause LIKE 'activity:%'
              AND e.rule_id IN ('PB1', 'PP1') AND {stands} AND NOT EXISTS (
              SELECT 1 FROM attendance a JOIN activity c ON c.id = a.activity_id
               WHERE a.member_id = e.member_id AND a.activity_id = {activity_id}
                 AND {came} AND e.cause = {cause} AND e.rule_id = {rule})""",
    ),
    Invariant(
        "pieces received are in stock, held or handed over",
        """SELECT 'reward ' || w.id AS one FROM reward w
             LEFT JOIN (SELECT reward_id, count(*) AS gone FROM redemption
                         WHERE state IN ('held', 'handed_over') GROUP BY reward_id) r ON r.reward_id = w.id
            WHERE w.kind = 'goods'
              AND (w.stock IS NULL OR w.stock < 0 OR w.received <> w.stock + coalesce(r.gone, 0))""",
    ),
    Invariant(
        "a project has raised what it was given",
        """SELECT 'reward ' || w.id AS one FROM reward w
             LEFT JOIN (SELECT reward_id, sum(points) AS given FROM redemption
                         WHERE state = 'handed_over' GROUP BY reward_id) r ON r.reward_id = w.id
            WHERE w.kind = 'project' AND w.raised <> coalesce(r.given, 0)""",
    ),
    Invariant(
        "a redemption is paid once, and given back when it came to nothing",
        """SELECT 'redemption ' || r.id AS one FROM redemption r JOIN reward w ON w.id = r.reward_id
            WHERE r.member_id > :low AND r.member_id <= :high AND (
              (r.state = 'held') <> (r.closed_at IS NULL)
              OR NOT EXISTS (SELECT 1 FROM entry e
                  WHERE e.member_id = r.member_id AND e.cause = 'redemption:' || r.id AND e.points = -r.points
                    AND e.rule_id = CASE w.kind WHEN 'goods' THEN 'REDEEM' ELSE 'PROJECT' END)
              OR (r.state IN ('expired', 'cancelled')) <> EXISTS (SELECT 1 FROM entry e
                  WHERE e.member_id = r.member_id AND e.cause = 'redemption:' || r.id AND e.points = r.points
                    AND e.rule_id = 'REFUND'))""",
    ),
    Invariant(
        "what was spent or given back has its redemption and moves no index",
        """SELECT 'entry ' || e.id AS one FROM entry e
            WHERE e.member_id > :low AND e.member_id <= :high AND e.rule_id IN ('REDEEM', 'REFUND', 'PROJECT')
              AND (e.in_index OR NOT EXISTS (SELECT 1 FROM redemption r
                   WHERE r.member_id = e.member_id AND e.cause = 'redemption:' || r.id))""",
    ),
    Invariant(
        "a wish stands as its claim does",
        """SELECT 'wish ' || w.id AS one FROM wish w
             LEFT JOIN (SELECT wish_id, count(*) AS claims, min(state) AS state FROM wish_claim
                         WHERE state <> 'released' GROUP BY wish_id) c ON c.wish_id = w.id
            WHERE coalesce(c.claims, 0) > 1 OR coalesce(c.state, '') <>
                  CASE w.state WHEN 'claimed' THEN 'live' WHEN 'delivered' THEN 'delivered'
                               WHEN 'closed' THEN 'closed' ELSE '' END""",
    ),
    Invariant(
        "nobody claims their own wish",
        """SELECT 'wish ' || w.id AS one FROM wish_claim c
             JOIN wish w ON w.id = c.wish_id AND w.wisher_id = c.member_id""",
    ),
    Invariant(
        "a wish that came true pays its claimer, and only then",
        """SELECT 'wish ' || c.wish_id AS one FROM wish_claim c
            WHERE c.member_id > :low AND c.member_id <= :high AND c.state = 'closed' AND NOT EXISTS (
              SELECT 1 FROM entry e WHERE e.member_id = c.member_id AND e.cause = 'wish:' || c.wish_id
                 AND e.rule_id = 'PP3' AND ({stands} OR {appealed}))
           UNION ALL
           SELECT 'entry ' || e.id FROM entry e
            WHERE e.member_id > :low AND e.member_id <= :high AND e.rule_id = 'PP3'
              AND e.cause LIKE 'wish:%' AND {stands} AND NOT EXISTS (
              SELECT 1 FROM wish_claim c WHERE c.member_id = e.member_id AND c.state = 'closed'
                 AND e.cause = 'wish:' || c.wish_id)""",
    ),
    Invariant(
        "memberships do not overlap",
        """SELECT 'member ' || s.member_id AS one FROM membership s
             JOIN membership o ON o.member_id = s.member_id AND o.id > s.id
            WHERE s.member_id > :low AND s.member_id <= :high
              AND (s.to_day IS NULL OR o.from_day < s.to_day) AND (o.to_day IS NULL OR s.from_day < o.to_day)""",
    ),
    Invariant(
        "an active member belongs to a branch",
        """SELECT 'member ' || m.id AS one FROM member m
            WHERE m.id > :low AND m.id <= :high AND m.status = 'active' AND NOT EXISTS (
              SELECT 1 FROM membership s WHERE s.member_id = m.id AND s.to_day IS NULL)""",
    ),
    Invariant(
        "the ledger and the audit log refuse changes",
        "SELECT wanted.name AS one FROM ({wanted}) AS wanted WHERE wanted.name NOT IN ({triggers})",
    ),
    Invariant(
        "a message was taken in once",
        "SELECT 'inbound ' || min(id) AS one FROM inbound GROUP BY channel, key HAVING count(*) > 1",
    ),
    Invariant(
        "a letter counts its recipients, and is done when nothing of it is on its way",
        """SELECT 'letter ' || l.id AS one FROM letter l
             LEFT JOIN (SELECT letter_id, sum(CASE WHEN part = 1 THEN 1 ELSE 0 END) AS people,
                               sum(CASE WHEN state IN ('queued', 'claimed', 'sending', 'retry') THEN 1 ELSE 0 END)
                               AS under_way
                          FROM delivery WHERE key = 'letter:' || letter_id GROUP BY letter_id) d
               ON d.letter_id = l.id
            WHERE (l.state = 'done' AND (d.under_way > 0
                     OR EXISTS (SELECT 1 FROM addressing a
                                 WHERE a.letter_id = l.id AND a.what IN ('letter', 'count'))))
               OR (l.state IN ('sending', 'done', 'stopped') AND l.recipients <> coalesce(d.people, 0))""",
    ),
    Invariant(
        "what is being sent has its intent",
        """SELECT 'delivery ' || d.id AS one FROM delivery d
            WHERE d.state = 'sending' AND NOT EXISTS (
              SELECT 1 FROM attempt t WHERE t.delivery_id = d.id AND t.fence = d.fence AND t.outcome = '')""",
    ),
    Invariant(
        "a confirmed record has its line for every member, and every such line its record",
        """SELECT 'proposal ' || p.id || ' member ' || m.member_id AS one
             FROM proposal p JOIN proposal_member m ON m.proposal_id = p.id
            WHERE m.member_id > :low AND m.member_id <= :high AND p.state = 'confirmed' AND m.event IS NOT NULL
              AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.member_id = m.member_id AND e.rule_id = p.rule_id
                               AND e.cause = 'proposal:' || p.id AND {stands})
           UNION ALL
           SELECT 'entry ' || e.id FROM entry e
            WHERE e.member_id > :low AND e.member_id <= :high AND e.cause LIKE 'proposal:%' AND {stands}
              AND NOT EXISTS (SELECT 1 FROM proposal p JOIN proposal_member m ON m.proposal_id = p.id
                   WHERE m.member_id = e.member_id AND e.cause = 'proposal:' || p.id AND e.rule_id = p.rule_id
                     AND p.state = 'confirmed' AND m.event IS NOT NULL)""",
    ),
    Invariant(
        "dues noted in time have their point",
        """SELECT 'member ' || d.member_id || ' ' || d.month AS one FROM dues_payment d
            WHERE d.member_id > :low AND d.member_id <= :high AND d.state = 'paid' AND d.in_time AND NOT EXISTS (
              SELECT 1 FROM entry e WHERE e.member_id = d.member_id AND e.rule_id = 'PB2' AND {stands}
                 AND e.cause = 'dues:' || d.month || CASE WHEN d.round > 1 THEN ':' || d.round ELSE '' END)""",
    ),
    Invariant(
        "a reminder of dues that took a point has its line",
        """SELECT 'member ' || d.member_id || ' ' || d.day AS one FROM dues_reminder d
            WHERE d.member_id > :low AND d.member_id <= :high AND d.state = 'booked' AND NOT EXISTS (
              SELECT 1 FROM entry e WHERE e.member_id = d.member_id AND e.rule_id = 'PN3' AND e.cause = d.key
                 AND {stands})""",
    ),
    Invariant(
        "an accepted appeal has taken its line back",
        """SELECT 'appeal ' || p.id AS one FROM appeal p JOIN entry e ON e.id = p.entry_id
            WHERE p.member_id > :low AND p.member_id <= :high AND p.state = 'accepted' AND {stands}""",
    ),
    Invariant(
        "an inspection counts when it was posted, and only then",
        """SELECT 'inspection ' || i.id AS one FROM inspection i
            WHERE (i.state IN ('posted', 'corrected')) <> (EXISTS (
                     SELECT 1 FROM negative n WHERE n.organization_id = i.organization_id
                        AND n.item_id = i.item_id AND n.cause = 'inspection:' || i.id)
                   OR EXISTS (
                     SELECT 1 FROM value_record v WHERE v.organization_id = i.organization_id
                        AND v.indicator_id = i.item_id AND v.cause = 'inspection:' || i.id))""",
    ),
    Invariant(
        "nobody posts the own inspection, or one against which something can still be said",
        """SELECT 'inspection ' || i.id AS one FROM inspection i
             LEFT JOIN inspection_appeal a ON a.inspection_id = i.id
            WHERE i.posted_by IS NOT NULL AND (i.posted_by = i.inspector_id
               OR (a.inspection_id IS NOT NULL AND (a.upheld IS NULL OR NOT a.upheld))
               OR (a.inspection_id IS NULL AND i.posted_at < i.appeal_until))""",
    ),
    Invariant(
        "a line of the negative list is taken back in full and on its day",
        """SELECT 'negative ' || u.id AS one FROM negative u
            WHERE u.cause LIKE 'undo:%' AND NOT EXISTS (
              SELECT 1 FROM negative n WHERE n.organization_id = u.organization_id AND n.item_id = u.item_id
                 AND n.cause = substr(u.cause, 6) AND n.day = u.day AND n.count = -u.count)""",
    ),
    Invariant(
        "an approved declaration counts, one that failed is taken back, nobody approves the own one",
        """SELECT 'declaration ' || d.id AS one FROM declaration d
            WHERE (d.state IN ('approved', 'failed') AND d.decided_by = d.declared_by)
               OR (d.state IN ('approved', 'failed')) <> EXISTS (
                    SELECT 1 FROM value_record v
                     WHERE v.organization_id = d.organization_id AND v.indicator_id = d.indicator_id
                       AND v.period = d.period AND v.cause = 'declaration:' || d.id AND v.value = d.value)
               OR (d.state = 'failed') <> EXISTS (
                    SELECT 1 FROM value_record v
                     WHERE v.organization_id = d.organization_id AND v.indicator_id = d.indicator_id
                       AND v.period = d.period AND v.cause = 'clawback:declaration:' || d.id)""",
    ),
    Invariant(
        "whatever goes out is for a member, and of a letter that stands",
        """SELECT 'delivery ' || d.id AS one FROM delivery d
            WHERE NOT EXISTS (SELECT 1 FROM member m WHERE m.id = d.member_id)
               OR (d.letter_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM letter l WHERE l.id = d.letter_id))""",
    ),
    *(Invariant(title, cases) for title, cases in value_invariants.CASES),
)


def words(dialect: str) -> dict[str, str]:
    """What stands for the {braces} of the queries on this database ("sqlite" or "postgresql")."""
    wanted = " UNION ALL ".join(f"SELECT '{name}' AS name" for name in _TRIGGERS[dialect])
    return {**_SHARED, **_WORDS[dialect], **value_invariants.WORDS[dialect], "wanted": wanted}
