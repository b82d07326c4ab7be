"""A stretch of a file as a file of its own, so that what lies inside a larger one is read without a copy beside it."""

from __future__ import annotations

import io
import os
from typing import BinaryIO


class FileWindow(io.RawIOBase):
    """Bytes ``start`` … ``start + length`` of an open file; whoever opened the file closes it."""

    def __init__(self, file: BinaryIO, start: int, length: int) -> None:
        self._file, self._start, self._length = file, start, length
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._length}[whence]
        self._place = max(0, origin + offset)
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = max(0, min(len(buffer), self._length - self._place))
        self._file.seek(self._start + self._place)
        count = self._file.readinto(memoryview(buffer)[:wanted])  # type: ignore[attr-defined]
        self._place += count
        return int(count)
