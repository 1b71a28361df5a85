"""`credentials`: secrets of platforms and proxies, stored encrypted and never shown."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from clipmill.protocol.integrations.credential_models import (
    CREDENTIAL,
    Credential,
    CredentialKind,
)
from clipmill.spec.input_rules import input_rule
from clipmill_cli.commands.options import (
    AdminApiUrlOption,
    ApiUrlOption,
    Format,
    NameArgument,
    OutputOption,
    StateOption,
    print_json,
    print_list,
)
from clipmill_cli.endpoints.connections import admin_client, connected
from clipmill_cli.output import listings, terminal

# What each kind is asked for, line by line; the last line of a kind may be absent.
PROMPTS = {
    CredentialKind.TWITCH: ("clientSecret", "userToken"),
    CredentialKind.DISCORD: ("botToken",),
    CredentialKind.PROXY: ("url",),
    CredentialKind.S3: ("secret",),
}
OPTIONAL_FIELDS = {"userToken"}


def set_credential(
    name: NameArgument,
    kind: Annotated[CredentialKind, typer.Option(help="What the credential is for.")],
    file: Annotated[
        str,
        typer.Option(
            metavar="PATH",
            help="File with the secrets; - for standard input. Default: a prompt in a terminal.",
        ),
    ] = "",
    client_id: Annotated[str, typer.Option(metavar="ID", help="twitch: Client ID.")] = "",
    host: Annotated[
        list[str],
        typer.Option(metavar="HOST", help="cookies, proxy: Host of clips. May be repeated."),
    ] = [],  # noqa: B006  typer reads it as a default and copies it
    bucket: Annotated[str, typer.Option(metavar="NAME", help="s3: Bucket.")] = "",
    endpoint: Annotated[
        str, typer.Option(metavar="URL", help="s3: URL of the server. Default: Amazon's.")
    ] = "",
    region: Annotated[str, typer.Option(metavar="NAME", help="s3: Region.")] = "us-east-1",
    prefix: Annotated[str, typer.Option(metavar="PATH", help="s3: Folder of the bucket.")] = "",
    key_id: Annotated[str, typer.Option(metavar="ID", help="s3: Access key id.")] = "",
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Create or replace a credential. Its secrets are read from a prompt, a file or standard input.

    twitch: the client secret, and a user's token on a second line if clips are to be
    downloaded by the API. discord: the token of the bot. cookies: a Netscape cookie file
    with cookies of one host. proxy: http://USER:PASSWORD@HOST:PORT, or socks5://. s3: the
    secret access key.

    Examples:
        clipmill credentials set my-twitch --kind twitch --client-id abc123 --file twitch.txt
        clipmill credentials set my-bot --kind discord --file bot-token.txt
        clipmill credentials set youtube --kind cookies --host youtube.com --file cookies.txt
        clipmill credentials set way-out --kind proxy --host youtube.com --file proxy.txt
        clipmill credentials set my-bucket --kind s3 --bucket clips --key-id AKIA1 --file s3.txt
    """
    place = {"bucket": bucket, "endpoint": endpoint, "region": region, "prefix": prefix}
    options = {"clientId": client_id, **place, "keyId": key_id}
    credential = _credential(kind, options, host, _read_secrets(kind, file))
    with connected(api_url, state) as client:
        view = client.credentials.put(name, credential)
    if output is Format.JSON:
        print_json(terminal.console(), view)
    else:
        terminal.console().print(terminal.plain(f"stored {view.name} ({view.kind})"))


def _read_secrets(kind: CredentialKind, file: str) -> str:
    """Return the secrets, one a line; secrets are never options, since `ps` shows arguments."""
    if file and file != "-":
        return Path(file).read_text()
    if file == "-" or not sys.stdin.isatty() or kind not in PROMPTS:
        return sys.stdin.read()
    return "\n".join(_prompt(field) for field in PROMPTS[kind])


def _prompt(field: str) -> str:
    note = " (empty for none)" if field in OPTIONAL_FIELDS else ""
    text: str = typer.prompt(f"{field}{note}", default="", hide_input=True, show_default=False)
    return text


def _credential(
    kind: CredentialKind, options: dict[str, str], hosts: list[str], secrets: str
) -> Credential:
    """Return the credential. Raise BadParameter, which shows no secret."""
    fields: dict[str, object] = {"kind": kind.value}
    if kind is CredentialKind.COOKIES:
        fields["cookies"] = secrets
    else:
        lines = [line.strip() for line in secrets.splitlines() if line.strip()]
        fields |= dict(zip(PROMPTS[kind], lines, strict=False))
    if kind is CredentialKind.TWITCH:
        fields["clientId"] = options.pop("clientId")
    if kind is CredentialKind.S3:
        fields |= {name: text for name, text in options.items() if name != "clientId"}
    if kind is CredentialKind.PROXY:
        fields["hosts"] = hosts
    if kind is CredentialKind.COOKIES:
        fields |= {"host": hosts[0]} if len(hosts) == 1 else {}
    try:
        return CREDENTIAL.validate_python(fields)
    except ValidationError as error:
        raise typer.BadParameter(_rule(error)) from None


def _rule(error: ValidationError) -> str:
    """Return field and rule of the first error, without the value."""
    first = error.errors(include_input=False)[0]
    field = ".".join(str(step) for step in first["loc"][1:])
    rule = input_rule(dict(first), first["loc"][1:])
    return f"{field}: {rule}" if field else rule


def list_credentials(
    output: OutputOption = Format.TEXT, state: StateOption = None, api_url: ApiUrlOption = None
) -> None:
    """List your credentials: name, kind, hosts, created, last used. Values are never shown.

    Examples:
        clipmill credentials list
    """
    with connected(api_url, state) as client:
        views = client.credentials.list()
    print_list(output, views, listings.show_credentials)


def delete_credential(
    name: NameArgument, state: StateOption = None, api_url: ApiUrlOption = None
) -> None:
    """Delete a credential.

    Examples:
        clipmill credentials delete my-bot
    """
    with connected(api_url, state) as client:
        client.credentials.delete(name)
    terminal.console().print(terminal.plain(f"deleted {name}"))


def rotate(output: OutputOption = Format.TEXT, api_url: AdminApiUrlOption = None) -> None:
    """Encrypt all stored secrets with the first key of CLIPMILL_CREDENTIAL_KEYS.

    Afterwards the other keys can be removed from that setting, if none is listed as unreadable.

    Examples:
        clipmill admin rotate-credentials
    """
    with admin_client(api_url) as client:
        rotation = client.admin.rotate_credentials()
    if output is Format.JSON:
        print_json(terminal.console(), rotation)
        return
    line = f"{rotation.rotated} of {rotation.total} encrypted again, with key {rotation.key_id}"
    terminal.console().print(terminal.plain(line))
    for unreadable in rotation.unreadable:
        terminal.console().print(
            terminal.plain(f"unreadable, by the id of their key: {unreadable}")
        )
