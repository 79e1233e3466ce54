"""The machine: how much memory and processor time a process took, and how long its disk takes to be sure."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MEGABYTE: Final = 1024  # /proc counts kB
_IN_MEMORY: Final = frozenset({"tmpfs", "ramfs"})


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident memory in MB: now, and the most there ever was. 0 on machines that have no /proc."""

    now: float
    most: float


def family(pid: int) -> list[int]:
    """A process and its children; itself alone where that cannot be asked."""
    found = [pid]
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    except OSError:
        return [pid]
    return found


def memory(pid: int) -> Memory:
    """Memory of a process that runs; zeros where it has ended or cannot be asked."""
    fields = {}
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM"):
                fields[name] = int(value.split()[0]) / _MEGABYTE
    except OSError:
        return Memory(0.0, 0.0)
    return Memory(fields.get("VmRSS", 0.0), fields.get("VmHWM", 0.0))


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far, its threads included; 0 where it cannot be asked."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_seconds() -> float:
    """Processor time of the whole machine so far: what is neither idle nor waiting for the disk."""
    try:
        fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    except OSError:
        return 0.0
    return (sum(fields[:8]) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def real_folder() -> Path:
    """A folder for temporary files that lies on a disk: a benchmark of durable writes in memory would say nothing."""
    for folder in (Path(tempfile.gettempdir()), Path("/var/tmp"), Path.cwd()):  # noqa: S108  a place, not a file
        if folder.is_dir() and os.access(folder, os.W_OK) and _file_system(folder) not in _IN_MEMORY:
            return folder
    return Path.cwd()


def sync_microseconds(folder: Path, *, times: int = 100) -> float:
    """How long the disk takes until 4 kB more of a file are safe, on average."""
    with tempfile.TemporaryFile(dir=folder) as file:
        began = time.perf_counter()
        for _ in range(times):
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
        return (time.perf_counter() - began) / times * 1e6


def loop_milliseconds() -> float:
    """How long Python takes to add up a million numbers here, at best of five: about 40 on a desktop of 2022.

    Rates measured on different machines, or on one that others use too, compare only beside it.
    """
    return min(_million() for _ in range(5)) * 1e3


def _million() -> float:
    began = time.perf_counter()
    total = 0
    for number in range(1_000_000):
        total += number
    return time.perf_counter() - began


def about(folder: Path) -> dict[str, object]:
    """What a reader of the figures must know of the machine."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "file_system": _file_system(folder),
        "sync_microseconds": round(sync_microseconds(folder)),
        "loop_milliseconds": round(loop_milliseconds()),
    }


def _file_system(folder: Path) -> str:
    try:
        mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown"
    here = folder.resolve()
    held = [(place, kind) for place, kind in mounts if here.is_relative_to(place)]
    return max(held, key=lambda mount: len(mount[0]))[1] if held else "unknown"
