"""A model of cost fitted to measured times: time = sum of rates × amounts of work, no rate below zero."""
import itertools
import math

import numpy as np


class Fit:
    """`work`: a row for each time, with the amount of each kind of work (1 for what every run costs). The sum of squares of
    relative errors is the least that there is."""

    def __init__(self, work, seconds):
        work, seconds = np.array(work, float), np.array(seconds, float)
        if work.ndim != 2 or len(work) != len(seconds) or not len(seconds):
            raise ValueError(f"{work.shape} amounts of work for {seconds.shape} times")
        if not (np.isfinite(work).all() and (work >= 0).all() and np.isfinite(seconds).all() and (seconds > 0).all()):
            raise ValueError("times are above zero, work is not below it, and both are finite")
        self.rates = self._least(work / seconds[:, None])
        self.ideal = work @ self.rates
        self.ratios = seconds / self.ideal

    @staticmethod
    def _least(relative):
        """The best of all choices of kinds that get a rate: there are few."""
        n, best = relative.shape[1], (math.inf, None)
        for kinds in itertools.chain.from_iterable(itertools.combinations(range(n), k) for k in range(1, n + 1)):
            columns = relative[:, kinds]
            scale = np.abs(columns).max(axis=0)
            if not scale.all():
                continue
            rates = np.linalg.lstsq(columns / scale, np.ones(len(relative)), rcond=None)[0] / scale
            error = ((columns @ rates - 1) ** 2).sum()
            if (rates >= 0).all() and error < best[0] - 1e-12:
                whole = np.zeros(n)
                whole[list(kinds)] = rates
                best = error, whole
        if best[1] is None:
            raise ValueError("no work explains the times")
        return best[1]

    def worst(self):
        """The largest ratio of a time to the ideal one, and where."""
        at = int(np.argmax(self.ratios))
        return float(self.ratios[at]), at
