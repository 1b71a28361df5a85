"""Objects that the operator creates: Jobs, Secrets and NetworkPolicies."""

from __future__ import annotations

from dataclasses import replace

from clipmill.protocol import ExitCode, Stage
from clipmill.shows.show_messages import DiscoverJob
from clipmill_operator.building.job_objects import job_object, secret_object
from clipmill_operator.building.labels import DISCOVER, EpisodeRef, RevisionRef
from clipmill_operator.building.policy_objects import network_policies
from clipmill_operator.settings import PodSettings
from operator_objects import SETTINGS

DISCOVER_TASK = DiscoverJob(
    episode_id="e-abcd1234",
    show_uid="uid-1",
    show_name="weekly",
    namespace="clips",
    name="weekly-20261127-1800",
    owner="ada",
)
REVISION = RevisionRef("clips", "friday-top-clips-of-the-week", "uid-1", 3, "ada")


def test_names_are_short_and_follow_from_the_uid() -> None:
    """The name of a pod extends it; another resource of the same name has other children."""
    name = REVISION.child_name(Stage.ASSEMBLE)
    assert name == REVISION.child_name(Stage.ASSEMBLE)
    assert name != replace(REVISION, uid="uid-2").child_name(Stage.ASSEMBLE)
    longest = replace(REVISION, name="x" * 63, generation=10**6)
    assert len(longest.child_name(Stage.ASSEMBLE)) <= 52


def test_permanent_failures_are_not_retried() -> None:
    """Per index; a disruption does not count as a failure, and a lost lease is retried."""
    spec = job_object(REVISION, Stage.FETCH, 7, SETTINGS)["spec"]
    assert (spec["completions"], spec["parallelism"], spec["maxFailedIndexes"]) == (4, 4, 4)
    assert spec["backoffLimitPerIndex"] == 27  # one pod may be lost to all attempts at all clips
    fail_index, ignore = spec["podFailurePolicy"]["rules"]
    codes = fail_index["onExitCodes"]["values"]
    assert (fail_index["action"], ignore["action"]) == ("FailIndex", "Ignore")
    assert ExitCode.LEASE_LOST not in codes
    assert {64, 66} <= set(codes)
    assert {1, 137, 143}.isdisjoint(codes)


def test_a_pod_has_only_the_api_url_and_key() -> None:
    """One Secret, one scratch volume, no token, and in its own environment the pod's name."""
    spec = job_object(REVISION, Stage.RENDER, 2, SETTINGS)["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    name = REVISION.child_name(Stage.RENDER)
    assert spec["automountServiceAccountToken"] is False
    assert container["envFrom"] == [{"secretRef": {"name": name}}]
    assert container["env"] == [
        {"name": "CLIPMILL_POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    ]
    assert [volume["name"] for volume in spec["volumes"]] == ["scratch"]
    secret = secret_object(REVISION, Stage.RENDER, "job-uid", url="http://api", key="cm_j_key")
    assert secret["metadata"]["name"] == name
    assert secret["stringData"] == {
        "CLIPMILL_API_URL": "http://api",
        "CLIPMILL_API_KEY": "cm_j_key",
    }
    assert secret["metadata"]["ownerReferences"][0]["uid"] == "job-uid"


def test_the_secret_of_a_job_holds_the_cas_of_the_api() -> None:
    """In PEM, if the API has a certificate of a CA that is not public."""
    url, authorities = "https://api", "-----BEGIN CERTIFICATE-----"
    secret = secret_object(
        REVISION, Stage.RENDER, "uid", url=url, key="cm_j_key", authorities=authorities
    )
    assert secret["stringData"]["CLIPMILL_CA"] == authorities


def test_a_discover_job() -> None:
    """One task with an end, owned by the Show; one of the API's shows has no owner."""
    job = job_object(EpisodeRef(DISCOVER_TASK), DISCOVER, 1, SETTINGS)
    labels = job["metadata"]["labels"]
    assert labels == job["spec"]["template"]["metadata"]["labels"]
    assert (labels["clipmill.dev/stage"], labels["clipmill.dev/owner"]) == ("discover", "ada")
    assert labels["clipmill.dev/show"] == "weekly"
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Show", "weekly", "uid-1")
    assert "blockOwnerDeletion" not in owner
    assert (job["spec"]["completions"], job["spec"]["activeDeadlineSeconds"]) == (1, 900)
    (container,) = job["spec"]["template"]["spec"]["containers"]
    assert container["resources"]["limits"] == {"memory": "512Mi"}
    assert container["args"] == ["discover"]
    task = DISCOVER_TASK.model_copy(update={"show_uid": None})
    ownerless = job_object(EpisodeRef(task), DISCOVER, 1, SETTINGS)["metadata"]
    assert (ownerless["name"], ownerless["ownerReferences"]) == (job["metadata"]["name"], [])
    longest = DISCOVER_TASK.model_copy(update={"name": "x" * 63})
    assert len(EpisodeRef(longest).child_name(DISCOVER)) <= 52


def test_pods_are_placed_by_the_settings() -> None:
    """What is not set is left out; labels of the operator win."""
    pods = PodSettings(
        node_selector={"disk": "fast"},
        labels={"team": "x", "clipmill.dev/stage": "none"},
        priority_class_name="low",
    )
    settings = SETTINGS.model_copy(update={"pods": pods})
    template = job_object(REVISION, Stage.FETCH, 1, settings)["spec"]["template"]
    assert template["spec"]["nodeSelector"] == {"disk": "fast"}
    assert template["spec"]["priorityClassName"] == "low"
    assert "affinity" not in template["spec"]
    assert template["metadata"]["labels"]["team"] == "x"
    assert template["metadata"]["labels"]["clipmill.dev/stage"] == "fetch"


def test_only_discover_and_fetch_pods_reach_the_internet_and_no_private_range() -> None:
    """All is denied, then DNS and the API are allowed, then the internet to two stages."""
    settings = SETTINGS.model_copy(
        update={"excluded_cidrs": ("203.0.113.0/24",), "dns_cidrs": ("169.254.20.10/32",)}
    )
    deny, api, fetch = (policy["spec"] for policy in network_policies("clips", settings))
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in deny
    assert [rule["ports"] for rule in api["egress"]] == [
        [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
        [{"port": 8080, "protocol": "TCP"}],
    ]
    stages = {"key": "clipmill.dev/stage", "operator": "In", "values": ["discover", "fetch"]}
    assert fetch["podSelector"] == {"matchExpressions": [stages]}
    v4, v6 = (peer["ipBlock"] for peer in fetch["egress"][0]["to"])
    assert {"10.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10", "203.0.113.0/24"} <= set(v4["except"])
    assert {"fc00::/7", "fe80::/10"} <= set(v6["except"])
    assert not any(":" in cidr for cidr in v4["except"])
    assert not any("::ffff:" in cidr for cidr in v6["except"]), "the API server refuses them"
    assert fetch["egress"][0]["ports"] == [
        {"port": 80, "protocol": "TCP"},
        {"port": 443, "protocol": "TCP"},
    ]


def test_no_more_pods_than_run_at_a_time() -> None:
    """Each goes on with the next clip, or the next segments, until nothing is left."""
    settings = SETTINGS.model_copy(update={"render_parallelism": 3, "fetch_parallelism": 3})
    render = job_object(REVISION, Stage.RENDER, 12, settings)["spec"]
    fetch = job_object(REVISION, Stage.FETCH, 12, settings)["spec"]
    assert (render["completions"], render["parallelism"]) == (3, 3)
    assert (fetch["completions"], fetch["parallelism"]) == (3, 3)
