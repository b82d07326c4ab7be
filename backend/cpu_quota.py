"""How many processors this process may use where a container gives it less time than they have."""

from __future__ import annotations

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def cpu_quota(cgroup: Path = _CGROUP) -> int | None:
    """Whole processors of the control group's quota; None without one, or with no fewer processors than it.

    More threads than that are all stopped together for a part of each tenth of a second.
    """
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((cgroup / file).read_text() for file in files).split()
        except (OSError, ValueError):
            continue
        # "max" and -1 mean without a quota.
        whole = max(1, math.ceil(int(quota) / int(period))) if quota.isdecimal() else None
        return whole if whole and whole < _processors() else None
    return None


def _processors() -> int:
    """Those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
