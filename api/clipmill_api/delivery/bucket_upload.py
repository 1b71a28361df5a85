"""Send one file to a bucket, at a checked address, by a request that is signed (AWS SigV4)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, urlsplit

import httpx
from fastapi.concurrency import run_in_threadpool

from clipmill.protocol.integrations.credential_models import S3Bucket
from clipmill.spec.target_addresses import ForbiddenTarget
from clipmill_api.notifications.webhook_targets import check_webhook_url
from clipmill_api.notifications.webhook_transport import Attempt, checked_address

# Longest time for one file, and for one write of it.
TIMEOUT_S = 900.0
WRITE_TIMEOUT = httpx.Timeout(60, connect=10)
MAX_BYTES = 5 * 1024**3
ERROR_BYTES = 4096
ALGORITHM = "AWS4-HMAC-SHA256"
SIGNED_HEADERS = "host;x-amz-content-sha256;x-amz-date"


@dataclass(frozen=True, slots=True)
class ObjectToPut:
    """A file: its name within the bucket's prefix, and its content."""

    name: str
    sha256: str
    size_bytes: int
    content_type: str
    chunks: Iterator[bytes]


def object_url(bucket: S3Bucket, name: str) -> str:
    """Return the URL of an object, in path style, which every S3 server takes."""
    key = f"{bucket.prefix}/{name}" if bucket.prefix else name
    return f"{bucket.url}/{bucket.bucket}/{quote(key, safe='/-_.~')}"


async def put_object(
    http: httpx.AsyncClient,
    bucket: S3Bucket,
    file: ObjectToPut,
    *,
    at: datetime,
    private: Collection[str],
) -> Attempt:
    """Send a file and return the result. It raises nothing but a cancellation.

    Args:
        http: The client, which follows no redirects.
        bucket: The bucket with its key.
        file: The file.
        at: The current time, which is signed.
        private: Pairs of `host:port` that may be private.
    """
    if file.size_bytes > MAX_BYTES:
        return Attempt(None, "the file is larger than 5 GiB, which one request can send")
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _put(http, bucket, file, at, private)
    except TimeoutError:
        return Attempt(None, f"the bucket has not taken the file within {TIMEOUT_S:.0f} s")
    except ForbiddenTarget as error:
        return Attempt(None, f"endpoint: {error}")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Attempt(None, f"the request failed: {type(error).__name__}")


async def _put(
    http: httpx.AsyncClient,
    bucket: S3Bucket,
    file: ObjectToPut,
    at: datetime,
    private: Collection[str],
) -> Attempt:
    check_webhook_url(bucket.url, private=private)
    url = object_url(bucket, file.name)
    split = urlsplit(url)
    host, port = split.hostname or "", split.port or (443 if split.scheme == "https" else 80)
    address = await checked_address(host, port, private)
    headers = {
        **signed_headers(bucket, url, sha256=file.sha256, at=at),
        "Content-Length": str(file.size_bytes),
        "Content-Type": file.content_type,
    }
    async with http.stream(
        "PUT",
        httpx.URL(url).copy_with(host=address),
        content=_in_threads(file.chunks),
        headers=headers,
        extensions={"sni_hostname": host},
        timeout=WRITE_TIMEOUT,
    ) as response:
        if response.is_success:
            return Attempt(response.status_code, None)
        cause = f"the bucket answered {response.status_code} {await _error_code(response)}"
        return Attempt(response.status_code, cause.rstrip())


async def _error_code(response: httpx.Response) -> str:
    """Return S3's code of an error; nothing else of the response is shown."""
    async for chunk in response.aiter_bytes(ERROR_BYTES):
        match = re.search(rb"<Code>([A-Za-z]{1,60})</Code>", chunk)
        return match[1].decode() if match else ""
    return ""


async def _in_threads(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    while chunk := await run_in_threadpool(next, chunks, b""):
        yield chunk


def signed_headers(bucket: S3Bucket, url: str, *, sha256: str, at: datetime) -> dict[str, str]:
    """Return the headers of a PUT: date, SHA-256 of the body, and the signature of both.

    The signature binds the content, so that a server which checks it stores nothing else.
    """
    split, time = urlsplit(url), at.strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": split.netloc, "x-amz-content-sha256": sha256, "x-amz-date": time}
    lines = [f"{name}:{value}" for name, value in sorted(headers.items())]
    request = "\n".join(["PUT", split.path, "", *lines, "", SIGNED_HEADERS, sha256])
    scope = f"{time[:8]}/{bucket.region}/s3/aws4_request"
    digest = hashlib.sha256(request.encode()).hexdigest()
    signature = _hmac(_signing_key(bucket, scope), f"{ALGORITHM}\n{time}\n{scope}\n{digest}").hex()
    credential = f"{bucket.key_id}/{scope}"
    fields = f"Credential={credential}, SignedHeaders={SIGNED_HEADERS}, Signature={signature}"
    return {**headers, "Authorization": f"{ALGORITHM} {fields}"}


def _signing_key(bucket: S3Bucket, scope: str) -> bytes:
    key = f"AWS4{bucket.secret.get_secret_value()}".encode()
    for step in scope.split("/"):
        key = _hmac(key, step)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
