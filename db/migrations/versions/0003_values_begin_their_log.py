"""Values begin their log"""

from __future__ import annotations

from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None

# Values that were there before the log get its first line, and stand side by side for the refresh.
LOG = """
INSERT INTO value_record (organization_id, indicator_id, period, value, collect, cause, reason, recorded_at)
SELECT old.organization_id, old.indicator_id, old.period, old.value, 'declare', 'before_the_log', '', old.recorded_at
FROM indicator_value AS old
WHERE NOT EXISTS (
    SELECT 1 FROM value_record AS line
    WHERE line.organization_id = old.organization_id AND line.indicator_id = old.indicator_id
    AND line.period = old.period
)
"""
SIDE_BY_SIDE = """
INSERT INTO period_values (organization_id, period, entries)
SELECT organization_id, period, {together}(indicator_id, value) FROM indicator_value AS old
WHERE NOT EXISTS (
    SELECT 1 FROM period_values AS whole
    WHERE whole.organization_id = old.organization_id AND whole.period = old.period
)
GROUP BY organization_id, period
"""


def upgrade() -> None:
    sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(LOG)
    op.execute(SIDE_BY_SIDE.format(together="json_group_object" if sqlite else "jsonb_object_agg"))


def downgrade() -> None:
    pass  # the tables themselves go with 0002
