"""What key, policy, limits, breaker, audit and metrics add to a call: two gateways, in turn.

The same calls of the same tool go to one that asks nothing and to one with everything on. Figures
are CPU-milliseconds of the gateway's process per call, with 32 connections; the clock of a shared
machine swings, so they are compared round by round.
"""

import asyncio
import statistics
import tempfile
from pathlib import Path

from benchmarks.__main__ import ITEMS, request
from benchmarks.load import MakeRequest, drive
from benchmarks.process import cpu_seconds, gateway, peer

ROUNDS = 6
SECONDS = 3.0
KEY = "a-key-of-the-benchmark"
TRUSTED = """\
auth:
  enabled: true
  api_keys:
    - {{name: bench, key: {key}, team: load, rate_limit: 100000000, backends: ["it*"]}}
policies:
  load:
    teams: [load]
    rules:
      - {{backend: "items", tool: "get_*", level: execute}}
      - {{backend: "*", tool: "delete_*", level: deny}}
failsafe:
  rate_limit: {{requests_per_second: 1000000, burst_size: 100000}}
audit: {{enabled: true, file: "{folder}/audit.jsonl"}}
"""


def spent(port: int, pid: int, make: MakeRequest) -> float:
    """CPU-milliseconds a call; raises where one of them failed."""
    before = cpu_seconds(pid)
    tally = asyncio.run(drive(port, make, b"Item 7", 32, SECONDS))
    if tally.errors:
        raise SystemExit(f"{tally.errors} of {tally.number} calls failed")
    return (cpu_seconds(pid) - before) / tally.number * 1e3


def main() -> None:
    arguments = {"server": "items", "tool": "get_item", "arguments": {"id": 7}}
    with tempfile.TemporaryDirectory() as name, peer("benchmarks.peer") as backend:
        folder = Path(name)
        caps = folder / "capabilities"
        caps.mkdir()
        (caps / "items.yaml").write_text(ITEMS.format(port=backend))
        config = folder / "gateway.yaml"
        config.write_text(TRUSTED.format(key=KEY, folder=folder))
        with (
            gateway(caps) as (plain, plainly, _),
            gateway(caps, "-c", str(config), key=KEY) as (trusted, asking, _),
        ):
            free = request("tools/call", name="gateway_invoke", arguments=arguments)
            shown = request("tools/call", key=KEY, name="gateway_invoke", arguments=arguments)
            added = []
            for turn in range(ROUNDS):
                without = spent(plain, plainly.pid, free)
                whole = spent(trusted, asking.pid, shown)
                if turn:
                    added.append(whole - without)
                print(f"round {turn}: {without:.3f} without, {whole:.3f} with", flush=True)
        lines = (folder / "audit.jsonl").read_bytes().count(b"\n")
        print(
            f"the whole road adds {statistics.median(added):.3f} CPU-ms a call"
            f" ({min(added):.3f} to {max(added):.3f}); {lines} lines of audit"
        )


if __name__ == "__main__":
    main()
