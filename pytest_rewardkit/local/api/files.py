"""`/files`: whole files in and out of a sandbox, by token or by signed URL."""

from __future__ import annotations

import os
import posixpath
import re
import zlib
from typing import TYPE_CHECKING, Any

import aiohttp
from aiohttp import web

from pytest_rewardkit.local.api.errors import ApiError, json_response, traffic_error
from pytest_rewardkit.local.api.paths import resolve
from pytest_rewardkit.local.api.signature import check_expiration, matches, sign
from pytest_rewardkit.local.errors import Code, GuestError, LocalError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from pytest_rewardkit.local.server.sandbox import Sandbox
    from pytest_rewardkit.local.wire.answers import Entry

CHUNK_BYTES = 256 * 2**10
MAX_PARTS = 1000
_GZIP = 16 + zlib.MAX_WBITS
METADATA_PREFIX = "X-Metadata-"

_FILENAME = re.compile(r'filename="((?:[^"\\]|\\.)*)"')
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def answer(request: web.BaseRequest, sandbox: Sandbox) -> web.StreamResponse:
    """Answers a download or an upload.

    Raises:
        ApiError: the answer is this error.
    """
    _authorize(request, sandbox)
    if request.query.get("username", "") not in ("", "user"):
        raise ApiError(401, f"unknown user '{request.query['username']}': a local sandbox has one user, 'user'")
    try:
        if request.method == "POST":
            return await _upload(request, sandbox)
        return await _download(request, sandbox)
    except ApiError:
        raise
    except LocalError as error:
        raise traffic_error(error, sandbox.id) from error


async def _upload(request: web.BaseRequest, sandbox: Sandbox) -> web.Response:
    # This limits an upload if the sandbox's files are not on a file system of their own.
    writer = _Upload(sandbox, sandbox.limits.disk_mb * 2**20, _metadata(request))
    path = request.query.get("path")
    if request.content_type == "application/octet-stream":
        if not path:
            raise ApiError(400, "path is required")
        await writer.write(path, _content(request))
    elif request.content_type == "multipart/form-data":
        await _write_parts(request, path, writer)
    else:
        raise ApiError(400, f"unsupported content type '{request.content_type}'")
    return json_response(writer.written)


