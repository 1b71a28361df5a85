"""Delivery of finished videos to a bucket of their owner, on an S3 server."""

from __future__ import annotations

import io
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from rich.console import Console

from clipmill.protocol import Stage
from clipmill.protocol.compilation_plan import DeliveryState, DeliverySummary
from clipmill.protocol.integrations.credential_models import CREDENTIAL, CredentialKind, S3Bucket
from clipmill_api.credentials.keyring import new_keyring_text
from clipmill_api.delivery.bucket_upload import object_url, signed_headers
from clipmill_cli.output.summary import show_summary
from clipmill_client import Client, PermanentError
from harness import Harness, library_clip, new_manifest, running
from pods import assemble
from s3_server import BUCKET, objects, s3_server
from webhook_receiver import wait_until

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client of an S3 server with one bucket, to see what is in it."""
    with s3_server() as client:
        yield client


@pytest.fixture(scope="module")
def api(s3: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """An API that may reach the S3 server, which has a private address."""
    private = (urlsplit(s3.meta.endpoint_url).netloc,)
    options: dict[str, Any] = {"credential_keys": new_keyring_text()}
    state = tmp_path_factory.mktemp("state")
    with running(state, allow_private_webhooks=private, **options) as harness:
        yield harness


def _bucket(endpoint: str, **more: str) -> S3Bucket:
    fields = {"kind": "s3", "endpoint": endpoint, "bucket": BUCKET, "keyId": "AKIA1", **more}
    bucket = CREDENTIAL.validate_python({"secret": SECRET, **fields})
    assert isinstance(bucket, S3Bucket)
    return bucket


def _finished(api: Harness, user: Client, clip: Path, **delivery: str) -> str:
    """Render a compilation with a delivery and return its id."""
    media = library_clip(user, clip)
    spec = {"delivery": {"credential": "my-bucket", **delivery}}
    view = user.create(new_manifest(media.id, name="friday", **spec))
    assemble(api.job(api.uid_of(view.id), Stage.ASSEMBLE), clip)
    return view.id


def _delivery(user: Client, compilation_id: str) -> DeliverySummary:
    delivery = user.compilation(compilation_id).delivery
    assert delivery is not None
    return delivery


def test_a_result_arrives_in_the_bucket(s3: Any, api: Harness, two_seconds: Path) -> None:
    """Below prefix and path; view and plan say so, and the secret is in no row."""
    owner, user = api.user()
    user.credentials.put("my-bucket", _bucket(s3.meta.endpoint_url, prefix="videos"))
    compilation = _finished(api, user, two_seconds, path="{owner}/{name}-{generation}")
    wait_until(lambda: _delivery(user, compilation).state is DeliveryState.DELIVERED)
    folder = f"{owner}/friday-1"
    assert objects(s3, f"videos/{folder}") == {"main.mp4": two_seconds.stat().st_size}
    stored = s3.get_object(Bucket=BUCKET, Key=f"videos/{folder}/main.mp4")
    assert stored["Body"].read() == two_seconds.read_bytes()
    assert stored["ContentType"] == "video/mp4"
    plan = api.operator.plan(api.uid_of(compilation))
    assert plan.delivery == DeliverySummary(
        credential="my-bucket",
        folder=folder,
        state=DeliveryState.DELIVERED,
        delivered=1,
        total=1,
    )
    out = io.StringIO()
    show_summary(Console(file=out, width=200), user.compilation(compilation))
    line = f"delivery to my-bucket: Delivered, 1 of 1 files in {folder}"
    assert line in out.getvalue()
    assert SECRET not in str(api.rows("SELECT * FROM result_deliveries"))
    assert compilation not in [active.id for active in api.operator.active_compilations()]
    view = user.credentials.list()[0]
    assert (view.kind, view.last_used_at is not None) == (CredentialKind.S3, True)


def test_a_failed_delivery_is_tried_again(s3: Any, api: Harness, two_seconds: Path) -> None:
    """The bucket does not exist at first; meanwhile the operator sees the compilation."""
    _, user = api.user()
    late = _bucket(s3.meta.endpoint_url, bucket="late-bucket")
    user.credentials.put("my-bucket", late)
    compilation = _finished(api, user, two_seconds)
    wait_until(lambda: _delivery(user, compilation).message is not None)
    delivery = _delivery(user, compilation)
    assert delivery.state is DeliveryState.PENDING
    assert "404 NoSuchBucket" in str(delivery.message)
    assert compilation in [active.id for active in api.operator.active_compilations()]
    s3.create_bucket(Bucket="late-bucket")
    api.clock.advance(60)
    wait_until(lambda: _delivery(user, compilation).state is DeliveryState.DELIVERED)
    assert _delivery(user, compilation).message is None


def test_private_addresses_are_refused(
    s3: Any, api: Harness, two_seconds: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the credential is set, and again when a name resolves to one."""
    _, user = api.user()
    for endpoint in ("http://127.0.0.1:9000", "https://10.0.0.1", "http://s3.example.org"):
        with pytest.raises(PermanentError) as refused:
            user.credentials.put("my-bucket", _bucket(endpoint))
        assert refused.value.code == "ForbiddenTarget"
    with pytest.raises(PermanentError) as unknown:
        _finished(api, user, two_seconds)
    assert (unknown.value.code, unknown.value.facts["field"]) == (
        "UnknownCredential",
        "spec.delivery.credential",
    )
    user.credentials.put("my-bucket", _bucket("https://localtest.example.org"))
    resolve = socket.getaddrinfo

    def resolve_privately(host: Any, *rest: Any, **more: Any) -> Any:
        return resolve("10.0.0.7" if host == "localtest.example.org" else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", resolve_privately)
    compilation = _finished(api, user, two_seconds)
    wait_until(lambda: "private address" in str(_delivery(user, compilation).message))


def test_requests_are_signed_as_amazon_says() -> None:
    """The same signature as botocore's for the same request."""
    bucket = _bucket("https://s3.example.org:8443", prefix="a/b", region="eu-west-3")
    url, at = object_url(bucket, "friday/main é.mp4"), datetime(2026, 11, 28, 1, 2, 3, tzinfo=UTC)
    headers = signed_headers(bucket, url, sha256="ab" * 32, at=at)
    signer = S3SigV4Auth(Credentials("AKIA1", SECRET), "s3", "eu-west-3")
    request = AWSRequest("PUT", url, headers={k: v for k, v in headers.items() if k[0] != "A"})
    request.context["timestamp"] = headers["x-amz-date"]
    expected = signer.signature(
        signer.string_to_sign(request, signer.canonical_request(request)), request
    )
    assert headers["Authorization"].endswith(f"Signature={expected}")
    assert f"Credential=AKIA1/{signer.credential_scope(request)}," in headers["Authorization"]
