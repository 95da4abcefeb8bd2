"""Uploads: nobody takes files here, so none is written anywhere."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import BadRequest
from django.core.files.uploadhandler import FileUploadHandler


class NoUploads(FileUploadHandler):
    """Refuses a form at its first file."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Raises BadRequest, which is answered 400."""
        raise BadRequest("Files are not taken here.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Nothing of a file arrives here."""

    def file_complete(self, file_size: int) -> None:
        """No file comes of it."""
