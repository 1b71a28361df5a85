"""Run an S3 server, moto's, which speaks the protocol over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

BUCKET = "clips"


@contextmanager
def s3_server() -> Iterator[Any]:
    """Yield a client of an S3 server with one bucket. The environment names server and keys."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environ = {
        "AWS_ENDPOINT": f"http://{host}:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        client = boto3.client("s3", endpoint_url=environ["AWS_ENDPOINT"], region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        yield client
        client.close()
    server.stop()


def objects(s3: Any, prefix: str) -> dict[str, int]:
    """Return the sizes of the objects below a prefix, by their keys after it."""
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{prefix}/").get("Contents", [])
    return {item["Key"].removeprefix(f"{prefix}/"): item["Size"] for item in listed}
