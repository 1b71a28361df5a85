"""Store credentials encrypted, and decrypt them for tasks of their owner."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from clipmill.protocol.integrations.cookie_file import checked_cookies
from clipmill.protocol.integrations.credential_models import (
    CREDENTIAL,
    Credential,
    CredentialKind,
    CredentialView,
    FetchCredentials,
    HostCookies,
    HostProxy,
    S3Bucket,
    hosts_of,
)
from clipmill.spec.source_urls import credential_host, is_within
from clipmill.spec.target_addresses import ForbiddenTarget, check_target
from clipmill_api.context import Context
from clipmill_api.credentials.keyring import VARIABLE, DamagedSecret, Sealed, UnknownKey
from clipmill_api.database import Session
from clipmill_api.http.problem_details import ApiProblem, not_found
from clipmill_api.notifications.webhook_targets import check_webhook_url
from clipmill_api.queries import quota_ledger
from clipmill_api.queries.integrations import credential_rows
from clipmill_api.tables import CredentialRow
from clipmill_api.timestamps import format_time

log = logging.getLogger(__name__)
MAX_CREDENTIALS = 100


def require_keys(ctx: Context) -> None:
    """Raise CredentialsDisabled if the installation has no key to encrypt with."""
    if not ctx.keyring:
        detail = (
            f"the installation has no key for secrets: set {VARIABLE} or {VARIABLE}_FILE of the API"
        )
        raise ApiProblem(409, "CredentialsDisabled", detail, setting=VARIABLE)


def put_credential(
    session: Session, ctx: Context, owner: str, name: str, credential: Credential
) -> CredentialView:
    """Create or replace a credential.

    Raises:
        ApiProblem: ForbiddenTarget, CredentialLimit or CredentialsDisabled.
    """
    require_keys(ctx)
    _refuse_private_proxy(ctx, credential)
    _refuse_private_bucket(ctx, credential)
    quota_ledger.lock_owner(session, owner)
    row = credential_rows.lock_credential(session, owner, name)
    if row is None:
        _refuse_too_many(session, owner)
        row = CredentialRow(owner=owner, name=name, created_at=ctx.now())
    row.kind, row.hosts, row.changed_at = credential.kind.value, hosts_of(credential), ctx.now()
    row.last_used_at = None
    seal_row(ctx, row, credential.model_dump_json(by_alias=True))
    credential_rows.add_credential(session, row)
    return credential_view(row)


def _refuse_private_proxy(ctx: Context, credential: Credential) -> None:
    if not isinstance(credential, HostProxy):
        return
    try:
        check_target(*credential.address, private=ctx.settings.allow_private_proxies)
    except ForbiddenTarget as error:
        detail = f"url: {error}; CLIPMILL_ALLOW_PRIVATE_PROXIES of the API lists exceptions"
        raise ApiProblem(422, "ForbiddenTarget", detail, field="url") from None


def _refuse_private_bucket(ctx: Context, credential: Credential) -> None:
    if not isinstance(credential, S3Bucket):
        return
    try:
        check_webhook_url(credential.url, private=ctx.settings.allow_private_webhooks)
    except ForbiddenTarget as error:
        detail = f"endpoint: {error}; CLIPMILL_ALLOW_PRIVATE_WEBHOOKS of the API lists exceptions"
        raise ApiProblem(422, "ForbiddenTarget", detail, field="endpoint") from None


def _refuse_too_many(session: Session, owner: str) -> None:
    if credential_rows.count_credentials(session, owner) >= MAX_CREDENTIALS:
        detail = f"credentials: an owner may have {MAX_CREDENTIALS}; delete one first"
        raise ApiProblem(403, "CredentialLimit", detail, limit=MAX_CREDENTIALS)


def seal_row(ctx: Context, row: CredentialRow, text: str) -> None:
    """Encrypt the JSON of a credential into its row."""
    sealed = ctx.keyring.seal(text, _context_of(row))
    row.key_id, row.sealed = sealed.key_id, sealed.content


def open_row(ctx: Context, row: CredentialRow) -> str:
    """Return the JSON of a credential. Raise UnknownKey or DamagedSecret."""
    return ctx.keyring.open(Sealed(row.key_id, row.sealed), _context_of(row))


def _context_of(row: CredentialRow) -> tuple[object, ...]:
    """Return what a ciphertext is bound to, so that it opens in no other row."""
    return ("credential", row.owner, row.name, row.kind, row.hosts)


def list_views(session: Session, owner: str) -> list[CredentialView]:
    """Return an owner's credentials without their values."""
    return [credential_view(row) for row in credential_rows.list_credentials(session, owner)]


