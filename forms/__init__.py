"""The paper: what a workbook, a form and an answer are. Knows no database and no network."""
