"""`capgate serve` in a process of its own, with all that an attacker or an operator sees of it."""

import asyncio
import contextlib
import os
import re
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.peers.programs import ROOT, environment

PATIENCE = 30.0  # seconds to come up or to stop: far more than it takes
SERVED = re.compile(r" at http://\S+:(\d+)/mcp$", re.MULTILINE)


@dataclass(frozen=True)
class Started:
    """`log` is what it has written to standard error so far."""

    process: Process
    port: int
    output: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    @property
    def log(self) -> str:
        return self.output.read_text("utf-8")

    @property
    def memory(self) -> float:
        """Resident MiB."""
        return self._status("VmRSS")

    @property
    def peak(self) -> float:
        """The most resident MiB since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    @property
    def processor(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
        raise LookupError(name)


@contextlib.asynccontextmanager
async def started(
    folder: Path,
    *options: str,
    environ: Mapping[str, str] | None = None,
    level: str = "info",
    settings: str | None = None,
    descriptors: int | None = None,
) -> AsyncIterator[Started]:
    """The gateway over `folder`, with `settings` as its gateway.yaml. It is stopped at the end.

    `descriptors` is the most it may have open.
    """
    output = folder.parent / f"{folder.name}.log"
    config = folder.parent / "gateway.yaml"
    words = ["--log-level", level, "--port", "0", "--capabilities", str(folder), *options]
    if settings is not None:
        config.write_text(settings)
        words += ["-c", str(config)]
    limited = ("sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh") if descriptors else ()
    with output.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(*limited, sys.executable, "-m", "gateway", "serve", *words),
            cwd=ROOT,
            env=environment(environ or {}),
            stdout=file,
            stderr=file,
        )
    try:
        yield Started(process, await _port(process, output), output)
    finally:
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE):
                    await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _port(process: Process, output: Path) -> int:
    async with asyncio.timeout(PATIENCE):
        while not (found := _served(output)):
            assert process.returncode is None, f"see {output}"
            await asyncio.sleep(0.02)
    return found


def _served(output: Path) -> int:
    """The port it says it listens on; 0 as long as it does not."""
    found = SERVED.search(output.read_text("utf-8"))
    return int(found[1]) if found else 0
