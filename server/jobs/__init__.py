"""What runs on a clock."""
