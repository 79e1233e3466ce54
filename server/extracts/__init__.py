"""Extracts: clean data as files, read from the typed tables."""
