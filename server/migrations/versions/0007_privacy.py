"""Privacy: pseudonyms, and verbs for whoever may see more."""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
