"""Play the network outside the cluster: a container beside the nodes that has its addresses.

Nothing leaves the machine: the nodes have routes for these addresses to the container. It serves
the files of one folder by their name, whatever comes before: /anything/bars.mp4. A request below
/held-NAME/ waits until the folder has a file held-NAME.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cluster import names

# Of a range for documentation: stands for the public internet.
PUBLIC = "203.0.113.10"
PRIVATE = "192.168.77.7"
METADATA = "169.254.169.254"
PORT = 80
# The start of a program that has further addresses.
ADDRESSES = """
import fcntl, http.server, os, socket, struct, sys, time
SIOCSIFADDR = 0x8916
plain = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number, address in enumerate(sys.argv[1:]):
    name = f"eth0:{number + 1}".encode()
    place = struct.pack("<16sHH4s8x", name, socket.AF_INET, 0, socket.inet_aton(address))
    fcntl.ioctl(plain, SIOCSIFADDR, place)
"""
SERVE = (
    ADDRESSES
    + """
class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {".mp4": "video/mp4", ".ts": "video/mp2t", ".m2ts": "video/mp2t"}
    def do_GET(self):
        *_, hold, name = ["", *self.path.split("/")]
        while hold.startswith("held-") and not os.path.exists(f"/served/{hold}"): time.sleep(0.1)
        super().do_GET()
    def translate_path(self, path): return "/served/" + os.path.basename(path)
http.server.ThreadingHTTPServer(("", 80), Handler).serve_forever()
"""
)


def _docker(*arguments: str) -> str:
    done = subprocess.run(("docker", *arguments), capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"docker {' '.join(arguments)[:200]}: {done.stderr.strip()}")
    return done.stdout.strip()


def nodes() -> list[str]:
    """Return the containers that are the cluster's nodes."""
    label = f"label=io.x-k8s.kind.cluster={os.environ['CLIPMILL_CLUSTER']}"
    listed = _docker("ps", "--filter", label, "--format", "{{.Names}}")
    return listed.split()


@contextmanager
def world(served: Path) -> Iterator[None]:
    """Run the container with a folder to serve, and route its addresses to it on each node."""
    arguments = ("-v", f"{served}:/served:ro")
    with container("world", SERVE, (PUBLIC, PRIVATE, METADATA), arguments):
        yield


@contextmanager
def container(
    what: str, program: str, addresses: tuple[str, ...], arguments: tuple[str, ...]
) -> Iterator[str]:
    """Run a Python program in the job image beside the nodes, which route its addresses to it.

    Args:
        what: End of the container's name.
        program: The program, which gives itself the addresses of its arguments.
        addresses: Addresses outside the cluster.
        arguments: More arguments of `docker run`.

    Yields:
        The container's name.
    """
    name = f"{os.environ['CLIPMILL_CLUSTER']}-{what}"
    subprocess.run(("docker", "rm", "-f", name), capture_output=True, check=False)
    _docker(
        *("run", "-d", "--name", name, "--network", "kind", "--cap-add", "NET_ADMIN"),
        *("--user", "0", *arguments, "--entrypoint", "python"),
        *(names.image("job"), "-c", program, *addresses),
    )
    try:
        about = json.loads(_docker("inspect", name))[0]
        address = about["NetworkSettings"]["Networks"]["kind"]["IPAddress"]
        for node in nodes():
            for target in addresses:
                _docker("exec", node, "ip", "route", "replace", f"{target}/32", "via", address)
        yield name
    finally:
        for node in nodes():
            for target in addresses:
                _docker("exec", node, "ip", "route", "del", f"{target}/32")
        _docker("rm", "-f", name)


def printed(name: str) -> list[str]:
    """Return the lines that the program of a container has printed."""
    return _docker("logs", name).splitlines()
