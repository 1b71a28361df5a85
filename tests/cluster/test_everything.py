"""manifests/samples/everything.yaml by pods, for an owner whose namespace is bound to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import everything
import everything_expected
from clipmill.protocol import TierView, UserView
from clipmill_client.client import Client
from cluster.compilations import Video, url
from cluster.kubectl import apply, kubectl, namespace
from cluster.release import address, api

pytestmark = pytest.mark.usefixtures("installed")
OWNER, THERE = "marked", "marked-videos"


@pytest.fixture
def owner() -> Iterator[Client]:
    """An owner with a namespace of its own, and a tier that puts a watermark on everything."""
    bound = namespace(THERE)
    bound["metadata"]["labels"]["clipmill.dev/owner"] = OWNER
    apply(bound)
    with api("admin-key") as admin:
        admin.admin.put_tier(TierView(name=OWNER, **everything.TIER))
        admin.admin.put_user(UserView(name=OWNER, tier=OWNER))
        key = admin.admin.create_key(OWNER)
    with address() as there, Client(there, key) as client:
        yield client
    kubectl("delete", "namespace", THERE)


def test_every_feature_by_pods(owner: Client, outside: Path, tmp_path: Path) -> None:
    """Five outputs of one fetch, downloaded; looked at frame by frame, and heard."""
    ids = everything.upload(owner, tmp_path)
    source = Path(everything.FETCHED)
    (outside / source).write_bytes((tmp_path / source).read_bytes())
    spec = everything.small(everything.filled(ids, url(source.stem)))["spec"]
    video = Video("everything", THERE).apply(**spec)
    assert video.ended() == "Complete: Succeeded"
    assert video.frames() == everything.FRAMES
    found = {}
    for output in video.status()["outputs"]:
        found[output["name"]] = tmp_path / f"{output['name']}-out"
        owner.download_media(output["mediaId"], found[output["name"]])
    everything_expected.check(found)
    video.settled()
