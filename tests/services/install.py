"""Services as Debian packs them, unpacked into an ignored folder: no root, nothing system-wide.

What the machine has is used; else `apt-get` fetches the package and the dependencies that are
missing here, and `dpkg-deb` unpacks them below `.services/NAME`. The machine's own package lists
come first; where it has none, or old ones, lists of our own are fetched beside them.
`python -m tests.services.install [NAME …]` installs them beforehand, and says how long each took.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from sysconfig import get_config_var
from time import perf_counter

HOME = Path(__file__).resolve().parents[2] / ".services"
PATIENCE = 600  # seconds; a mirror may be slow
PAGES_ONLY = ("libjs-", "fonts-")  # what a service's web pages need, and nobody here looks at
SYSTEM = ("/usr/local/sbin", "/usr/sbin")  # daemons stand here, often off a user's PATH


class Unavailable(Exception):
    """A service cannot be had on this machine; says why."""


@dataclass(frozen=True, slots=True)
class Debian:
    """`program` is the path that the first of the packages puts it at, without a slash before."""

    program: str
    packages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """`root` is `/`, or the folder that stands for it; `environ` is what its programs need."""

    program: Path
    root: Path
    environ: Mapping[str, str] = field(default_factory=dict)


SERVICES = {
    "docker-registry": Debian("usr/bin/docker-registry", ("docker-registry",)),
    "etcd": Debian("usr/bin/etcd", ("etcd-server",)),
    "faketime": Debian(
        f"usr/lib/{get_config_var('MULTIARCH')}/faketime/libfaketime.so.1", ("libfaketime",)
    ),
    "pdns": Debian("usr/sbin/pdns_server", ("pdns-server", "pdns-backend-sqlite3")),
    "prometheus": Debian("usr/bin/prometheus", ("prometheus",)),
    "rabbitmq": Debian("usr/lib/rabbitmq/bin/rabbitmq-server", ("rabbitmq-server",)),
    "transmission": Debian("usr/bin/transmission-daemon", ("transmission-daemon",)),
}


def debian(name: str) -> Found:
    """One of `SERVICES`, installed when it is not there yet. Raises Unavailable."""
    service, home = SERVICES[name], HOME / name
    if (program := Path("/", service.program)).exists():
        return Found(program, Path("/"))
    path = os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM])  # noqa: TID251 (to look there)
    if elsewhere := shutil.which(program.name, path=path):
        return Found(Path(elsewhere), Path("/"))
    if not (home / service.program).exists():
        _install(name, service.packages)
    return Found(home / service.program, home, {"LD_LIBRARY_PATH": _libraries(home)})


def _libraries(home: Path) -> str:
    return os.pathsep.join([*map(str, home.glob("usr/lib/*-linux-*")), str(home / "usr/lib")])


def _install(name: str, packages: Sequence[str]) -> None:
    """Whole or not at all, whoever else does the same at the same time."""
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        raise Unavailable(f"{name} is not on this machine, and there is no apt-get to fetch it")
    HOME.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=HOME) as made:
        debs, root = Path(made, "debs"), Path(made, "root")
        debs.mkdir()
        _fetch(packages, debs)
        for deb in sorted(debs.glob("*.deb")):
            _run(["dpkg-deb", "-x", str(deb), str(root)], made)
        try:
            root.rename(HOME / name)
        except OSError:  # somebody was faster
            if not (HOME / name / SERVICES[name].program).exists():
                raise


def _fetch(packages: Sequence[str], folder: Path) -> None:
    """The packages and their missing dependencies, by the machine's lists or else by new ones."""
    try:
        _download(packages, folder, [])
    except Unavailable:
        options = _own_lists()
        _run(["apt-get", *options, "update"], folder)
        _download(packages, folder, options)


def _download(packages: Sequence[str], folder: Path, options: Sequence[str]) -> None:
    plan = ["apt-get", *options, "--simulate", "--no-install-recommends", "install", *packages]
    names = [line.split()[1] for line in _run(plan, folder).splitlines() if line[:5] == "Inst "]
    wanted = [name for name in names if not name.startswith(PAGES_ONLY)]
    _run(["apt-get", *options, "download", *wanted], folder)


def _own_lists() -> list[str]:
    """apt-get's options for lists and a cache of ours; what is installed is still the machine's."""
    home = HOME / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (home / folder).mkdir(parents=True, exist_ok=True)
    said = {"Dir::State::lists": home / "lists", "Dir::Cache": home / "cache"}
    return [word for name, value in said.items() for word in ("-o", f"{name}={value}")]


def _run(argv: Sequence[str], folder: str | Path) -> str:
    """What it prints. Raises Unavailable with one line of what went wrong."""
    try:
        done = subprocess.run(
            argv, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=True
        )
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines() or ["it does not say why"]
        worst = next((line for line in lines if line.startswith("E: ")), lines[-1])
        raise Unavailable(f"{argv[0]} failed: {worst}") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{argv[0]} took more than {PATIENCE} s") from None
    return done.stdout


if __name__ == "__main__":
    for each in sys.argv[1:] or SERVICES:
        began = perf_counter()
        found = debian(each)
        print(f"{each:16} {perf_counter() - began:6.1f} s  {found.program}")  # noqa: T201 (a script)
