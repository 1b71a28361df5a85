"""`python -m clipmill_operator.initial_secrets NAME ENTRY=PREFIX...`: make a Secret once.

Runs before the operator. Each entry is PREFIX and 256 random bits. A Secret that is there is left
alone: this process may create Secrets in its own namespace and read none.
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

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
PATIENCE_S = 60
"""A pod's network policy may come into force a little after the pod's start."""


class NotMade(RuntimeError):
    """The API server refused the Secret; says which and why."""


def secret(name: str, entries: Sequence[str]) -> dict[str, Any]:
    """The Secret to be: `admin-key=cm_a_` -> `cm_a_` and 43 random characters."""
    pairs = [entry.partition("=") for entry in entries]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/part-of": "clipmill"}},
        "stringData": {key: prefix + secrets.token_urlsafe(32) for key, _, prefix in pairs},
    }


def create(api: httpx.Client, namespace: str, wanted: Mapping[str, Any]) -> bool:
    """Whether it was made just now. Raises NotMade."""
    answer = api.post(f"/api/v1/namespaces/{namespace}/secrets", json=wanted)
    if answer.status_code not in (201, 409):
        raise NotMade(f"{wanted['metadata']} in {namespace}: {answer.status_code} {answer.text}")
    return answer.status_code == 201


def _api_server(environ: Mapping[str, str]) -> httpx.Client:
    host, port = environ["KUBERNETES_SERVICE_HOST"], environ["KUBERNETES_SERVICE_PORT"]
    return httpx.Client(
        base_url=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        headers={"Authorization": f"Bearer {(ACCOUNT / 'token').read_text()}"},
        verify=ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt")),
    )


def main(name: str, *entries: str) -> None:
    """Make the Secret, or leave it; try again while the API server is not reached."""
    namespace = (ACCOUNT / "namespace").read_text()
    patient = Retrying(
        retry=retry_if_exception_type(httpx.TransportError),
        wait=wait_fixed(1),
        stop=stop_after_delay(PATIENCE_S),
        reraise=True,
    )
    with _api_server(os.environ) as api:
        made = patient(create, api, namespace, secret(name, entries))
    sys.stdout.write(f"secret={name} namespace={namespace} made={str(made).lower()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
