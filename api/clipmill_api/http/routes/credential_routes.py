"""Routes for the credentials of an owner. No response holds a value."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path

from clipmill.protocol.integrations.credential_models import (
    CredentialValue,
    CredentialView,
    KeyRotation,
)
from clipmill.spec import Name
from clipmill_api.context import Ctx
from clipmill_api.credentials import credential_store, key_rotation
from clipmill_api.http.authentication import UserPrincipal, admin_only
from clipmill_api.http.bodies.yaml_bodies import YamlRoute

router = APIRouter(route_class=YamlRoute, prefix="/api", tags=["credentials"])
CredentialName = Annotated[Name, Path(description="Name of the credential.")]


@router.get("/credentials")
def list_credentials(ctx: Ctx, principal: UserPrincipal) -> list[CredentialView]:
    """Return names, kinds, hosts and last use of your credentials, by name."""
    credential_store.require_keys(ctx)
    with ctx.db.read() as session:
        return credential_store.list_views(session, principal.owner)


@router.get("/credentials/{name}")
def get_credential(ctx: Ctx, principal: UserPrincipal, name: CredentialName) -> CredentialView:
    """Return kind, hosts and last use of a credential."""
    credential_store.require_keys(ctx)
    with ctx.db.read() as session:
        return credential_store.find_view(session, principal.owner, name)


@router.put("/credentials/{name}")
def put_credential(
    ctx: Ctx,
    principal: UserPrincipal,
    name: CredentialName,
    credential: Annotated[CredentialValue, Body()],
) -> CredentialView:
    """Create or replace a credential. Its values are encrypted, and never returned."""
    return ctx.db.write(
        lambda session: credential_store.put_credential(
            session, ctx, principal.owner, name, credential
        )
    )


@router.delete("/credentials/{name}", status_code=204)
def delete_credential(ctx: Ctx, principal: UserPrincipal, name: CredentialName) -> None:
    """Delete a credential. Tasks that were given it before keep it until they end."""
    ctx.db.write(lambda session: credential_store.delete_credential(session, principal.owner, name))


@router.post("/admin/credentials/rotate", tags=["admin"], dependencies=[Depends(admin_only)])
def rotate_credential_keys(ctx: Ctx) -> KeyRotation:
    """Encrypt all stored secrets with the first key of the settings."""
    return key_rotation.rotate(ctx)
