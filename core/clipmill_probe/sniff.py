"""Identify a file's container by its first bytes and find files that were cut off.

ffmpeg's own detection is not used: a playlist named .mp4 would make it open other files.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from clipmill_probe.errors import MediaError

_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"moof", b"pnot", b"uuid")
_TS_PACKET = 188
# MPEG-TS of cameras and discs: a time stamp of four bytes before each packet.
_M2TS_PACKET, _M2TS_TIME = 192, 4
_CONTAINERS = {
    b"\x1a\x45\xdf\xa3": "matroska",
    b"FLV\x01": "flv",
    b"OggS": "ogg",
    b"\x00\x00\x01\xba": "mpeg",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "asf",
    b"\x06\x0e\x2b\x34\x02\x05\x01\x01": "mxf",
    b"\x1f\x07\x00": "dv",
}
_PLAYLISTS = {b"#EXTM3U": "HLS", b"ffconcat": "concat", b"[playlist]": "PLS", b"<MPD": "DASH"}
_IMAGES = {
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"BM": "BMP",
    b"\x00\x00\x01\x00": "ICO",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL \r\n": "JPEG XL",
}
# Brands of MP4 structure that holds a picture.
_IMAGE_BRANDS = {
    b"avif": "AVIF",
    b"avis": "AVIF",
    b"heic": "HEIC",
    b"heix": "HEIC",
    b"heim": "HEIC",
    b"mif1": "HEIF",
}
_AUDIO_FILES = {
    b"fLaC": "flac",
    b"RF64": "wav",
    b"riff\x2e\x91\xcf\x11": "w64",
    b"caff": "caf",
    b"\x0b\x77": "ac3",
    b"#!AMR": "amr",
    b"wvpk": "wv",
}
_MPEG_AUDIO = (0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3)
_ADTS = (0xF0, 0xF1, 0xF8, 0xF9)
_UNKNOWN_RIFF = 0xFFFFFFFF
_ID3_HEAD = 10
_SEGMENT = b"\x18\x53\x80\x67"
SUPPORTED = "MP4, Matroska, WebM, MPEG-TS, AVI, FLV, Ogg, MPEG-PS, Windows Media, MXF and DV"


def sniff_container(path: Path, *, allow_audio_only: bool = False) -> str:
    """Return the ffmpeg demuxer to use. Raises MediaError if the container is not supported."""
    if not path.is_file():
        raise MediaError("Missing", f"{path.name}: file not found")
    size = path.stat().st_size
    if size == 0:
        raise MediaError("Empty", f"{path.name}: the file is empty (0 bytes)")
    with path.open("rb") as file:
        head = file.read(4096)
        behind_tag = _behind_tag(file, head)
    demuxer = _container(head)
    if demuxer is None and allow_audio_only:
        demuxer = _audio_container(behind_tag)
    if demuxer is None:
        raise _unsupported(path, head)
    return demuxer


def container_of(head: bytes) -> str | None:
    """Return the ffmpeg demuxer of a video by its first 4096 bytes; None if it is not supported."""
    return _container(head)


def _behind_tag(file: BinaryIO, head: bytes) -> bytes:
    """Return the first bytes after an ID3 tag; those of an MP3 file if they are none known."""
    if not head.startswith(b"ID3") or len(head) < _ID3_HEAD:
        return head
    length = 0
    for byte in head[6:_ID3_HEAD]:
        length = length << 7 | byte & 0x7F
    file.seek(_ID3_HEAD + length)
    content = file.read(4096)
    return content if _audio_container(content) else b"\xff\xfb" + head[2:]


def _container(head: bytes) -> str | None:
    if head[4:8] == b"ftyp" and head[8:12] in _IMAGE_BRANDS:
        return None
    if head[4:8] in _BOXES:
        return "mov"
    if head.startswith(b"RIFF") and head[8:12] == b"AVI ":
        return "avi"
    if _is_ts(head, _TS_PACKET) or _is_ts(head[_M2TS_TIME:], _M2TS_PACKET):
        return "mpegts"
    return _by_magic(head, _CONTAINERS)


def _is_ts(head: bytes, packet: int) -> bool:
    return len(head) > 2 * packet and all(head[i * packet] == 0x47 for i in range(3))


def _audio_container(head: bytes) -> str | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"FORM") and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    if len(head) > 4 and head[0] == 0xFF and head[1] in _MPEG_AUDIO:
        return "mp3"
    if len(head) > 4 and head[0] == 0xFF and head[1] in _ADTS:
        return "aac"
    return _by_magic(head, _AUDIO_FILES)


def _unsupported(path: Path, head: bytes) -> MediaError:
    """Return the error that says what the file is instead of a video."""
    if playlist := _playlist(head):
        rule = "playlists refer to other files and are not supported"
        message = f"{path.name}: {playlist} playlist: {rule}"
        return MediaError("ForbiddenFormat", message)
    if head.startswith(b"ID3") or _audio_container(head):
        message = f"{path.name}: audio file without a video stream; supported as music only"
        return MediaError("NoVideo", message)
    if image := _image(head):
        return MediaError("NotMedia", f"{path.name}: {image} image, not a video")
    return MediaError("NotMedia", f"{path.name}: not a video; supported: {SUPPORTED}")


def _playlist(head: bytes) -> str | None:
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, kind in _PLAYLISTS.items():
        if text[: len(magic)].lower() == magic.lower() or (kind == "DASH" and b"<MPD" in text):
            return kind
    return None


def _image(head: bytes) -> str | None:
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp" and head[8:12] in _IMAGE_BRANDS:
        return _IMAGE_BRANDS[head[8:12]]
    return _by_magic(head, _IMAGES)


def _by_magic(head: bytes, magics: dict[bytes, str]) -> str | None:
    return next((kind for magic, kind in magics.items() if head.startswith(magic)), None)


def check_declared_length(path: Path, container: str) -> None:
    """Raise MediaError (Truncated) if the container's structure reaches past the file's end."""
    size = path.stat().st_size
    with path.open("rb") as file:
        declared = _declared_end(file, container, size)
    if declared is not None and declared > size:
        message = f"{path.name}: {size} bytes, but its {container} structure declares {declared}"
        raise MediaError("Truncated", message)


def _declared_end(file: BinaryIO, container: str, size: int) -> int | None:
    if container == "mov":
        return _boxes_end(file, path_size=size)
    if container == "matroska":
        return _segment_end(file.read(4096))
    if container in ("avi", "wav"):
        head = file.read(8)
        length = int.from_bytes(head[4:8], "little")
        return None if head.startswith(b"RF64") or length == _UNKNOWN_RIFF else 8 + length
    return None


def _boxes_end(file: BinaryIO, *, path_size: int) -> int | None:
    """Return the end of the last top-level box that holds media; None if there is no box."""
    boxes = list(_boxes(file, path_size))
    if boxes and not any(kind in (b"moov", b"moof") for kind, _ in boxes):
        # The index is written last unless the file was made for streaming: it was cut off.
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
    """Return the end of the Matroska segment; None if it was written live without a size."""
    at = head.find(_SEGMENT)
    if at < 0 or at + 5 > len(head):
        return None
    at += 4
    length = 9 - head[at].bit_length()
    value = int.from_bytes(head[at : at + length]) & ((1 << 7 * length) - 1)
    unknown = value == (1 << 7 * length) - 1
    return None if unknown else at + length + value
