"""JavaRosa, the engine inside ODK Collect, in one Java machine that stays open and fills many forms."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO, Any, Final, Self

_SOURCES: Final = Path(__file__).parent / "java"
_CLASSES: Final = Path(__file__).parents[1] / "classes"  # ignored by git
_UNSATISFIED: Final = 3  # what Fill returns when some constraint could not be satisfied


class EngineError(Exception):
    """Fill failed; the message is what it wrote."""


def validate_jar() -> Path:
    """ODK Validate's jar, which pyxform carries and JavaRosa lies in."""
    spec = importlib.util.find_spec("pyxform")
    if spec is None or spec.origin is None:
        raise EngineError("pyxform is not installed: its jar holds JavaRosa")
    return Path(spec.origin).parent / "validators" / "odk_validate" / "bin" / "ODK_Validate.jar"


def compiled(jar: Path) -> Path:
    """The folder of Fill's classes, compiled when the sources or the jar changed.

    Safe for several processes at once: each compiles into a folder of its own, and the first to finish gives it
    its final name in one step.
    """
    sources = sorted(_SOURCES.glob("*.java"))
    told = hashlib.sha256(f"{jar.name} {jar.stat().st_size}".encode())
    for source in sources:
        told.update(source.read_bytes())
    ready = _CLASSES / told.hexdigest()[:16]
    if ready.exists():
        return ready
    javac = shutil.which("javac")
    if javac is None:
        raise EngineError("no javac on PATH: `python3 dev.py test` says how to get one")
    _CLASSES.mkdir(exist_ok=True)
    making = Path(tempfile.mkdtemp(dir=_CLASSES, prefix="making-"))
    command = [javac, "-encoding", "UTF-8", "-nowarn", "-Xlint:none", "-cp", str(jar), "-d", str(making)]
    done = subprocess.run([*command, *map(str, sources)], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise EngineError(done.stderr)
    try:
        making.rename(ready)
    except OSError:  # another process was first
        shutil.rmtree(making)
    return ready


class Engine:
    """Runs commands of Fill, one after the other, in a Java machine started with the first one (about a second).

    Commands and answers are lines of JSON on its standard streams. Use as a context manager, or `close` it.
    """

    def __init__(self, *, java: str = "java", memory: str = "768m") -> None:
        self._java = java
        self._memory = memory
        self._process: subprocess.Popen[str] | None = None
        self._noise: IO[bytes] | None = None
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        process, self._process = self._process, None
        if process is not None and process.stdin is not None and process.stdout is not None:
            process.stdin.close()  # the end of its input ends it
            process.wait(10)
            process.stdout.close()
        if self._noise is not None:
            self._noise.close()

    def __call__(self, *arguments: object) -> str:
        """What the command printed; its arguments are Fill's. Raises EngineError."""
        with self._one_at_a_time:
            process = self._started()
            if process.stdin is None or process.stdout is None:
                raise EngineError("Fill has no standard streams")
            process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        if not line:
            raise EngineError(f"Fill ended: {self._last_words()}")
        answer: dict[str, Any] = json.loads(line)
        if answer["code"] not in (0, _UNSATISFIED):
            raise EngineError(str(answer["problem"]))
        return str(answer["printed"])

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            jar = validate_jar()
            classes = compiled(jar)
            self._noise = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the process
            self._process = subprocess.Popen(
                [
                    self._java,
                    f"-Xmx{self._memory}",
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",  # starts in half the time; forms are small
                    "-Dfile.encoding=UTF-8",
                    "-Dsun.jnu.encoding=UTF-8",
                    "-cp",
                    f"{jar}{os.pathsep}{classes}",
                    "Fill",
                    "--stay",
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._noise,
                text=True,
                encoding="utf-8",
                env={**os.environ, "LC_ALL": "C.UTF-8"},
            )
        return self._process

    def _last_words(self) -> str:
        if self._noise is None:
            return ""
        self._noise.seek(0)
        return self._noise.read().decode("utf-8", "replace")[-3000:]
