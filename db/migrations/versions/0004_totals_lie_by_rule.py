"""Totals lie by rule"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

COLUMNS = "year, rule_id, member_id, points, hundredths"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("ALTER TABLE total RENAME TO total_before")
        _new_table()
        op.execute(f"INSERT INTO total ({COLUMNS}) SELECT {COLUMNS} FROM total_before ORDER BY 1, 2, 3")
        op.drop_table("total_before")
    else:
        op.drop_constraint("pk_total", "total", type_="primary")
        op.create_primary_key("pk_total", "total", ["year", "rule_id", "member_id"])
    op.create_index("ix_total_member_id", "total", ["member_id", "year"])


def _new_table() -> None:
    op.create_table(
        "total",
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("hundredths", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name="fk_total_member_id_member"),
        sa.PrimaryKeyConstraint("year", "rule_id", "member_id", name="pk_total"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    pass  # the table goes with 0001
