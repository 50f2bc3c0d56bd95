"""How many descriptors this process may have, and what share of them clients may take (F13)."""

import contextlib
import sys

MOST = 8192  # clients
WANTED = 65_536  # descriptors


def for_clients(most: int = MOST) -> int:
    """At most `most`, and three quarters of what the system allows: the rest is for APIs and files.

    What it allows is raised first, as far as it can be.
    """
    if sys.platform == "win32":
        return most
    import resource  # noqa: PLC0415  which Windows has not

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED if hard == resource.RLIM_INFINITY else min(WANTED, hard)
    if soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return most if soft == resource.RLIM_INFINITY else min(most, soft * 3 // 4)