def credential_view(row: CredentialRow) -> CredentialView:
    """Return a credential without its values."""
    return CredentialView(
        name=row.name,
        kind=CredentialKind(row.kind),
        hosts=row.hosts,
        created_at=format_time(row.created_at),
        changed_at=format_time(row.changed_at),
        last_used_at=format_time(row.last_used_at) if row.last_used_at else None,
    )


def find_view(session: Session, owner: str, name: str) -> CredentialView:
    """Return a credential without its values. Raise NotFound."""
    row = credential_rows.find_credential(session, owner, name)
    if row is None:
        raise not_found("credential", name)
    return credential_view(row)


def delete_credential(session: Session, owner: str, name: str) -> None:
    """Delete a credential. Raise NotFound."""
    if not credential_rows.delete_credential(session, owner, name):
        raise not_found("credential", name)


def credentials_for(
    session: Session, ctx: Context, owner: str, name: str, kind: CredentialKind
) -> Credential:
    """Return a decrypted credential for a task of its owner, and record its use.

    Raises:
        ApiProblem: UnknownCredential, WrongCredentialKind, CredentialsDisabled or
            CredentialUnreadable.
    """
    require_credential(session, owner, name, kind)
    row = credential_rows.lock_credential(session, owner, name)
    if row is None:
        raise not_found("credential", name)
    return _opened(ctx, row)


def require_credential(session: Session, owner: str, name: str, kind: CredentialKind) -> None:
    """Raise UnknownCredential or WrongCredentialKind unless the owner has this credential."""
    row = credential_rows.find_credential(session, owner, name)
    if row is None:
        detail = f"credentials: owner {owner!r} has no credential {name!r}"
        raise ApiProblem(422, "UnknownCredential", detail, credential=name)
    if row.kind != kind:
        detail = f"credentials: {name!r} is of the kind {row.kind}, and {kind} is required"
        raise ApiProblem(422, "WrongCredentialKind", detail, credential=name)


def _opened(ctx: Context, row: CredentialRow) -> Credential:
    require_keys(ctx)
    try:
        credential = CREDENTIAL.validate_json(open_row(ctx, row))
    except UnknownKey:
        cause = f"its key {row.key_id!r} is not in {VARIABLE}; add the key or set it again"
    except DamagedSecret:
        cause = "its stored value was changed; set it again"
    else:
        credential_rows.mark_used(row, ctx.now())
        return credential
    log.error("credential unreadable owner=%s name=%s key_id=%s", row.owner, row.name, row.key_id)
    detail = f"credential {row.name!r} cannot be decrypted: {cause}"
    raise ApiProblem(409, "CredentialUnreadable", detail, credential=row.name)


def fetch_credentials(session: Session, ctx: Context, owner: str, url: str) -> FetchCredentials:
    """Return the owner's cookies and proxy for the host of a URL, the closest match of each.

    Raises:
        ApiProblem: CredentialUnreadable: a clip that needs a proxy is not fetched without it.
    """
    host = credential_host(url)
    kinds = credential_rows.FETCH_KINDS
    rows = credential_rows.list_credentials(session, owner, kinds)
    closest = (_closest([row for row in rows if row.kind == kind], host) for kind in kinds)
    opened = [_opened(ctx, row) for row in closest if row]
    values: dict[str, object] = {}
    for credential in opened:
        if isinstance(credential, HostCookies):
            text = credential.cookies.get_secret_value()
            values["cookies"] = checked_cookies(text, credential.host)
        elif isinstance(credential, HostProxy):
            values["proxy"] = credential.url.get_secret_value()
            values["allowed_private_proxies"] = list(ctx.settings.allow_private_proxies)
    return FetchCredentials.model_validate(values)


def _closest(rows: Sequence[CredentialRow], host: str) -> CredentialRow | None:
    """Return the credential with the longest domain that the host is within."""
    matches = [
        (len(domain), row) for row in rows for domain in row.hosts if is_within(host, domain)
    ]
    return max(matches, key=lambda match: match[0], default=(0, None))[1]
