"""What a running job pod holds, inspected from within while it works."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cluster.compilations import UID, Video, serve_samples, url
from cluster.kubectl import Object, get, kubectl

pytestmark = pytest.mark.usefixtures("installed")
HOLD = "held-for-inspection"
NO_SECRET = {
    "PATH",
    "HOME",
    "TMPDIR",
    "HOSTNAME",
    "JOB_COMPLETION_INDEX",
    "CLIPMILL_API_URL",
    "CLIPMILL_POD",
}
# Files that Kubernetes mounts into each container.
OWN_FILES = {"/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/termination-log"}
WITHIN = """
import json, os
def text(path):
    with open(path) as file: return file.read()
def opens(path):
    try: open(path, "rb").close()
    except PermissionError: return False
    return True
key = os.environ["CLIPMILL_API_KEY"].encode()
writable, holding = [], []
for folder, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if os.path.join(folder, f) not in ("/proc", "/sys", "/dev")]
    if os.access(folder, os.W_OK): writable.append(folder)
    for name in files:
        path = os.path.join(folder, name)
        try:
            if os.path.getsize(path) > 1_000_000: continue
            if key in open(path, "rb").read(): holding.append(path)
        except OSError: pass
print(json.dumps({
    "environ": dict(os.environ),
    "inspectable": [p for p in ("environ", "mem", "maps") if opens(f"/proc/1/{p}")],
    "mounts": [line.split()[:4] for line in text("/proc/mounts").splitlines()],
    "status": dict(line.split(":", 1) for line in text("/proc/self/status").splitlines()),
    "argv": text("/proc/1/cmdline").split("\\0"),
    "writable": writable, "holding": holding, "account": os.path.exists("/var/run/secrets"),
}))
"""


@pytest.fixture(scope="module")
def video(outside: Path) -> Iterator[Video]:
    """A Compilation whose fetch waits for the end of the inspection."""
    serve_samples(outside)
    held = Video("inspected").apply([{"url": url(hold=HOLD), "end": "1s"}])
    yield held
    (outside / HOLD).touch()
    assert held.ended() == "Complete: Succeeded"


@pytest.fixture(scope="module")
def pod(video: Video) -> Object:
    """Its running fetch pod."""
    return video.running("fetch")


@pytest.fixture(scope="module")
def found(pod: Object) -> dict[str, Any]:
    """Run a program in the pod and return what it finds."""
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    output = kubectl("exec", "-n", namespace, name, "--", "python", "-c", WITHIN)
    return dict(json.loads(output))


def test_the_environment_is_an_url_a_key_a_name_and_a_number(found: dict[str, Any]) -> None:
    """Nothing else that is not in the image, and the key is in no argument."""
    # Python sets LC_CTYPE by itself.
    others = ("PYTHON", "KUBERNETES_", "LC_CTYPE")
    names = {n for n in found["environ"] if not n.startswith(others)}
    assert names == {*NO_SECRET, "CLIPMILL_API_KEY"}
    assert found["environ"]["CLIPMILL_API_KEY"].startswith("cm_j_")
    assert not any("cm_j_" in word for word in found["argv"])


def test_no_other_process_reads_the_key(found: dict[str, Any]) -> None:
    """Not by the environment or the memory of the job, although it has the same user."""
    assert found["inspectable"] == []


def test_there_is_no_account(found: dict[str, Any], pod: Object) -> None:
    """No token, no credentials of the cluster, no volume but the scratch."""
    assert not found["account"]
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert [set(volume) for volume in pod["spec"]["volumes"]] == [{"name", "emptyDir"}]
    assert pod["spec"]["volumes"][0]["emptyDir"]["sizeLimit"]


def test_only_the_scratch_can_be_written(found: dict[str, Any]) -> None:
    """The root is read-only; no folder of the image belongs to the user."""
    assert {path for path in found["writable"] if not path.startswith("/scratch")} == set()
    assert "/scratch" in found["writable"]
    options = {place: options.split(",") for _, place, _, options in found["mounts"]}
    assert "ro" in options["/"]
    system = ("/proc", "/sys", "/dev")
    assert {p for p in options if not p.startswith(system)} == {"/", "/scratch"} | {
        path for path in OWN_FILES if not path.startswith("/dev")
    }


def test_the_key_is_in_no_file(found: dict[str, Any]) -> None:
    """Not in the scratch, not anywhere."""
    assert found["holding"] == []


def test_the_process_has_no_privilege(found: dict[str, Any]) -> None:
    """A numeric user, no capability to have or to win, system calls filtered."""
    status = {name: value.strip() for name, value in found["status"].items()}
    assert set(status["Uid"].split()) == {"10001"}
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_the_secret_has_two_entries(video: Video, pod: Object) -> None:
    """One Secret, with the URL and the key; it belongs to the Job and goes with it."""
    (secret,) = get("secrets", video.namespace, "-l", f"{UID}={video.uid}")
    assert sorted(secret["data"]) == ["CLIPMILL_API_KEY", "CLIPMILL_API_URL"]
    assert secret["metadata"]["ownerReferences"][0]["kind"] == "Job"
    container = pod["spec"]["containers"][0]
    assert container["envFrom"] == [{"secretRef": {"name": secret["metadata"]["name"]}}]
    assert container["resources"]["limits"]["memory"]
