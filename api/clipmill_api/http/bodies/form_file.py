"""The file of a form (multipart/form-data), received chunk by chunk into a temporary file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from clipmill_api.http.bodies.body_chunks import body_chunks
from clipmill_api.http.problem_details import ApiProblem
from clipmill_api.media.disk_space import DiskSpace

FILE = "file"
MAX_FIELD_BYTES = 1000
MAX_PARTS = 20
MAX_HEADER_BYTES = 4096


@dataclass(frozen=True, slots=True)
class FormFile:
    """A received file with its name, and the other fields of its form."""

    filename: str
    size_bytes: int
    sha256: str
    fields: Mapping[str, str]


class _FormReader:
    """Callbacks of the parser: one part is the file, others are short texts."""

    def __init__(self, out: BinaryIO, disk: DiskSpace, limit_bytes: int) -> None:
        self._out, self._disk, self._limit_bytes = out, disk, limit_bytes
        self._hash = hashlib.sha256()
        self._header = [b"", b""]
        self._disposition: dict[bytes, bytes] = {}
        self._name = ""
        self._parts = 0
        self._size = 0
        self._filename = ""
        self._fields: dict[str, bytes] = {}

    def callbacks(self) -> dict[str, object]:
        """Return the callbacks by the parser's names."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": lambda data, start, end: self._add_header(0, data[start:end]),
            "on_header_value": lambda data, start, end: self._add_header(1, data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": lambda data, start, end: self._add_data(data[start:end]),
        }

    def received(self) -> FormFile:
        """Return what was received. Raises 422 if the form has no file."""
        if not self._filename:
            raise _invalid(FILE, "required, a part with a file name")
        fields = {name: value.decode(errors="replace") for name, value in self._fields.items()}
        return FormFile(self._filename, self._size, self._hash.hexdigest(), fields)

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise _invalid("body", f"at most {MAX_PARTS} parts are allowed")
        self._disposition = {}

    def _add_header(self, place: int, data: bytes) -> None:
        self._header[place] += data
        if len(self._header[place]) > MAX_HEADER_BYTES:
            raise _invalid("body", f"the header of a part exceeds {MAX_HEADER_BYTES} bytes")

    def _end_header(self) -> None:
        name, value = self._header
        if name.lower() == b"content-disposition":
            _, self._disposition = parse_options_header(value)
        self._header = [b"", b""]

    def _end_headers(self) -> None:
        self._name = self._disposition.get(b"name", b"").decode(errors="replace")
        if self._name == FILE:
            if self._filename:
                raise _invalid(FILE, "one file is allowed; send a form for each")
            name = self._disposition.get(b"filename", b"").decode(errors="replace")
            self._filename = name.replace("\\", "/").rsplit("/", 1)[-1]

    def _add_data(self, data: bytes) -> None:
        if self._name == FILE and self._filename:
            self._add_file_data(data)
            return
        value = self._fields.get(self._name, b"") + data
        if len(value) > MAX_FIELD_BYTES:
            raise _invalid(self._name[:80], f"at most {MAX_FIELD_BYTES} bytes are allowed")
        self._fields[self._name] = value

    def _add_file_data(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit_bytes:
            detail = f"file: exceeds the limit of {self._limit_bytes} bytes"
            raise ApiProblem(413, "TooLarge", detail, limitBytes=self._limit_bytes)
        self._disk.require(len(data))
        self._hash.update(data)
        self._out.write(data)


async def receive_form(
    request: Request, path: Path, disk: DiskSpace, *, limit_bytes: int
) -> FormFile:
    """Write the file of a form to a path, and return what the form says of it.

    Raises:
        ApiProblem: 400 if the connection is lost, 413 or 507 if the file does not fit, 422 if the
            body is no form with one file.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise _invalid("Content-Type", "must be multipart/form-data with a boundary")
    with path.open("wb") as out:
        reader = _FormReader(out, disk, limit_bytes)
        parser = MultipartParser(options[b"boundary"], reader.callbacks())  # type: ignore[arg-type]
        try:
            async for chunk in body_chunks(request):
                await run_in_threadpool(parser.write, chunk)
            parser.finalize()
        except FormParserError as error:
            raise _invalid("body", f"not valid multipart/form-data: {error}") from None
        except (ClientDisconnect, TimeoutError):
            detail = "the connection was lost before the end of the body"
            raise ApiProblem(400, "Disconnected", detail) from None
    return reader.received()


def _invalid(field: str, rule: str) -> ApiProblem:
    return ApiProblem(422, "Invalid", f"{field}: {rule}", field=field)
