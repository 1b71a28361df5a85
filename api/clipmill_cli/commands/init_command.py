"""`init`: a commented manifest to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clipmill_cli.errors import ManifestError
from clipmill_cli.output import terminal

TEMPLATE = """\
# Render it here with `clipmill render {file} -o out/`, or `clipmill submit {file}`.
apiVersion: clipmill.dev/v1alpha1
kind: Compilation
metadata:
  name: {name}                       # lower-case letters, digits and dashes
spec:
  title: My best clips                 # written into the video
  # onClipError: Skip                  # or Fail, or Placeholder: if a clip cannot be fetched

  clips:                               # in playing order
  # A page that yt-dlp reads, or a local file such as opener.mp4
  - url: https://clips.twitch.tv/REPLACE-ME
  - url: https://clips.twitch.tv/REPLACE-ME-TOO
    # start: 2s                        # times: 90s, 1m30s, 1:30 or 1.5 (seconds)
    # end: 12s
    # transition: {{type: Fade, duration: 500ms}}    # from the clip before
    # credit: {{creator: Ada, game: Chess}}          # shown on a card over the clip
    # audio: {{gain: -6dB}}

  # intro: {{url: intro.mp4}}            # also outro, bumper and music
  # music: {{url: song.mp3, gain: -18dB}}
  # audio: {{loudness: -14LUFS}}

  outputs:                             # one video file each, from the same clips
  - {{name: main, preset: youtube}}      # 1920x1080 at 30
  # - {{name: short, preset: youtube_shorts, fit: ContainBlur}}
"""
DEFAULT = Path("compilation.yaml")


def init(
    manifest: Annotated[
        Path, typer.Argument(metavar="FILE", help="File to write; - for standard output.")
    ] = DEFAULT,
) -> None:
    """Write a commented manifest to start from.

    Examples:
        clipmill init saturday.yaml
        clipmill init - > saturday.yaml
    """
    name = "friday" if str(manifest) == "-" else manifest.stem.lower().replace("_", "-")
    text = TEMPLATE.format(file="friday.yaml" if str(manifest) == "-" else manifest, name=name)
    if str(manifest) == "-":
        typer.echo(text, nl=False)
        return
    try:
        with manifest.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ManifestError(f"{manifest}: exists already; name another file") from None
    terminal.console().print(terminal.plain(f"written: {manifest}"))
    terminal.console().print(terminal.plain(f"  next: clipmill plan {manifest}"))
