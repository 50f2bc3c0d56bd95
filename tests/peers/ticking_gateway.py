"""`capgate serve` with a clock in its loop: at each SIGUSR1 it prints for how many milliseconds the
loop stood still at most since the last one, and what it was doing then.

Its argument is the gateway.yaml.
"""

import asyncio
import gc
import signal
import sys
import threading
import time
import traceback

from gateway import app
from gateway.cli.common import read_config
from gateway.cli.serve import new_loop

TICK = 0.01  # seconds
LONG = 0.04  # seconds after which somebody looks what goes on


class Ticker:
    """`longest` is in seconds of the clock, `busiest` in seconds of processor time of the loop's
    thread, which nobody else on the machine can take.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._never = threading.Event()
        self._due = time.perf_counter() + TICK
        self._cpu = time.thread_time()
        self._longest = self._busiest = 0.0
        self._doing = ""
        self._worst = ""
        loop.call_later(TICK, self._tick)
        loop.add_signal_handler(signal.SIGUSR1, self._tell)
        threading.Thread(target=self._watch, daemon=True).start()

    def _tick(self) -> None:
        now, cpu = time.perf_counter(), time.thread_time()
        late, busy = now - self._due, cpu - self._cpu
        if busy > self._busiest:
            self._busiest, self._worst = busy, self._doing
        self._longest = max(late, self._longest)
        self._due, self._cpu, self._doing = now + TICK, cpu, ""
        self._loop.call_later(TICK, self._tick)

    def _tell(self) -> None:
        line = f"stall {1000 * self._longest:.1f} {1000 * self._busiest:.1f}"
        sys.stdout.write(f"{line}\n{self._worst}\n" if self._worst else f"{line}\n")
        sys.stdout.flush()
        self._longest = self._busiest = 0.0
        self._worst = ""

    def _watch(self) -> None:
        while True:
            self._never.wait(TICK)
            if time.perf_counter() - self._due > LONG and not self._doing:
                frame = sys._current_frames().get(self._thread)
                self._doing = "".join(traceback.format_stack(frame)[-6:])


def ticking() -> asyncio.AbstractEventLoop:
    loop = new_loop()
    loop.call_soon(Ticker, loop)
    return loop


if __name__ == "__main__":
    gc.disable()
    settings = read_config(sys.argv[1], {("server", "port"): 0}, ())
    with asyncio.Runner(loop_factory=ticking) as runner:
        raise SystemExit(runner.run(app.serve(settings)))
