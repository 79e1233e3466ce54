"""Checks: what the sheet and the program's own rules find in the answers."""

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
