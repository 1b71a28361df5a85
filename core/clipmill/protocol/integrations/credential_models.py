"""Credentials of an owner, by kind. The secret fields show asterisks in every text form."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal, Self
from urllib.parse import SplitResult, unquote, urlsplit

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    SecretStr,
    TypeAdapter,
    model_validator,
)

from clipmill.protocol.integrations.cookie_file import checked_cookies
from clipmill.spec.base import Model, Name

MAX_COOKIE_BYTES = 64 * 1024
PROXY_SCHEMES = ("http", "socks5", "socks5h")


class CredentialKind(StrEnum):
    """What a credential is for."""

    TWITCH = "twitch"
    DISCORD = "discord"
    COOKIES = "cookies"
    PROXY = "proxy"
    S3 = "s3"


def _refuse_spaces(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", secret.get_secret_value()):
        raise ValueError("only visible ASCII characters are allowed, without spaces")
    return secret


# JSON carries the value: to the API, and in the assignment of a fetch task.
SecretText = Annotated[
    SecretStr, PlainSerializer(SecretStr.get_secret_value, return_type=str, when_used="json")
]
Token = Annotated[SecretText, Field(min_length=1, max_length=500), AfterValidator(_refuse_spaces)]
HostName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$", description="Host name.")
]


class TwitchApplication(Model):
    """An application at Twitch. The user token serves Clips Download only."""

    kind: Literal[CredentialKind.TWITCH]
    client_id: str = Field(pattern=r"^[A-Za-z0-9]{1,100}$", description="Client ID.")
    client_secret: Token = Field(description="Client secret of the application.")
    user_token: Token | None = Field(
        None, description="OAuth token of a user; absent where clips are not downloaded by the API."
    )


class DiscordBot(Model):
    """A bot at Discord."""

    kind: Literal[CredentialKind.DISCORD]
    bot_token: Token = Field(description="Token of the bot.")


class HostCookies(Model):
    """Cookies of one host and its subdomains, as a Netscape cookie file."""

    kind: Literal[CredentialKind.COOKIES]
    host: HostName
    cookies: SecretText = Field(
        min_length=1, max_length=MAX_COOKIE_BYTES, description="Content of the cookie file."
    )

    @model_validator(mode="after")
    def _one_host(self) -> Self:
        checked_cookies(self.cookies.get_secret_value(), self.host)
        return self


class HostProxy(Model):
    """A proxy, and the hosts whose clips are fetched through it."""

    kind: Literal[CredentialKind.PROXY]
    url: SecretText = Field(
        max_length=1000, description="http://, socks5:// or socks5h://, user:password@host:port."
    )
    hosts: list[HostName] = Field(
        min_length=1, max_length=20, description="Hosts of clips, with their subdomains."
    )

    @model_validator(mode="after")
    def _address_of_a_proxy(self) -> Self:
        split = self._split()
        if split.scheme not in PROXY_SCHEMES:
            raise ValueError(f"url: the scheme must be one of {', '.join(PROXY_SCHEMES)}")
        if not split.hostname or not split.port:
            raise ValueError("url: host and port of the proxy are required")
        if split.path not in ("", "/") or split.query or split.fragment:
            raise ValueError("url: a proxy has no path, query or fragment")
        return self

    def _split(self) -> SplitResult:
        text = self.url.get_secret_value()
        if not re.fullmatch(r"[\x21-\x7e]+", text):
            raise ValueError("url: only visible ASCII characters are allowed")
        try:
            split = urlsplit(text)
            _ = split.port
        except ValueError:
            raise ValueError(
                "url: not a URL of the form SCHEME://USER:PASSWORD@HOST:PORT"
            ) from None
        return split

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the proxy."""
        split = self._split()
        return split.hostname or "", split.port or 0

    @property
    def secrets(self) -> list[str]:
        """The texts that no log and no error may hold."""
        split = self._split()
        login = [text for text in (split.username, split.password) if text]
        return [self.url.get_secret_value(), *login, *map(unquote, login)]


class S3Bucket(Model):
    """A bucket to which finished videos are delivered, and a key that may write to it."""

    kind: Literal[CredentialKind.S3]
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", description="Bucket.")
    endpoint: str = Field(
        "",
        max_length=300,
        pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+/?)?$",
        description="URL of the S3 server; absent for Amazon's of the region.",
    )
    region: str = Field("us-east-1", pattern=r"^[a-z0-9-]{1,40}$", description="Region.")
    prefix: str = Field(
        "",
        max_length=200,
        pattern=r"^([A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*)?$",
        description="Folder of the bucket; absent for its root.",
    )
    key_id: str = Field(pattern=r"^[\x21-\x7e]{1,200}$", description="Access key id.")
    secret: Token = Field(description="Secret access key.")

    @property
    def url(self) -> str:
        """URL of the server, without a slash at its end."""
        return (self.endpoint or f"https://s3.{self.region}.amazonaws.com").rstrip("/")


Credential = TwitchApplication | DiscordBot | HostCookies | HostProxy | S3Bucket
CredentialValue = Annotated[Credential, Field(discriminator="kind")]
CREDENTIAL: TypeAdapter[Credential] = TypeAdapter(CredentialValue)


def hosts_of(credential: Credential) -> list[str]:
    """Return the hosts whose clips a credential is for; none for an API of a platform."""
    if isinstance(credential, HostCookies):
        return [credential.host]
    return list(credential.hosts) if isinstance(credential, HostProxy) else []


class CredentialView(Model):
    """A credential without its values."""

    name: Name
    kind: CredentialKind
    hosts: list[str] = Field([], description="Hosts of clips that it is for.")
    created_at: str
    changed_at: str
    last_used_at: str | None = Field(None, description="Absent if no task has used it yet.")


class KeyRotation(Model):
    """Result of encrypting everything with the first key of the settings."""

    key_id: str = Field(description="Id of the key that everything is encrypted with now.")
    rotated: int = Field(description="Values that were encrypted with another key before.")
    total: int
    unreadable: list[str] = Field(
        [], description="`KEY_ID: COUNT` of values whose key is not in the settings any more."
    )


class FetchCredentials(Model):
    """What the owner of a clip has for the clip's host."""

    cookies: SecretText | None = Field(None, description="Netscape cookie file.")
    proxy: SecretText | None = Field(None, description="URL of the proxy; nothing else is reached.")
    allowed_private_proxies: list[str] = Field(
        [], description="Pairs of host:port that may be private addresses, by a setting."
    )
