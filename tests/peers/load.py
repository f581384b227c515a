"""What other programs did meanwhile: timings of shared machines mean little without it."""
import os
import resource
import time


def n_busy_seconds():
    """CPU seconds of all programs, and what the host took from us."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


class Load:
    """From when it is made: how many cores programs kept busy that this process did not start."""

    def __init__(self):
        self.start = self.now()

    @staticmethod
    def now():
        used = [resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)]
        return time.monotonic(), n_busy_seconds() - sum(u.ru_utime + u.ru_stime for u in used)

    def cores(self):
        seconds, others = (after - before for after, before in zip(self.now(), self.start))
        return max(0.0, others / max(seconds, 0.01))
