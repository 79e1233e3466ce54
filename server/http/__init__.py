"""The hall: what the doors share of HTTP."""
