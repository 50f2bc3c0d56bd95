import subprocess
import sys


def test_a_gateway_that_serves_has_not_loaded_what_only_websockets_need():
    """The 100 ms belong to the first connection to a server at a WebSocket."""
    script = "import sys; import gateway.cli.serve; sys.exit('aiohttp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
