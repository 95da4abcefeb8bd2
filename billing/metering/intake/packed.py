"""Bodies that are packed with gzip, unpacked within bounds."""

from __future__ import annotations

import zlib

GZIP = 31  # zlib's word for a gzip header and the largest window


class Undecodable(ValueError):
    """A body that is not what it says it is; the text says why."""


class TooMuch(ValueError):
    """A body that would be far more once it is decoded; the text says what to do."""


class UnpackedTooLong(ValueError):
    """A body that unpacks to more than is read."""


def unpacked(body: bytes, *, most: int) -> bytes:
    """What a gzip body holds, up to `most` bytes. Raises Undecodable, UnpackedTooLong.

    One member alone: each further one would be copied with all that come behind it.
    """
    reader = zlib.decompressobj(GZIP)
    try:
        plain = reader.decompress(body, most + 1)
    except zlib.error:
        raise Undecodable(
            "The body is not gzip, as its Content-Encoding says."
        ) from None
    if len(plain) > most:
        raise UnpackedTooLong
    if not reader.eof or reader.unused_data:
        raise Undecodable("The body is not one whole gzip member.")
    return plain
