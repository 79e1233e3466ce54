"""Expressions: the XPath that coordinators write, read once and checked, for SQL and for Python to compute."""
