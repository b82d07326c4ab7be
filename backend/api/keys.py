"""API keys: known only by their hashes, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from backend.settings import HASHED


class ApiKeys:
    """The keys that open the door; empty where the door is open."""

    def __init__(self, keys: Iterable[str]) -> None:
        self._digests = [
            bytes.fromhex(key.removeprefix(HASHED)) if key.startswith(HASHED) else _digest(key) for key in keys
        ]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def owner(self, key: str) -> str | None:
        """A name for whoever has this key, the same every time and no way back to the key; None if it is not one."""
        given = _digest(key)
        # All are compared, whether or not one fits, so that the time taken tells nothing.
        fitting = [digest for digest in self._digests if hmac.compare_digest(digest, given)]
        return f"key {fitting[0].hex()[:12]}" if fitting else None


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()
