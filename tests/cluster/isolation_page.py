"""docs/isolation.md: what each role's pods reached, as it was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cluster import world
from cluster.reach import JOBS, MOMENTS, ROLES, Target

HEADS = ("fetch", "render", "assemble", "API", "operator", "database", "a pod without policy")
TITLES = {
    "database": "the database",
    "api": "the API",
    "dns": "the cluster's DNS",
    "other": "another pod",
    "kubernetes": "the Kubernetes API server",
    "metadata": f"metadata address {world.METADATA}",
    "private": f"private address {world.PRIVATE}",
    "public": f"public address {world.PUBLIC}",
}

BEFORE = f"""\
# What each pod can reach

Made by `tests/cluster/test_isolation.py` from what it measured on a real cluster, and held equal
to it. A cell says whether a TCP connection was made {", ".join(map(str, MOMENTS[:-1]))} and
{MOMENTS[-1]} s after the start of the pod's process: *no* is at none of these moments.

Every target is a pod, a service, or an address that the test gave to a container of its own; the
last column shows that they are there to be reached. The database and the API take traffic only
from those who may, so it says *no* for them too.

"""
AFTER = """
Should the network enforce these policies late or not at all: a job asks first whether it reaches
the API server or the database (`CLIPMILL_CANARIES`). While it does it waits; after 20 s the
Compilation fails with the reason `NotIsolated`, and no media was opened. `helm test` asks the
same of an install.
"""


def page(asked: Iterable[Target], reached: Mapping[str, set[str]]) -> str:
    """The page: `reached` has the names of targets by role."""
    rows = [f"| target | by | {' | '.join(HEADS)} |", f"|---|---|{'---|' * len(HEADS)}"]
    for target in asked:
        cells = ["**yes**" if target.name in reached[role] else "no" for role in ROLES]
        rows.append(f"| {TITLES[target.what]} | {target.way} | {' | '.join(cells)} |")
    return BEFORE + "\n".join(rows) + "\n" + AFTER


def short(asked: Iterable[Target], reached: Mapping[str, set[str]]) -> str:
    """The README's table: job pods only, a row for each thing, whatever the way."""
    rows = ["| | fetch | render | assemble |", "|---|---|---|---|"]
    listed = list(asked)
    for what, title in TITLES.items():
        names = {target.name for target in listed if target.what == what}
        cells = ["**yes**" if names & reached[role] else "no" for role in JOBS]
        rows.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(rows) + "\n"
