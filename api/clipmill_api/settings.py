"""Settings of the API, read once from the environment. Unsafe ones are refused at the start."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from clipmill.environment import EnvironmentSettings, InvalidSettings, Words, split_words
from clipmill.json_logs import LogFormat
from clipmill.protocol.encoding_profile import Encoder
from clipmill.spec import canonical_duration, parse_duration
from clipmill.timeline.presets import PRESETS
from clipmill_api.accounts.watermark import Watermark
from clipmill_api.serving.tls_settings import TlsSettings
from clipmill_tracing.endpoint_setting import ENDPOINT_VARIABLES, OtlpEndpoint

DEFAULT_HOSTS = (
    "clips.twitch.tv",
    "www.twitch.tv",
    "twitch.tv",
    "m.twitch.tv",
    "www.youtube.com",
    "youtube.com",
    "m.youtube.com",
    "youtu.be",
    "cdn.discordapp.com",
    "media.discordapp.net",
)
KEY = re.compile(r"^cm_[uoaj]_[A-Za-z0-9_-]{32,128}$")
# Platforms that discover tasks query, and whose addresses can be replaced.
SERVICES = ("twitch", "twitch-auth", "discord")
# A key with fewer different characters was typed by a person.
MIN_DISTINCT_CHARS = 12
HOST_PORT = re.compile(r"[^:\s]+:[0-9]{1,5}")
OWNER = r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$"


def check_key(key: str, *, letter: str) -> str:
    """Return a key unless it could be guessed. The message of an error does not show it.

    Args:
        key: The key, or an empty text if there is none.
        letter: Letter of the key's role.

    Raises:
        ValueError: The key is missing, has another form, or has too few different characters.
    """
    if not key:
        raise ValueError("not set; create one with `clipmill keygen`")
    if not KEY.fullmatch(key) or key[3] != letter:
        raise ValueError(
            f"must be cm_{letter}_ and 32 to 128 characters of A-Z a-z 0-9 _ -;"
            " create one with `clipmill keygen`"
        )
    if len(set(key[5:])) < MIN_DISTINCT_CHARS:
        raise ValueError(
            f"must have at least {MIN_DISTINCT_CHARS} different characters;"
            " create one with `clipmill keygen`"
        )
    return key


def _check_host_ports(pairs: tuple[str, ...]) -> tuple[str, ...]:
    for pair in pairs:
        if not HOST_PORT.fullmatch(pair):
            raise ValueError(f"{pair!r} is not host:port")
    return tuple(pair.lower() for pair in pairs)


def _check_origins(origins: tuple[str, ...]) -> tuple[str, ...]:
    for origin in origins:
        if origin != "*" and not re.fullmatch(r"https?://[^\s/@?#]+", origin):
            raise ValueError(f"{origin!r} is neither * nor an origin like https://example.org")
    return origins


def _check_networks(networks: tuple[str, ...]) -> tuple[str, ...]:
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise ValueError(f"{network!r} is not a range like 10.0.0.0/8: {error}") from None
    return networks


def _lower(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.lower() for word in words)


def _parse_length_limits(words: object) -> object:
    """Parse `youtube_shorts=60s` or `twitter=none`. Raise ValueError for anything else."""
    pairs = split_words(words)
    if not isinstance(pairs, tuple) or not all(isinstance(pair, str) for pair in pairs):
        return pairs
    return tuple(_parse_length_limit(pair) for pair in pairs)


def _parse_length_limit(pair: str) -> tuple[str, int | None]:
    preset, _, length = pair.partition("=")
    if preset not in PRESETS:
        raise ValueError(f"{pair!r}: {preset!r} is no preset; presets: {', '.join(PRESETS)}")
    if length == "none":
        return preset, None
    seconds = parse_duration(str(canonical_duration(length)))
    if seconds < 1:
        raise ValueError(f"{pair!r}: the shortest limit is 1s")
    return preset, int(seconds)


def _parse_source_urls(words: object) -> object:
    """Parse `twitch=https://mirror.example.org`. Raise ValueError for anything else."""
    pairs = split_words(words)
    if not isinstance(pairs, tuple) or not all(isinstance(pair, str) for pair in pairs):
        return pairs
    return tuple(_parse_source_url(pair) for pair in pairs)


def _parse_source_url(pair: str) -> tuple[str, str]:
    service, _, url = pair.partition("=")
    if service not in SERVICES:
        raise ValueError(f"{pair!r}: {service!r} is no service; services: {', '.join(SERVICES)}")
    if not re.fullmatch(r"https?://[^\s/@]+(/[^\s?#]*)?", url):
        raise ValueError(f"{pair!r}: {url!r} is no http or https URL without query")
    return service, url.rstrip("/")


AdminKey = Annotated[str, AfterValidator(partial(check_key, letter="a"))]
OperatorKey = Annotated[str, AfterValidator(partial(check_key, letter="o"))]
HostPorts = Annotated[Words, AfterValidator(_check_host_ports)]
Networks = Annotated[Words, AfterValidator(_check_networks)]
LengthLimits = Annotated[tuple[tuple[str, int | None], ...], BeforeValidator(_parse_length_limits)]
SourceUrls = Annotated[tuple[tuple[str, str], ...], BeforeValidator(_parse_source_urls)]
PositiveInt = Annotated[int, Field(ge=1)]


class Settings(EnvironmentSettings):
    """Settings of the API. docs/cli.md lists the variables.

    `state` is the folder of database, unfinished uploads and blobs. `default_owner` is created at
    the start, with `default_owner_key` as its key.
    """

    state: Path
    admin_key: AdminKey = Field("", repr=False)
    operator_key: OperatorKey = Field("", repr=False)
    database_url: str = Field("", repr=False, validation_alias="DATABASE_URL")
    # Longest wait for a connection, a statement or a lock; then requests are answered with 503.
    database_timeout_s: int = Field(
        5, ge=1, le=60, validation_alias="CLIPMILL_DATABASE_TIMEOUT_SECONDS"
    )
    store_url: str | None = Field(None, validation_alias="CLIPMILL_STORE")
    # For how long a signed link of the object store is valid, by which users read and write files.
    # 0: the API sends and receives the bytes.
    link_s: int = Field(0, ge=0, le=3600, validation_alias="CLIPMILL_LINK_SECONDS")
    # Whether jobs get such links too. Their pods must reach the object store.
    job_links: bool = False
    port: int = Field(8000, ge=1, le=65535)
    log_format: LogFormat = "text"
    # Collector that traces are exported to, by OTLP over HTTP.
    otlp_endpoint: OtlpEndpoint = Field("", validation_alias=ENDPOINT_VARIABLES)
    allowed_hosts: Annotated[Words, AfterValidator(_lower)] = DEFAULT_HOSTS
    allow_any_host: bool = False
    allow_private: HostPorts = ()
    canaries: HostPorts = ()
    # Keys that encrypt credentials, as `ID:KEY,...`: the first encrypts, all of them decrypt.
    credential_keys: str = Field("", repr=False)
    credential_keys_file: Path | None = None
    allow_private_proxies: HostPorts = ()
    # Receivers of webhooks at private addresses, which may be reached by http too.
    allow_private_webhooks: HostPorts = ()
    # Origins whose pages may read responses (CORS), or `*`.
    cors_origins: Annotated[Words, AfterValidator(_check_origins)] = ()
    tls: TlsSettings = TlsSettings()
    # Ranges of addresses from which jobs may call the API; empty for any.
    worker_sources: Networks = ()
    # Ranges of proxies of which X-Forwarded-For is believed.
    trusted_proxies: Networks = ()
    # URL under which users reach the API; links in notifications begin with it.
    public_url: str = Field("", pattern=r"^(https?://[^\s]+)?$")
    # Longest video by preset in seconds (None for any), where it differs from the platform's.
    length_limits: LengthLimits = ()
    refuse_too_long: bool = False
    encoder: Literal["cpu", "nvenc"] = "cpu"
    samples: bool = False
    watermark: Watermark = Watermark()
    default_owner: str = Field("", pattern=OWNER)
    default_owner_key: str = Field("", repr=False)
    max_upload_bytes: PositiveInt = 4 * 1024**3
    fetch_limit_s: PositiveInt = Field(600, validation_alias="CLIPMILL_FETCH_LIMIT_SECONDS")
    lease_s: PositiveInt = Field(60, validation_alias="CLIPMILL_LEASE_SECONDS")
    # Seconds before the second attempt at a fetch; doubled before each further one.
    fetch_backoff_s: int = Field(10, ge=0, validation_alias="CLIPMILL_FETCH_BACKOFF_SECONDS")
    fetch_attempts: PositiveInt = 4
    # Addresses of platforms that replace the public ones, such as those of a mirror.
    source_urls: SourceUrls = ()
    # Days after which the draft of an episode expires that nobody has approved.
    approval_days: PositiveInt = 7
    # Limits of each user's key; keys of jobs have four times as much.
    requests_per_second: PositiveInt = 50
    requests_in_flight: PositiveInt = 32
    # Active drafts of one owner; drafts take no render time from the quota.
    max_drafts: PositiveInt = 10
    # Files that are decoded at a time, and that may wait for it.
    probe_slots: PositiveInt = 2
    probe_queue: PositiveInt = 64
    # Bytes of the state folder's disk that uploads leave free; 0 for 2 % of it, 1 GiB at most.
    disk_floor_bytes: int = Field(0, ge=0)
    segment_days: PositiveInt = 30
    # Bytes that the segments of one owner may take; those unused for longest are deleted first.
    segment_bytes: PositiveInt = 20 * 1024**3
    # Days for which log lines, and cancelled and replaced generations are kept.
    log_days: PositiveInt = 14
    history_days: PositiveInt = 90
    # Days for which the bytes of a removed row are kept.
    blob_grace_days: int = Field(7, ge=0)
    # Id of the installation whose blob store this database takes over.
    adopt_store: str = ""

    @model_validator(mode="after")
    def _refuse_unsafe_keys(self) -> Self:
        if self.admin_key == self.operator_key:
            raise ValueError("CLIPMILL_ADMIN_KEY and CLIPMILL_OPERATOR_KEY must differ")
        if bool(self.default_owner) != bool(self.default_owner_key):
            raise ValueError(
                "CLIPMILL_DEFAULT_OWNER and CLIPMILL_DEFAULT_OWNER_KEY must be set together"
            )
        if self.job_links and not (self.link_s and self.store_url):
            raise ValueError("CLIPMILL_JOB_LINKS requires CLIPMILL_STORE and CLIPMILL_LINK_SECONDS")
        if self.default_owner:
            refuse_weak("CLIPMILL_DEFAULT_OWNER_KEY", self.default_owner_key, letter="u")
        return self

    def link_seconds_for(self, role: str) -> int:
        """Return for how long links of the object store are valid that a caller gets; 0: none."""
        return self.link_s if role == "user" or self.job_links else 0

    @property
    def temporary(self) -> Path:
        """Folder of copies that live as long as a request."""
        return self.state / "tmp"

    @property
    def database(self) -> str:
        """SQLAlchemy URL: DATABASE_URL, or an SQLite file in `state`."""
        url = self.database_url or f"sqlite:///{self.state / 'clipmill.db'}"
        return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", url)

    @property
    def h264_encoder(self) -> Encoder:
        """ffmpeg's name of the encoder for H.264."""
        return "h264_nvenc" if self.encoder == "nvenc" else "libx264"

    @classmethod
    def from_environ(cls, environ: Mapping[str, str], **values: Any) -> Self:
        """Return the settings of CLIPMILL_* and DATABASE_URL. Raises InvalidSettings."""
        nested = {
            "watermark": Watermark.from_environ(environ),
            "tls": TlsSettings.from_environ(environ),
        }
        return super().from_environ(environ, **(nested | values))


def refuse_weak(variable: str, key: str, *, letter: str) -> None:
    """Refuse a key that could be guessed. Raises InvalidSettings, which does not show it."""
    try:
        check_key(key, letter=letter)
    except ValueError as error:
        raise InvalidSettings(f"{variable}: {error}") from None
