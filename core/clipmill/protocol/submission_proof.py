"""Prove that the operator created a resource for a submission. Pure.

The API hands a nonce to the operator only. What the operator writes into the resource is derived
from it, so that it proves this namespace and this name, and only until the submission is bound.
"""

from __future__ import annotations

import hashlib
import hmac


def submission_proof(nonce: str, *, submission: str, namespace: str, name: str) -> str:
    """Return the proof that a resource of this name was created for a submission."""
    message = f"{submission}/{namespace}/{name}"
    return hmac.new(nonce.encode(), message.encode(), hashlib.sha256).hexdigest()


def is_proof(
    proof: str | None, nonce: str | None, *, submission: str, namespace: str, name: str
) -> bool:
    """Return whether a proof is that of the nonce. Without a nonce nothing is proven."""
    if not nonce or not proof:
        return False
    expected = submission_proof(nonce, submission=submission, namespace=namespace, name=name)
    return hmac.compare_digest(proof.encode(), expected.encode())
