"""How a worker ends without being asked: when its dispatcher is gone, or when it can be of no more use.

The dispatcher holds the other end of the worker's standard input, which closes however the dispatcher goes.
"""

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


def end_process() -> None:
    """Begin to stop this process in order, and by force if that takes too long; returns at once."""
    threading.Thread(target=_end, name="end", daemon=True).start()


def _watch() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    logger.warning("the dispatcher is gone; this worker ends too")
    _end()


def _end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_GRACE_SECONDS)
    os._exit(1)
