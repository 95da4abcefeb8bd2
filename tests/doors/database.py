"""A door to PostgreSQL that can fall silent, as a machine that stands still, or close."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


class Door:
    """Passes bytes between whoever connects and the database."""

    def __init__(self, host: str, port: int) -> None:
        self.there = (host, port)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.is_open = threading.Event()
        self.is_open.set()
        self.sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Nobody listens here any more, and whoever was connected is cut off."""
        self.is_open.set()
        if self.listening.fileno() == -1:
            return
        # Without this the thread in `accept` would keep the port.
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.cut()

    def cut(self) -> None:
        """End all connections, as a restart does."""
        for one in self.sockets:
            one.close()
        self.sockets.clear()

    def _accept(self) -> None:
        while True:
            try:
                here, _address = self.listening.accept()
            except OSError:
                return
            there = socket.create_connection(self.there)
            self.sockets += [here, there]
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self._pass, args=pair, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        try:
            while piece := source.recv(65_536):
                self.is_open.wait()
                target.sendall(piece)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


@contextmanager
def through_a_door() -> Iterator[Door]:
    """This thread's connection goes through a door."""
    place = connection.settings_dict
    before = place["HOST"], place["PORT"]
    door = Door(before[0] or "127.0.0.1", int(before[1] or 5432))
    connection.close()
    place["HOST"], place["PORT"] = "127.0.0.1", door.port
    try:
        yield door
    finally:
        connection.close()
        place["HOST"], place["PORT"] = before
        door.close()
