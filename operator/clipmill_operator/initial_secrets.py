"""Create a Secret of random values once, before the operator starts.

Usage: python -m clipmill_operator.initial_secrets NAME ENTRY=PREFIX...

Each entry becomes its prefix and 256 random bits. An existing Secret is left unchanged: the
process may create Secrets in its own namespace, and read none.
"""

from __future__ import annotations

import os
import secrets
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
# The NetworkPolicy of a pod may take effect some seconds after the pod has started.
RETRY_FOR_S = 60


class SecretNotCreated(RuntimeError):
    """The API server refused the Secret; str() names the Secret and the response."""


def random_secret(name: str, entries: Sequence[str]) -> dict[str, Any]:
    """Return the manifest of a Secret: the entry `admin-key=cm_a_` gets a value `cm_a_...`."""
    pairs = [entry.partition("=") for entry in entries]
    return secret_of(name, {key: prefix + secrets.token_urlsafe(32) for key, _, prefix in pairs})


def secret_of(name: str, entries: Mapping[str, str]) -> dict[str, Any]:
    """Return the manifest of a Secret with these entries."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "clipmill"}},
        "stringData": dict(entries),
    }


def create_once(api: httpx.Client, namespace: str, secret: Mapping[str, Any]) -> bool:
    """Create a Secret unless its name is taken. Return whether it was created.

    Raises:
        SecretNotCreated: The API server refused it.
    """
    response = api.post(f"/api/v1/namespaces/{namespace}/secrets", json=secret)
    if response.status_code not in (201, 409):
        name = secret["metadata"]["name"]
        raise SecretNotCreated(
            f"Secret {name} in {namespace}: {response.status_code} {response.text}"
        )
    return response.status_code == 201


def _api_server(environ: Mapping[str, str]) -> httpx.Client:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    return httpx.Client(
        base_url=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        headers={"Authorization": f"Bearer {(SERVICE_ACCOUNT / 'token').read_text()}"},
        verify=ssl.create_default_context(cafile=str(SERVICE_ACCOUNT / "ca.crt")),
    )


def store(secret: Mapping[str, Any]) -> None:
    """Create a Secret if it does not exist; retry while the API server cannot be reached."""
    namespace = (SERVICE_ACCOUNT / "namespace").read_text()
    retrying = Retrying(
        retry=retry_if_exception_type(httpx.TransportError),
        wait=wait_fixed(1),
        stop=stop_after_delay(RETRY_FOR_S),
        reraise=True,
    )
    with _api_server(os.environ) as api:
        created = retrying(create_once, api, namespace, secret)
    name = secret["metadata"]["name"]
    sys.stdout.write(f"secret={name} namespace={namespace} created={str(created).lower()}\n")


if __name__ == "__main__":
    store(random_secret(sys.argv[1], sys.argv[2:]))
