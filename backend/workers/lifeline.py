"""Ends a worker whose dispatcher is gone, however it went: the dispatcher holds the other end of the worker's stdin."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time

logger = logging.getLogger(__name__)

_GRACE_SECONDS = 5.0


def hold_lifeline() -> None:
    """Watch standard input from now on; when it closes, stop in order, and by force if that takes too long."""
    threading.Thread(target=_watch, name="lifeline", daemon=True).start()


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    logger.warning("the dispatcher is gone; this worker ends too")
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)
