"""Indicators: declared in a workbook's sheets, kept as facts beside the typed tables, and computed with their provenance."""
