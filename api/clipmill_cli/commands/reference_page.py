"""Write docs/cli.md from the help of the commands.

Run `python -m clipmill_cli.commands.reference_page > docs/cli.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import typer.main
from typer.testing import CliRunner

from clipmill_cli.commands.command_tree import app

HEAD = """# The command line

`./run setup` installs it as `.venv/bin/clipmill`; in an environment of your own, run `pip install '.[local]'`.
This page is generated from the `--help` texts by `make generate`.

Commands that show data accept `-o json`. An error is one line on stderr that names the field, its value and the rule.

| exit code | meaning |
|---|---|
| 0 | succeeded |
| 1 | failed, refused, or the API is not reachable |
| 2 | the manifest or the usage is invalid |
| 3 | succeeded but degraded: clips were skipped; each is listed with the reason |
| 130 | interrupted; run the same command again to continue |

| variable | used by | meaning |
|---|---|---|
| `CLIPMILL_API_URL` | all but `serve` | URL of the API. If it is not set, commands use that of `clipmill login`, then the `clipmill serve` of the state folder, then a local API on it. |
| `CLIPMILL_API_KEY` | all | Your key. For `serve`: the key of the first user, `local`, by default a stored one. |
| `CLIPMILL_CA_FILE` | all but `serve` | File with the certificates, in PEM, of the CA of an API with HTTPS, besides those of public CAs; see [networking](networking.md). |
| `CLIPMILL_ADMIN_KEY` | `admin`, `serve` | The administrator's key. |
| `CLIPMILL_OPERATOR_KEY` | `serve` | The operator's key. Default: a random one, stored in the state folder. |
| `DATABASE_URL` | `serve` | URL of a PostgreSQL database. Default: SQLite in the state folder. |
| `CLIPMILL_STORE` | `serve` | Object store for media, such as `s3://bucket/folder`. Default: the state folder. |
| `CLIPMILL_LINK_SECONDS` | `serve` | Let users download and upload files by signed links of the object store that are valid for so many seconds, 3600 at most. Default: 0, none. |
| `CLIPMILL_JOB_LINKS` | `serve` | `1`: let jobs use such links, too (docs/storage.md). |
| `CLIPMILL_ALLOWED_HOSTS` | `serve` | Hosts to fetch clips from. Default: the supported platforms. |
| `CLIPMILL_ALLOW_ANY_HOST` | `serve` | `1`: fetch from any public host. Private addresses remain refused. |
| `CLIPMILL_ALLOW_PRIVATE` | `serve` | Private addresses (`host:port`) to fetch from; plans note their use. |
| `CLIPMILL_CREDENTIAL_KEYS` | `serve` | Keys that encrypt credentials, `ID:KEY,...`; see [credentials](credentials.md). |
| `CLIPMILL_CREDENTIAL_KEYS_FILE` | `serve` | File with such keys. Default: `credential-keys` in the state folder, created at the first start. |
| `CLIPMILL_ALLOW_PRIVATE_PROXIES` | `serve` | Private addresses (`host:port`) of proxies that owners may use. |
| `CLIPMILL_SOURCE_URLS` | `serve` | Addresses that replace those of platforms, such as `twitch=https://mirror.example.org`; services are `twitch`, `twitch-auth` and `discord`. |
| `CLIPMILL_APPROVAL_DAYS` | `serve` | Days after which the draft of an episode expires that nobody has approved. Default: 7. |
| `CLIPMILL_ALLOW_PRIVATE_WEBHOOKS` | `serve` | Private addresses (`host:port`) of receivers, which may be reached by http. |
| `CLIPMILL_CORS_ORIGINS` | `serve` | Origins whose pages may call the API from a browser (CORS), such as `https://studio.example.org`, or `*`. Default: none. |
| `CLIPMILL_WORKER_SOURCES` | `serve` | Ranges such as `10.0.0.0/8` from which jobs may call the API. Default: any address. |
| `CLIPMILL_PUBLIC_URL` | `serve` | URL under which users reach the API, for links in [notifications](notifications.md). |
| `CLIPMILL_MAX_UPLOAD_BYTES` | `serve` | Maximum size of a fetched or uploaded file. Default: 4 GiB. |
| `CLIPMILL_FETCH_LIMIT_SECONDS` | `serve` | Maximum duration of fetching one clip. Default: 600. |
| `CLIPMILL_FETCH_ATTEMPTS` | `serve` | Attempts at fetching one clip, the lost pods included. Default: 4. |
| `CLIPMILL_FETCH_BACKOFF_SECONDS` | `serve` | Pause before the second attempt at fetching a clip, doubled before the third and the fourth. Default: 10. |
| `CLIPMILL_BLOB_GRACE_DAYS` | `serve` | Days for which the bytes of deleted media are kept. Default: 7. |
| `CLIPMILL_REQUESTS_PER_SECOND` | `serve` | Requests per second of one user's key, with bursts of four times as many; a job's key has four times as much. Default: 50. |
| `CLIPMILL_REQUESTS_IN_FLIGHT` | `serve` | Requests in flight of one user's key. Default: 32. |
| `CLIPMILL_PROBE_SLOTS` | `serve` | Files that are decoded at a time. Default: 2. |
| `CLIPMILL_PROBE_QUEUE` | `serve` | Files that may wait to be decoded. Default: 64. |
| `CLIPMILL_MAX_DRAFTS` | `serve` | Active drafts of one owner. Default: 10. |
| `CLIPMILL_DATABASE_TIMEOUT_SECONDS` | `serve` | Longest wait for the database. Default: 5. |
| `CLIPMILL_OTLP_ENDPOINT` | `serve`, `render` | Collector to export traces to, by OTLP over HTTP; see [monitoring](monitoring.md#traces). Default: `OTEL_EXPORTER_OTLP_ENDPOINT`, else none. |
| `CLIPMILL_ADOPT_STORE` | `serve`, `render` | Installation whose blob store the database takes over; see [backup](backup.md). |
| `CLIPMILL_DEBUG` | all | `1`: show the traceback of an error. |
"""  # noqa: E501  rows of a table
COLUMNS = "90"


def render_page() -> str:
    """Return docs/cli.md."""
    sections = [
        f"## clipmill {' '.join(words)}\n\n```text\n{_help_output(words)}```"
        for words in command_words()
    ]
    return "\n\n".join([HEAD.strip(), *sections]) + "\n"


def command_words() -> Iterator[tuple[str, ...]]:
    """Yield the words of every command after `clipmill`, in the order of the help."""
    root = typer.main.get_command(app)
    for name, command in getattr(root, "commands").items():  # noqa: B009  no public type has it
        subcommands = getattr(command, "commands", None)
        yield from [(name, sub) for sub in subcommands] if subcommands else [(name,)]


def _help_output(words: tuple[str, ...]) -> str:
    result = CliRunner().invoke(
        app, [*words, "--help"], env={"COLUMNS": COLUMNS}, prog_name="clipmill"
    )
    return result.output


if __name__ == "__main__":
    sys.stdout.write(render_page())
