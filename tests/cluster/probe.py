"""Try connections from within a pod at some moments after its start.

argv: [[name, host, port], ...] and [moment in seconds, ...], as JSON. Prints one line of JSON:
for each moment, the actual seconds and the names of the targets that were reached.
"""

import json
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

START = time.monotonic()
TIMEOUT_S = 1.0


def reached(target: tuple[str, str, int]) -> bool:
    """Return whether a TCP connection is established in time."""
    _, host, port = target
    try:
        socket.create_connection((host, port), timeout=TIMEOUT_S).close()
    except OSError:
        return False
    return True


def main(targets: list[tuple[str, str, int]], moments: list[float]) -> None:
    """Try all targets at once, at each moment."""
    found = []
    with ThreadPoolExecutor(len(targets)) as pool:
        for moment in moments:
            time.sleep(max(0.0, START + moment - time.monotonic()))
            at_s = round(time.monotonic() - START, 2)
            results = list(pool.map(reached, targets))
            names = [target[0] for target, good in zip(targets, results, strict=True) if good]
            found.append({"moment": moment, "at_s": at_s, "reached": names})
    sys.stdout.write(json.dumps(found) + "\n")


main(json.loads(sys.argv[1]), json.loads(sys.argv[2]))
