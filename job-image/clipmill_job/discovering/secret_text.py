"""Keep secrets out of messages, also if a source repeats one in its response."""

from __future__ import annotations

from urllib.parse import quote

from clipmill.shows.candidates import SourceQuery

HIDDEN = "***"
# A shorter secret would hide ordinary words, and is none.
MIN_CHARS = 6


class SecretText:
    """Secrets that no message may hold."""

    def __init__(self, secrets: list[str]) -> None:
        self._secrets = secrets

    @classmethod
    def of(cls, query: SourceQuery) -> SecretText:
        """Return the secrets of a query."""
        twitch, discord = query.twitch, query.discord
        values = [
            twitch.client_secret if twitch else None,
            twitch.user_token if twitch else None,
            discord.bot_token if discord else None,
        ]
        return cls([value for value in values if value])

    def add(self, secret: str) -> None:
        """Hide a secret from now on."""
        self._secrets.append(secret)

    def hide(self, text: str) -> str:
        """Return a text without the secrets, also where they are written as in a URL."""
        for secret in self._secrets:
            for written in {secret, quote(secret, safe="")}:
                if len(written) >= MIN_CHARS:
                    text = text.replace(written, HIDDEN)
        return text
