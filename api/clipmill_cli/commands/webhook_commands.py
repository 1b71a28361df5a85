"""`webhooks`: signed notifications to receivers, chats and mail, and their deliveries."""

from __future__ import annotations

import re
import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from clipmill.protocol.integrations.webhook_models import EventType, WebhookRequest
from clipmill_cli.commands.options import (
    ApiUrlOption,
    Format,
    NameArgument,
    OutputOption,
    StateOption,
    print_json,
    print_list,
)
from clipmill_cli.endpoints.connections import connected
from clipmill_cli.output import listings, terminal

ALL_EVENTS: list[EventType] = [event for event in EventType if event is not EventType.TEST]


def _parse_events(text: str) -> list[EventType]:
    if text == "all":
        return ALL_EVENTS
    names = re.findall(r"[^,\s]+", text)
    allowed = {event.value: event for event in ALL_EVENTS}
    for name in names:
        if name not in allowed:
            raise typer.BadParameter(f"{name!r} is no event; events: all, {', '.join(allowed)}")
    if not names:
        raise typer.BadParameter("at least one event is required")
    return [allowed[name] for name in names]


def add(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL",
            help="https:// URL of a receiver. - reads it from a prompt or standard input, as is"
            " required for Apprise addresses, which hold secrets.",
        ),
    ],
    events: Annotated[
        str, typer.Option(metavar="EVENT,...", help="Events to deliver, or `all`.")
    ] = "all",
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Name. Default: from the host of the URL.")
    ] = "",
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Add a webhook, or change URL and events of one; print the secret that signs its requests.

    The secret cannot be shown again.

    Examples:
        clipmill webhooks add https://example.org/hooks --events compilation.succeeded
        clipmill webhooks add https://example.org/hooks --name my-hook
    """
    target = _target(url)
    request = WebhookRequest.model_validate({"url": target, "events": _parse_events(events)})
    with connected(api_url, state) as client:
        webhook = client.webhooks.put(name or _name_of(target), request)
    if output is Format.JSON:
        print_json(terminal.console(), webhook)
        return
    out = terminal.console()
    out.print(terminal.plain(f"stored {webhook.name}: {webhook.target}"))
    if webhook.secret:
        out.print(terminal.plain(f"secret: {webhook.secret.get_secret_value()}"))


def _target(url: str) -> str:
    """Return the URL. A secret in it must not be an argument, since `ps` shows arguments."""
    if url == "-":
        prompt = sys.stdin.isatty()
        text: str = typer.prompt("URL", hide_input=True) if prompt else sys.stdin.readline()
        return text.strip()
    if not url.startswith(("https://", "http://")):
        raise typer.BadParameter(
            "URL: only https:// URLs are arguments; give - for other addresses"
        )
    return url


def _name_of(url: str) -> str:
    split = urlsplit(url)
    text = split.hostname if split.scheme in ("http", "https") else split.scheme
    return re.sub(r"[^a-z0-9]+", "-", (text or "").lower()).strip("-")[:63] or "webhook"


def list_webhooks(
    output: OutputOption = Format.TEXT, state: StateOption = None, api_url: ApiUrlOption = None
) -> None:
    """List your webhooks: target, events, last delivery, and why one is disabled.

    Examples:
        clipmill webhooks list
    """
    with connected(api_url, state) as client:
        views = client.webhooks.list()
    print_list(output, views, listings.show_webhooks)


def delete(name: NameArgument, state: StateOption = None, api_url: ApiUrlOption = None) -> None:
    """Delete a webhook with its log. What is pending is not delivered any more.

    Examples:
        clipmill webhooks delete my-hook
    """
    with connected(api_url, state) as client:
        client.webhooks.delete(name)
    terminal.console().print(terminal.plain(f"deleted {name}"))


def enable(name: NameArgument, state: StateOption = None, api_url: ApiUrlOption = None) -> None:
    """Deliver again to a webhook that was disabled after failures.

    Examples:
        clipmill webhooks enable my-hook
    """
    with connected(api_url, state) as client:
        client.webhooks.enable(name)
    terminal.console().print(terminal.plain(f"enabled {name}"))


def send_test(
    name: NameArgument,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Send the event webhook.test. `clipmill webhooks deliveries` shows the result.

    Examples:
        clipmill webhooks test my-hook
    """
    with connected(api_url, state) as client:
        view = client.webhooks.test(name)
    if output is Format.JSON:
        print_json(terminal.console(), view)
    else:
        listings.show_notifications(terminal.console(), [view])


def deliveries(
    name: NameArgument,
    limit: Annotated[int, typer.Option(min=1, max=200, help="Number of notifications.")] = 50,
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """List notifications with the status, time and error of their last attempt, newest first.

    Examples:
        clipmill webhooks deliveries my-hook
    """
    with connected(api_url, state) as client:
        views = client.webhooks.deliveries(name, limit)
    print_list(output, views, listings.show_notifications)


def replay(
    name: NameArgument,
    notification_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of the notification, n-...")
    ],
    output: OutputOption = Format.TEXT,
    state: StateOption = None,
    api_url: ApiUrlOption = None,
) -> None:
    """Send a notification again, with the same id and content.

    Examples:
        clipmill webhooks replay my-hook n-0123456789abcdef
    """
    if not re.fullmatch(r"n-[a-z0-9]{4,40}", notification_id):
        raise typer.BadParameter(f"{notification_id[:80]!r} is not of the form n-0123456789abcdef")
    with connected(api_url, state) as client:
        view = client.webhooks.replay(name, notification_id)
    if output is Format.JSON:
        print_json(terminal.console(), view)
    else:
        listings.show_notifications(terminal.console(), [view])