class _Upload:
    """Writes the files of one upload."""

    def __init__(self, sandbox: Sandbox, limit: int, metadata: dict[str, str]) -> None:
        self.written: list[dict[str, Any]] = []
        self._sandbox = sandbox
        self._left = limit
        self._metadata = metadata
        self._paths: set[str] = set()

    async def write(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        absolute = resolve(path)
        if absolute in self._paths:
            raise ApiError(400, f"two files of one upload have the path '{absolute}'")
        self._paths.add(absolute)
        descriptor, entry = await self._sandbox.guest.files.open_file(absolute, "w", self._metadata)
        try:
            async for chunk in chunks:
                self._write_chunk(descriptor, chunk)
        finally:
            os.close(descriptor)
        self.written.append(_write_info(entry, self._metadata))

    def _write_chunk(self, descriptor: int, chunk: bytes) -> None:
        self._left -= len(chunk)
        if self._left < 0:
            raise ApiError(507, "not enough disk space: the upload is larger than the sandbox's disk")
        view = memoryview(chunk)
        try:
            while view:
                view = view[os.write(descriptor, view) :]
        except OSError as error:
            raise ApiError(507, f"not enough disk space: {error.strerror}") from error


async def _content(request: web.BaseRequest) -> AsyncIterator[bytes]:
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise ApiError(400, f"unsupported content encoding '{encoding}'")
    decompressor = zlib.decompressobj(wbits=_GZIP) if encoding == "gzip" else None
    async for chunk in request.content.iter_any():
        if decompressor is None:
            yield chunk
            continue
        # A little data can decompress to a lot, so it is taken in pieces.
        while chunk:
            try:
                yield decompressor.decompress(chunk, CHUNK_BYTES)
            except zlib.error as error:
                raise ApiError(400, f"the body is no gzip: {error}") from error
            chunk = decompressor.unconsumed_tail
    if decompressor is not None:
        yield decompressor.flush()
        if not decompressor.eof:
            raise ApiError(400, "the gzip body is cut off")


async def _write_parts(request: web.BaseRequest, path: str | None, writer: _Upload) -> None:
    try:
        async for part in await request.multipart():
            if not isinstance(part, aiohttp.BodyPartReader):
                raise ApiError(400, "a part cannot be multipart itself")
            if part.name != "file":
                continue
            if len(writer.written) >= MAX_PARTS:
                raise ApiError(400, f"more than {MAX_PARTS} files in one upload")
            await writer.write(path or _filename(part), _chunks(part))
    except (ValueError, aiohttp.ClientPayloadError) as error:
        raise ApiError(400, f"the body is not multipart: {error}") from error
    if not writer.written:
        raise ApiError(400, "the upload has no part named 'file'")


async def _chunks(part: aiohttp.BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK_BYTES):
        yield chunk


def _filename(part: aiohttp.BodyPartReader) -> str:
    # The library strips leading slashes, but here they are part of the path.
    match = _FILENAME.search(part.headers.get("Content-Disposition", ""))
    if match is None or not match[1]:
        raise ApiError(400, "path is required: the query has none and the part has no filename")
    return re.sub(r"\\(.)", r"\1", match[1])


async def _download(request: web.BaseRequest, sandbox: Sandbox) -> web.StreamResponse:
    path = resolve(request.query.get("path", ""))
    try:
        descriptor, _ = await sandbox.guest.files.open_file(path, "r")
    except GuestError as error:
        if error.code == Code.NOT_FOUND:
            raise ApiError(404, f"path '{path}' does not exist") from error
        raise
    try:
        size = os.fstat(descriptor).st_size
        span = _range(request, size)
        response = web.StreamResponse(status=206 if span is not None else 200)
        start, end = span or (0, size)
        response.content_type = "application/octet-stream"
        response.content_length = end - start
        response.headers["Accept-Ranges"] = "bytes"
        response.headers["Vary"] = "Accept-Encoding"
        if span is not None:
            response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
        await response.prepare(request)
        if request.method != "HEAD":
            await _send(request, response, descriptor, start, end)
        return response
    finally:
        os.close(descriptor)


async def _send(request: web.BaseRequest, response: web.StreamResponse, descriptor: int, start: int, end: int) -> None:
    while start < end:
        chunk = os.pread(descriptor, min(CHUNK_BYTES, end - start), start)
        if not chunk:
            # The file has become shorter than announced. Only a cut connection can show that now.
            if request.transport is not None:
                request.transport.abort()
            return
        await response.write(chunk)
        start += len(chunk)
    await response.write_eof()


def _range(request: web.BaseRequest, size: int) -> tuple[int, int] | None:
    """The first requested byte and the one after the last; None for the whole file."""
    header = request.headers.get("Range")
    match = _RANGE.fullmatch(header) if header else None
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return max(size - int(match[2]), 0), size
    start = int(match[1])
    end = min(int(match[2]) + 1, size) if match[2] else size
    if start >= size or end <= start:
        raise ApiError(416, f"the file has {size} bytes")
    return start, end


def signed_sandbox(request: web.BaseRequest, sandboxes: Iterable[Sandbox]) -> Sandbox:
    """The sandbox whose token made the signature of a URL that names no sandbox.

    Raises:
        ApiError: there is no such sandbox (401), or the request is not signed (400).
    """
    if request.path != "/files":
        raise ApiError(400, "the request names no sandbox: its header E2b-Sandbox-Id is missing")
    signature = request.query.get("signature")
    if signature is None:
        raise ApiError(401, "missing signature query parameter")
    for sandbox in sandboxes:
        if matches(signature, _expected_signature(request, sandbox)):
            return sandbox
    raise ApiError(401, "invalid signature")


def _authorize(request: web.BaseRequest, sandbox: Sandbox) -> None:
    token = request.headers.get("X-Access-Token")
    if token is not None:
        if not matches(token, sandbox.token):
            raise ApiError(401, "access token present in header but does not match")
        return
    signature = request.query.get("signature")
    if signature is None:
        raise ApiError(401, "missing signature query parameter")
    if not matches(signature, _expected_signature(request, sandbox)):
        raise ApiError(401, "invalid signature")
    check_expiration(request.query.get("signature_expiration"))


def _expected_signature(request: web.BaseRequest, sandbox: Sandbox) -> str:
    query = request.query
    operation = "write" if request.method == "POST" else "read"
    expiration = query.get("signature_expiration")
    return sign(query.get("path", ""), operation, query.get("username", ""), sandbox.token, expiration)


def _metadata(request: web.BaseRequest) -> dict[str, str]:
    return {
        name[len(METADATA_PREFIX) :].lower(): value
        for name, value in request.headers.items()
        if name.lower().startswith(METADATA_PREFIX.lower())
    }


def _write_info(entry: Entry, metadata: dict[str, str]) -> dict[str, Any]:
    path = entry["path"]
    info = {"path": path, "name": posixpath.basename(path), "type": "file"}
    return {**info, "metadata": metadata} if metadata else info
