"""Which container a file is, by its first bytes, and whether it ends before it says it does.

ffmpeg's own guess is not asked: a playlist named .mp4 would make it open other files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from clipmill_probe.errors import MediaError

_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof", b"pnot", b"uuid")
_TS_PACKET = 188
_CONTAINERS = {b"\x1a\x45\xdf\xa3": "matroska", b"FLV\x01": "flv", b"OggS": "ogg"}
_PLAYLISTS = {b"#EXTM3U": "HLS", b"ffconcat": "concat", b"[playlist]": "PLS", b"<MPD": "DASH"}
_PICTURES = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"\x00\x00\x01\x00": "ICO",
}
_SOUNDS = {b"ID3": "mp3", b"fLaC": "flac"}
_MPEG_AUDIO = (0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3)
_UNKNOWN_RIFF = 0xFFFFFFFF
_SEGMENT = b"\x18\x53\x80\x67"


def sniff(path: Path, *, sound: bool = False) -> str:
    """The demuxer to force; with `sound` also for files of sound alone. Raises MediaError."""
    if not path.is_file():
        raise MediaError("Missing", f"{path.name}: there is no such file")
    size = path.stat().st_size
    if size == 0:
        raise MediaError("Empty", f"{path.name}: the file has 0 bytes")
    with path.open("rb") as file:
        head = file.read(4096)
    known = _container(head) or (_sound(head) if sound else None)
    if known is None:
        raise _refusal(path, head)
    return known


def _container(head: bytes) -> str | None:
    if head[4:8] in _BOXES:
        return "mov"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if len(head) > 2 * _TS_PACKET and all(head[i * _TS_PACKET] == 0x47 for i in range(3)):
        return "mpegts"
    return _kind(head, _CONTAINERS)


def _sound(head: bytes) -> str | None:
    """The demuxer of a container that holds sound alone."""
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "wav"
    if len(head) > 4 and head[0] == 0xFF and head[1] in _MPEG_AUDIO:
        return "mp3"
    return _kind(head, _SOUNDS)


def _refusal(path: Path, head: bytes) -> MediaError:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, kind in _PLAYLISTS.items():
        if text[: len(magic)].lower() == magic.lower() or (kind == "DASH" and b"<MPD" in text):
            return MediaError(
                "ForbiddenFormat", f"{path.name}: a {kind} playlist names other files; not read"
            )
    if _sound(head):
        return MediaError(
            "NoVideo", f"{path.name}: sound without a video stream, which is of use as music only"
        )
    webp = head.startswith(b"RIFF") and head[8:12] == b"WEBP"
    picture = "WebP" if webp else _kind(head, _PICTURES)
    if picture:
        return MediaError("NotMedia", f"{path.name}: a {picture} picture, not a video")
    return MediaError(
        "NotMedia",
        f"{path.name}: not a video (read are MP4, Matroska, WebM, MPEG-TS, AVI, FLV and Ogg)",
    )


def _kind(head: bytes, magics: dict[bytes, str]) -> str | None:
    return next((kind for magic, kind in magics.items() if head.startswith(magic)), None)


def check_length(path: Path, container: str) -> None:
    """Refuse a file whose own structure reaches past its end. Raises MediaError Truncated."""
    size = path.stat().st_size
    with path.open("rb") as file:
        declared = _declared_end(file, container, size)
    if declared is not None and declared > size:
        raise MediaError(
            "Truncated",
            f"{path.name}: has {size} bytes, but its {container} structure needs {declared}",
        )


def _declared_end(file: BinaryIO, container: str, size: int) -> int | None:
    if container == "mov":
        return _boxes_end(file, path_size=size)
    if container == "matroska":
        return _segment_end(file.read(4096))
    if container in ("avi", "wav"):
        length = int.from_bytes(file.read(8)[4:8], "little")
        return None if length == _UNKNOWN_RIFF else 8 + length
    return None


def _boxes_end(file: BinaryIO, *, path_size: int) -> int | None:
    """End of the last top-level box that holds media; None without an index at all."""
    boxes = list(_boxes(file, path_size))
    if boxes and not any(kind in (b"moov", b"moof") for kind, _ in boxes):
        # The index comes last in a file that was not made for streaming: it was cut off.
        return max(path_size + 1, boxes[-1][1])
    return max((end for kind, end in boxes if kind in (b"mdat", b"moov", b"moof")), default=None)


def _boxes(file: BinaryIO, path_size: int) -> Iterator[tuple[bytes, int]]:
    at = 0
    while at + 8 <= path_size:
        file.seek(at)
        head = file.read(16)
        length = int.from_bytes(head[:4])
        if length == 1:
            length = int.from_bytes(head[8:16])
        elif length == 0:
            length = path_size - at
        if length < 8:
            return
        at += length
        yield head[4:8], at


def _segment_end(head: bytes) -> int | None:
    """End of the Matroska segment, unless it was written live with an unknown size."""
    at = head.find(_SEGMENT)
    if at < 0 or at + 5 > len(head):
        return None
    at += 4
    length = 9 - head[at].bit_length()
    value = int.from_bytes(head[at : at + length]) & ((1 << 7 * length) - 1)
    unknown = value == (1 << 7 * length) - 1
    return None if unknown else at + length + value
