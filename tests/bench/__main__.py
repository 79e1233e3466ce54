"""python -m tests.bench [NAME …] [--quick] [--database …] [--json FILE]: measure and print a table."""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.bench import checks, corrections, entity_lists, extract, form_list, formats, idle, indicators, receive
from tests.bench.figures import Figure, table, write_json
from tests.bench.installation import Databases
from tests.bench.machine import about, real_folder
from tests.helpers.databases import ENGINES

_PROGRAMS: Final = {
    program.NAME: program.measure
    for program in (receive, form_list, extract, formats, indicators, checks, corrections, entity_lists, idle)
}


def main(arguments: list[str]) -> int:
    """Run the programs named, all where none is; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(
        prog="dev.py bench", description="Measure the program beside the machine's limits."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(_PROGRAMS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small sizes and short runs: to see that it runs")
    parser.add_argument("--database", choices=(*ENGINES, "both"), default="both")
    parser.add_argument("--folder", type=Path, help="where to work; must lie on a disk")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to FILE")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - set(_PROGRAMS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(_PROGRAMS)}")
    logging.getLogger("waitress").setLevel(logging.ERROR)
    folder = (given.folder or real_folder()).resolve()
    tempfile.tempdir = str(folder)  # PostgreSQL's own data must lie there too
    machine = about(folder)
    _say(f"{folder}: " + ", ".join(f"{name} {value}" for name, value in machine.items()))
    figures: list[Figure] = []
    with Databases() as databases:
        for name in given.names or _PROGRAMS:
            for engine in ENGINES if given.database == "both" else (given.database,):
                began = time.monotonic()
                with tempfile.TemporaryDirectory(prefix="tejido-bench-") as own:
                    found = list(_PROGRAMS[name](databases, engine, Path(own), quick=given.quick))
                _say(f"{table(found)}\n  ({time.monotonic() - began:.0f} s)")
                figures += found
    if given.json is not None:
        write_json(given.json, figures, {**machine, "quick": given.quick})
    missed = [figure for figure in figures if figure.met is False]
    _say(f"\n{len(missed)} goal(s) missed." if missed else "\nEvery goal is met.")
    for figure in missed:
        _say(f"  {figure.program}, {figure.database}: {figure.name} {figure.value:.4g} {figure.unit} ({figure.goal})")
    return 1 if missed else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
