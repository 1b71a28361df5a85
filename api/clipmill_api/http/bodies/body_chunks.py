"""The chunks of a request's body, as long as bytes arrive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request

# A connection on which nothing arrives for so long is lost, even if nobody has closed it.
STALLED_S = 60


async def body_chunks(request: Request, *, skip: int = 0) -> AsyncIterator[bytes]:
    """Yield a request's body without its first `skip` bytes. Raise TimeoutError if it stalls."""
    chunks = request.stream()
    while True:
        async with asyncio.timeout(STALLED_S):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        yield chunk[skip:]
        skip = max(0, skip - len(chunk))
