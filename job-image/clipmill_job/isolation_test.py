"""Prove which addresses a pod reaches: `helm test` runs this in pods with the labels of job pods.

Usage: python -m clipmill_job.isolation_test [--open HOST:PORT]... [--closed HOST:PORT]...

Exit code 1 if an open address cannot be reached, or a closed one can, or does not resolve.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from clipmill_job.errors import NotIsolatedError
from clipmill_job.isolation_check import Reach, TryCanary, try_address, wait_until_isolated

# Pods behind an open address may have to start, and policies to be put in force.
OPEN_WITHIN_S = 90.0
RETRY_S = 1.0


def wait_until_open(
    address: str,
    *,
    try_canary: TryCanary = try_address,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Return whether an address can be reached within OPEN_WITHIN_S."""
    until = clock() + OPEN_WITHIN_S
    while try_canary(address) is not Reach.REACHED:
        if clock() >= until:
            return False
        sleep(RETRY_S)
    return True


def main(arguments: Sequence[str]) -> int:
    """Try the addresses and print the results. Return the exit code."""
    parser = argparse.ArgumentParser(prog="clipmill_job.isolation_test")
    parser.add_argument("--open", action="append", default=[], metavar="HOST:PORT")
    parser.add_argument("--closed", action="append", default=[], metavar="HOST:PORT")
    addresses = parser.parse_args(arguments)
    for address in addresses.open:
        if not wait_until_open(address):
            sys.stdout.write(f"FAILED: {address} cannot be reached\n")
            return 1
        sys.stdout.write(f"ok: {address} can be reached\n")
    try:
        wait_until_isolated(addresses.closed)
    except NotIsolatedError as error:
        sys.stdout.write(f"FAILED: {error}\n")
        return 1
    sys.stdout.writelines(f"ok: {address} cannot be reached\n" for address in addresses.closed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
