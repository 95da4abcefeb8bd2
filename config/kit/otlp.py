"""Errors as OTLP wants them: a google.rpc.Status in the encoding of the request."""

from __future__ import annotations

import json

PROTOBUF, JSON = "application/x-protobuf", "application/json"
# By status of HTTP; codes of gRPC.
_CODES = {
    400: 3,  # INVALID_ARGUMENT
    401: 16,  # UNAUTHENTICATED
    403: 7,  # PERMISSION_DENIED
    404: 5,  # NOT_FOUND
    405: 12,  # UNIMPLEMENTED
    408: 4,  # DEADLINE_EXCEEDED
    413: 8,  # RESOURCE_EXHAUSTED
    415: 3,
    429: 8,
    503: 14,  # UNAVAILABLE
}
_INTERNAL = 13


def encoding_of(content_type: str) -> str:
    """The media type of a request, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def error_body(status: int, sentence: str, *, encoding: str) -> tuple[bytes, str]:
    """The body of an error, and its content type: protobuf for who sent that, else JSON."""
    code = _CODES.get(status, _INTERNAL)
    if encoding != PROTOBUF:
        return json.dumps(
            {"code": code, "message": sentence}, ensure_ascii=False
        ).encode(), JSON
    text = sentence.encode()
    # field 1: the code, a number; field 2: the message, with its length before it
    return b"\x08" + _number(code) + b"\x12" + _number(len(text)) + text, PROTOBUF


def _number(value: int) -> bytes:
    """As protobuf writes one: seven bits a byte, the lowest first."""
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*written, value])
