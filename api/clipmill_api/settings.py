"""All settings of the API, read once from the environment; the start refuses what is unsafe."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from clipmill_api.accounts import watermark
from clipmill_api.accounts.watermark import UnsafeWatermark, Watermark

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
ENCODERS = {"cpu": "libx264", "nvenc": "h264_nvenc"}
OWNER = re.compile(r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$")
LEAST_DISTINCT = 12
"""Fewer different characters than this and a key was typed, not drawn."""


class UnsafeSettings(ValueError):
    """The settings would start an API that is not safe; says which and how to mend it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the API is told. `state`: the folder of database, spool and bytes.

    `default_owner` is made at the start, with `default_owner_key` as its key.
    """

    state: Path
    admin_key: str
    operator_key: str
    database_url: str = ""
    store_url: str | None = None
    allowed_hosts: tuple[str, ...] = DEFAULT_HOSTS
    allow_any_host: bool = False
    allow_private: tuple[str, ...] = ()
    canaries: tuple[str, ...] = ()
    encoder: str = ENCODERS["cpu"]
    samples: bool = False
    watermark: Watermark = field(default_factory=Watermark)
    default_owner: str = ""
    default_owner_key: str = ""
    max_upload_bytes: int = 4 * 1024**3
    fetch_limit_s: int = 600
    lease_s: int = 60
    segment_days: int = 30

    def __post_init__(self) -> None:
        self._refuse_unsafe_keys()
        _refuse_unless_places("CLIPMILL_ALLOW_PRIVATE", self.allow_private)
        _refuse_unless_places("CLIPMILL_CANARIES", self.canaries)

    def _refuse_unsafe_keys(self) -> None:
        refuse_weak("CLIPMILL_ADMIN_KEY", self.admin_key, letter="a")
        refuse_weak("CLIPMILL_OPERATOR_KEY", self.operator_key, letter="o")
        if self.admin_key == self.operator_key:
            raise UnsafeSettings("CLIPMILL_ADMIN_KEY and CLIPMILL_OPERATOR_KEY must differ")
        if bool(self.default_owner) != bool(self.default_owner_key):
            raise UnsafeSettings(
                "CLIPMILL_DEFAULT_OWNER and CLIPMILL_DEFAULT_OWNER_KEY belong together: "
                "set both, or neither"
            )
        if self.default_owner:
            refuse_weak("CLIPMILL_DEFAULT_OWNER_KEY", self.default_owner_key, letter="u")
            if not OWNER.match(self.default_owner):
                raise UnsafeSettings(
                    f"CLIPMILL_DEFAULT_OWNER is {self.default_owner!r}: "
                    "1 to 63 lower-case letters, digits and - are needed"
                )

    @property
    def database(self) -> str:
        """SQLAlchemy URL; SQLite within `state` unless DATABASE_URL says otherwise."""
        url = self.database_url or f"sqlite:///{self.state / 'clipmill.db'}"
        return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", url)

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read CLIPMILL_* and DATABASE_URL. Raises UnsafeSettings."""
        state = environ.get("CLIPMILL_STATE", "")
        if not state:
            raise UnsafeSettings(
                "CLIPMILL_STATE is not set: name the folder for database and bytes"
            )
        return cls(
            state=Path(state),
            admin_key=environ.get("CLIPMILL_ADMIN_KEY", ""),
            operator_key=environ.get("CLIPMILL_OPERATOR_KEY", ""),
            database_url=environ.get("DATABASE_URL", ""),
            store_url=environ.get("CLIPMILL_STORE") or None,
            allowed_hosts=_words(environ.get("CLIPMILL_ALLOWED_HOSTS")) or DEFAULT_HOSTS,
            allow_any_host=_flag(environ, "CLIPMILL_ALLOW_ANY_HOST"),
            allow_private=_words(environ.get("CLIPMILL_ALLOW_PRIVATE")),
            canaries=_words(environ.get("CLIPMILL_CANARIES")),
            watermark=_watermark(environ),
            encoder=_encoder(environ.get("CLIPMILL_ENCODER") or "cpu"),
            samples=_flag(environ, "CLIPMILL_SAMPLES"),
            default_owner=environ.get("CLIPMILL_DEFAULT_OWNER", ""),
            default_owner_key=environ.get("CLIPMILL_DEFAULT_OWNER_KEY", ""),
            max_upload_bytes=_number(environ, "CLIPMILL_MAX_UPLOAD_BYTES", 4 * 1024**3),
            fetch_limit_s=_number(environ, "CLIPMILL_FETCH_LIMIT_SECONDS", 600),
            lease_s=_number(environ, "CLIPMILL_LEASE_SECONDS", 60),
            segment_days=_number(environ, "CLIPMILL_PIECE_DAYS", 30),
        )


def _watermark(environ: Mapping[str, str]) -> Watermark:
    try:
        return watermark.from_environ(environ)
    except UnsafeWatermark as error:
        raise UnsafeSettings(str(error)) from None


def _encoder(name: str) -> str:
    if name not in ENCODERS:
        raise UnsafeSettings(f"CLIPMILL_ENCODER is {name!r}: cpu or nvenc")
    return ENCODERS[name]


def port(environ: Mapping[str, str]) -> int:
    """Where the server listens; the local run takes a free port instead."""
    return _number(environ, "CLIPMILL_PORT", 8000)


def refuse_weak(name: str, key: str, *, letter: str) -> None:
    """Refuse a key that could be guessed. Raises UnsafeSettings; the key is not shown."""
    how = "make one by `clipmill keygen`"
    if not key:
        raise UnsafeSettings(f"{name} is not set: {how}")
    if not KEY.fullmatch(key) or key[3] != letter:
        raise UnsafeSettings(
            f"{name} is not of the form cm_{letter}_ and at least 32 characters: {how}"
        )
    if len(set(key[5:])) < LEAST_DISTINCT:
        raise UnsafeSettings(f"{name} repeats few characters and could be guessed: {how}")


def _refuse_unless_places(name: str, places: tuple[str, ...]) -> None:
    for place in places:
        if not re.fullmatch(r"[^:\s]+:[0-9]{1,5}", place):
            raise UnsafeSettings(f"{name}: {place!r} is not host:port")


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word for word in re.split(r"[,\s]+", (text or "").lower()) if word)


def _flag(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() in ("1", "true")


def _number(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdigit() or int(text) < 1:
        raise UnsafeSettings(f"{name} is {text!r}: a whole number above 0 is needed")
    return int(text)
