"""Typed tables: one per form and one per repeat, over all versions of the form."""
