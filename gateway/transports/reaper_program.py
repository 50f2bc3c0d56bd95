"""The watcher, a process of its own: when the gateway is gone, it kills what the gateway started.

It is run as a file by a bare interpreter (`python -I -S`), so it imports nothing of ours. On its
standard input come lines `+NUMBER` and `-NUMBER`, process groups that began and ended. The input
ends when the gateway does, however that dies: then every group that is left is killed.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterable


def left_over(lines: Iterable[bytes]) -> set[int]:
    """The groups that began and did not end, once there are no more lines."""
    groups: set[int] = set()
    for line in lines:
        number = int(line[1:])
        if line.startswith(b"+"):
            groups.add(number)
        else:
            groups.discard(number)
    return groups


def main() -> None:
    for politely in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(politely, signal.SIG_IGN)  # they mean the gateway, whose end we wait for
    for group in left_over(sys.stdin.buffer):
        with contextlib.suppress(OSError):  # gone meanwhile
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
