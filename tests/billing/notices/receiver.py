"""A receiver of webhooks on loopback that answers as it is told, also wrongly."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Taken:
    """What was posted."""

    path: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[socket.socket, "Receiver"], None]


def answers(status: int, text: str = "ok", *headers: str) -> Answer:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(text)}", *headers]
    whole = "\r\n".join([*lines, "Connection: close", "", text]).encode()

    def answer(peer: socket.socket, receiver: Receiver) -> None:
        peer.sendall(whole)

    return answer


def drips(beginning: bytes, drop: bytes, *, every: float = 0.05) -> Answer:
    """A beginning, then a little at a time for as long as somebody listens."""

    def answer(peer: socket.socket, receiver: Receiver) -> None:
        peer.sendall(beginning)
        while not receiver.is_over.wait(every):
            peer.sendall(drop)

    return answer


def floods(megabytes: int) -> Answer:
    """An answer of many megabytes; how many bytes were taken is `sent`."""
    block = b"x" * 65_536

    def answer(peer: socket.socket, receiver: Receiver) -> None:
        length = megabytes * 1_048_576
        peer.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n".encode())
        while receiver.sent < length:
            peer.sendall(block)
            receiver.sent += len(block)

    return answer


def hangs_up(peer: socket.socket, receiver: Receiver) -> None:
    """Closes without a word."""


@dataclass
class Receiver:
    """What it took, and how it answers the next ones."""

    answer: Answer = field(default_factory=lambda: answers(200))
    taken: list[Taken] = field(default_factory=list)
    sent: int = 0
    is_over: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hooks/usage?token=k9Xy"

    def serve(self, peer: socket.socket) -> None:
        """One connection."""
        with peer:
            peer.settimeout(20)
            try:
                self.taken.append(_read(peer))
                self.answer(peer, self)
            except OSError:
                pass


def _read(peer: socket.socket) -> Taken:
    text = b""
    while b"\r\n\r\n" not in text:
        got = peer.recv(65_536)
        if not got:
            raise ConnectionError
        text += got
    head, _, body = text.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    length = int({k.lower(): v for k, v in headers.items()}["content-length"])
    while len(body) < length:
        body += peer.recv(65_536)
    return Taken(first.split(" ")[1], headers, body)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    with socket.create_server(("127.0.0.1", 0)) as server:
        receiver.port = server.getsockname()[1]
        thread = threading.Thread(target=_accept, args=(server, receiver), daemon=True)
        thread.start()
        yield receiver
        receiver.is_over.set()
        server.shutdown(socket.SHUT_RDWR)
    time.sleep(0)


def _accept(server: socket.socket, receiver: Receiver) -> None:
    while True:
        try:
            peer, _address = server.accept()
        except OSError:
            return
        threading.Thread(target=receiver.serve, args=(peer,), daemon=True).start()
