"""What must hold between the log of values, the values that count, and the rows that the city refresh reads."""

from __future__ import annotations

WORDS = {
    "sqlite": {
        "entries_of_p": "json_each(p.entries)",
        "entry_of_p": "json_extract(p.entries, '$.\"' || v.indicator_id || '\"')",
    },
    "postgresql": {
        "entries_of_p": "jsonb_each_text(p.entries)",
        "entry_of_p": "(p.entries ->> v.indicator_id)",
    },
}

CASES = (
    (
        "a value that counts is the last line of its log",
        """SELECT 'organization ' || v.organization_id || ' ' || v.indicator_id || ' ' || v.period AS one
             FROM indicator_value v
            WHERE v.value <> (SELECT r.value FROM value_record r
                   WHERE r.organization_id = v.organization_id AND r.indicator_id = v.indicator_id
                     AND r.period = v.period ORDER BY r.id DESC LIMIT 1)""",
    ),
    (
        "the values of a period, side by side, are those that count",
        """SELECT 'organization ' || v.organization_id || ' ' || v.indicator_id || ' ' || v.period AS one
             FROM indicator_value v
             LEFT JOIN period_values p ON p.organization_id = v.organization_id AND p.period = v.period
            WHERE coalesce({entry_of_p}, '-') <> v.value
           UNION ALL
           SELECT 'organization ' || p.organization_id || ' ' || j.key || ' ' || p.period
             FROM period_values p, {entries_of_p} AS j
            WHERE NOT EXISTS (
              SELECT 1 FROM indicator_value v WHERE v.organization_id = p.organization_id
                 AND v.indicator_id = j.key AND v.period = p.period)""",
    ),
)
