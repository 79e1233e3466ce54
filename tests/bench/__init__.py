"""Benchmarks: how fast and how small the program is, beside what the same machine could do at best."""
