"""The blocks of docs/storage.md, on an S3 server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clipmill.spec import CompilationSpec
from clipmill.spec.delivery import PLACEHOLDERS, render_path
from clipmill_api.media.store_check import check_store
from harness import library_clip, running
from manifests import ROOT
from s3_server import BUCKET, objects, s3_server

PAGE = (ROOT / "docs/storage.md").read_text()
BLOCKS = dict(re.findall(r"<!-- test: ([a-z ]+) -->\n```(?:sh|json)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of an S3 server with one bucket."""
    with s3_server() as client:
        yield client


def test_rules_of_the_bucket(s3: Any) -> None:
    """The server takes them, and stores what they say."""
    rules = json.loads(BLOCKS["lifecycle"])
    s3.put_bucket_lifecycle_configuration(Bucket=BUCKET, LifecycleConfiguration=rules)
    stored = s3.get_bucket_lifecycle_configuration(Bucket=BUCKET)["Rules"]
    assert [rule["ID"] for rule in stored] == [rule["ID"] for rule in rules["Rules"]]
    s3.put_bucket_cors(Bucket=BUCKET, CORSConfiguration=json.loads(BLOCKS["cors"]))
    assert len(s3.get_bucket_cors(Bucket=BUCKET)["CORSRules"]) == 1


def test_a_folder_moves_to_an_object_store(s3: Any, tmp_path: Path, two_seconds: Path) -> None:
    """The same database finds every byte there."""
    state, url = tmp_path / "state", f"s3://{BUCKET}/moved"
    with running(state) as api:
        owner, user = api.user()
        media = library_clip(user, two_seconds)
    program = BLOCKS["move to an object store"].replace("python3", sys.executable, 1)
    environ = {**os.environ, "STATE": str(state), "CLIPMILL_STORE": url}
    subprocess.run(("sh", "-euc", program), env=environ, check=True)
    assert f"{owner}/{media.sha256}" in objects(s3, "moved")
    with running(state, store_url=url) as api:
        assert check_store(api.ctx).is_consistent
        reader = api.client(api.admin.create_key(owner))
        reader.download_media(media.id, tmp_path / "back.mp4")
    assert (tmp_path / "back.mp4").read_bytes() == two_seconds.read_bytes()


def test_the_delivery_of_the_page() -> None:
    """It is a field of the spec."""
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    spec = {"clips": [{"mediaId": "m-0001"}], **yaml.safe_load(block)}
    delivery = CompilationSpec.model_validate(spec).delivery
    assert delivery is not None
    assert render_path(delivery.path, dict.fromkeys(PLACEHOLDERS, "x")) == "videos/x/x"
