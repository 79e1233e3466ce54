"""Clean data: what is looked for in the answers, and what was found."""
