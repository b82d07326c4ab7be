"""How many processors this process may use where a container gives it fewer than the machine has."""

from __future__ import annotations

import math
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def cpu_quota(cgroup: Path = _CGROUP) -> int | None:
    """Whole processors of the control group's quota, or None without one.

    More threads than that are all stopped together for a part of each tenth of a second.
    """
    for files in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((cgroup / file).read_text() for file in files).split()
        except (OSError, ValueError):
            continue
        # "max" and -1 mean without a quota.
        return max(1, math.ceil(int(quota) / int(period))) if quota.isdecimal() else None
    return None
