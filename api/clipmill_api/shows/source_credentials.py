"""The credentials that the sources of a show name."""

from __future__ import annotations

from clipmill.protocol.integrations.credential_models import (
    CredentialKind,
    DiscordBot,
    TwitchApplication,
)
from clipmill.shows.candidates import DiscordCredentials, SourceQuery, TwitchCredentials
from clipmill.shows.show_sources import ShowSource
from clipmill_api.context import Context
from clipmill_api.credentials import credential_store
from clipmill_api.database import Session


def require_source_credentials(session: Session, owner: str, source: ShowSource) -> None:
    """Check that the owner has the credentials that a source names.

    Raises:
        ApiProblem: UnknownCredential or WrongCredentialKind.
    """
    if source.credentials is not None:
        kind = CredentialKind(source.kind)
        credential_store.require_credential(session, owner, source.credentials, kind)


def source_query(
    session: Session, ctx: Context, owner: str, index: int, source: ShowSource
) -> SourceQuery:
    """Return the query of a source with its decrypted credentials.

    Raises:
        ApiProblem: UnknownCredential, WrongCredentialKind or CredentialUnreadable.
    """
    query = SourceQuery(source=index, query=source)
    if source.credentials is None:
        return query
    kind = CredentialKind(source.kind)
    credential = credential_store.credentials_for(session, ctx, owner, source.credentials, kind)
    if isinstance(credential, TwitchApplication):
        token = credential.user_token
        twitch = TwitchCredentials(
            client_id=credential.client_id,
            client_secret=credential.client_secret.get_secret_value(),
            user_token=token.get_secret_value() if token else None,
        )
        return query.model_copy(update={"twitch": twitch})
    assert isinstance(credential, DiscordBot)
    discord = DiscordCredentials(bot_token=credential.bot_token.get_secret_value())
    return query.model_copy(update={"discord": discord})
