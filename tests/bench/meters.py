"""Processor time and memory of processes with all their children, gone ones included."""

from collections.abc import Mapping
from dataclasses import dataclass

import psutil

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Meter:
    """Which processes are looked at, by what they are called in the report."""

    roots: Mapping[str, int]

    def read(self) -> dict[str, float]:
        """Return the processor seconds that each has used so far."""
        return {name: _seconds(pid) for name, pid in self.roots.items()}


def spent(before: Mapping[str, float], after: Mapping[str, float], *, units: int) -> dict[str, float]:
    """Return microseconds of each for one unit of work."""
    return {name: (after[name] - before[name]) * MICROSECONDS / units for name in after}


def proportional_mib(pid: int) -> float:
    """Return a process's memory (PSS: what it shares counts by halves, thirds …) in MiB."""
    return float(psutil.Process(pid).memory_full_info().pss) / 2**20


def _seconds(pid: int) -> float:
    """Add up a process and its descendants; a child that is gone has left its times to its parent."""
    root = psutil.Process(pid)
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def tree_mib(pid: int) -> float:
    """Return the memory (PSS) of a process and its descendants in MiB; 0 once it is gone."""
    total = 0.0
    try:
        root = psutil.Process(pid)
        processes = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    for process in processes:
        try:
            total += proportional_mib(process.pid)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return total
