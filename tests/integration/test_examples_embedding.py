"""examples/embedding does what its README shows."""

import asyncio
import re
import sys
from pathlib import Path

from tests.peers.programs import ROOT, environment

SHOWN = re.compile(r"```console\n\$ [^\n]+\n(.*?)```", re.DOTALL)
FOLDER = ROOT / "examples" / "embedding"
README = (FOLDER / "README.md").read_text()


async def test_the_program_prints_what_its_readme_shows(tmp_path: Path) -> None:
    shown = SHOWN.search(README)
    assert shown is not None
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "error",
        str(FOLDER / "desk.py"),
        cwd=tmp_path,
        env=environment({"PYTHONPATH": str(ROOT)}),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        printed, errors = await process.communicate()
    assert printed.decode() == shown[1]
    assert errors == b""
