"""Why something that is asked of the jobs is not done, though nothing is wrong with how it was asked.

Refusal
├── NotAsItIs          the job's state does not allow it
├── KeyReused          the same Idempotency-Key with another request
├── QueueFull          too many jobs wait; says when to ask again
└── NoRoom             another song might not fit on the disk, or its folder cannot be reached
"""

from __future__ import annotations

from core.errors import KhalaError


class Refusal(KhalaError):
    """Something is not done for a reason the message gives."""


class NotAsItIs(Refusal):
    """The job's state does not allow it."""


class KeyReused(Refusal):
    """The same Idempotency-Key came with another request."""


class QueueFull(Refusal):
    """Too many jobs wait."""

    retry_after_seconds = 60


class NoRoom(Refusal):
    """Another song might not fit on the disk, or its folder cannot be reached."""
