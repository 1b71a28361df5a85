"""Measure the worker endpoints with 16 clients, on SQLite and PostgreSQL.

Run `python -m benchmarks.api`. The server is a process of its own. Each latency is compared with
that of /healthz, which uses no database: what the framework and the connection cost on this machine
at this moment.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from benchmarks import clips
from benchmarks.serving import postgres, server, statements
from benchmarks.worker_calls import CLIENTS, CLIPS, Call, Job, calls, jobs


def latencies(clients: list[Job], rounds: int) -> dict[str, list[float]]:
    """Return the latencies of each endpoint in ms: 16 clients at once, one endpoint at a time."""
    spent: dict[str, list[float]] = defaultdict(list)
    lock = threading.Lock()

    def loop(call: Call, name: str) -> None:
        mine = []
        for _ in range(rounds):
            began = time.perf_counter()
            call()
            mine.append((time.perf_counter() - began) * 1000)
        with lock:
            spent[name] += mine

    tables = [calls(job) for job in clients]
    with ThreadPoolExecutor(CLIENTS) as pool:
        for name in tables[0]:
            list(pool.map(lambda table, name=name: loop(table[name], name), tables))
    return spent


def measured(state: Path, database_url: str, clip: Path, rounds: int) -> dict[str, list[float]]:
    """Return the latencies on one database."""
    with server(state, database_url) as (url, admin, operator), ExitStack() as stack:
        clients = jobs(url, admin, operator, clip, stack)
        latencies(clients, 2)  # connections, caches
        # E12 settles: it is the last of the table, and a repeat answers the same.
        return latencies(clients, rounds)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.api", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="calls of each client and endpoint")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="clipmill-bench-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        clip = clips.make(folder / "clips", 1, 1, (("320x180", "30"),))[0]
        sql = statements(folder / "state-0", clip)
        on_postgres = stack.enter_context(postgres(folder))
        results = {
            "SQLite": measured(folder / "state-1", "", clip, rounds),
            "PostgreSQL": measured(folder / "state-2", on_postgres, clip, rounds),
        }
    base = {name: statistics.median(next(iter(rows.values()))) for name, rows in results.items()}
    head = "| endpoint | SQL |" + "".join(f" {name} p50 | p99 | of /healthz |" for name in results)
    print(head + "\n|---|---:|" + "---:|---:|---:|" * len(results))
    for name, count in sql.items():
        cells = ""
        for database, rows in results.items():
            p50 = statistics.median(rows[name])
            p99 = statistics.quantiles(rows[name], n=100)[98]
            cells += f" {p50:.0f} ms | {p99:.0f} ms | {p50 / base[database]:.1f} |"
        print(f"| {name} | {count} |{cells}")
    print(f"\n{CLIENTS} clients at once, {CLIENTS * rounds} calls of each, {CLIPS + 1} clips.")


if __name__ == "__main__":
    main()
