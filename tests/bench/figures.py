"""Statistics of the samples of one size: medians over rounds, and ratios within a round."""

import statistics

MIB = 1024 * 1024


def _median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


class Figures:
    """The figures of one size; None if not measured."""

    def __init__(self, row):
        self.row = row
        self.sockets = row["sockets"]
        self.is_mixed = row["time_wait"] > 0
        # Whether the CPU budget of the default instance skipped some full dumps.
        self.skips_dumps = any(sample["age"] for sample in self._samples("default"))

    @property
    def title(self):
        share = f" ({self.row['time_wait'] / self.sockets:.0%} TIME_WAIT)" if self.is_mixed else ""
        return f"{self.sockets:,}{share}"

    def scrapes(self, subject):
        """Returns the number of samples in the figures."""
        return len(self._counted(self._samples(subject), subject))

    def median(self, subject, field):
        """Returns the seconds of one scrape or loop."""
        return _median(self._round_mean(subject, field, i) for i in range(self._rounds()))

    def ratio(self, subject, other, field="cpu"):
        ratios = []
        for i in range(self._rounds()):
            numerator = self._round_mean(subject, field, i)
            denominator = self._round_mean(other, field, i)
            if numerator is not None and denominator:
                ratios.append(numerator / denominator)
        return _median(ratios)

    def share(self, subject, field):
        """Returns the fraction of CPU time in `user` or `system`. It is from timer ticks, so over all rounds."""
        counted = self._counted(self._samples(subject), subject)
        ticks = sum(sample["user"] + sample["system"] for sample in counted)
        return sum(sample[field] for sample in counted) / ticks if ticks else None

    def split(self, subject, field):
        cpu, share = self.median(subject, "cpu"), self.share(subject, field)
        return None if cpu is None or share is None else cpu * share

    def memory(self, subject, field):
        memory = self.row["memory"].get(subject)
        return memory[field] / MIB if memory else None

    def mean(self, subject, field):
        """Returns the mean of all scrapes, including those with a full dump."""
        values = [s[field] for s in self._samples(subject) if s[field] is not None]
        return statistics.fmean(values) if values else None

    def dumps(self, subject):
        """Returns (scrapes with a full dump, all scrapes), or None if the exporter has no metric for it."""
        ages = [sample["age"] for sample in self._samples(subject)]
        if not ages or None in ages:
            return None
        return ages.count(0), len(ages)

    def _rounds(self):
        return len(self.row["rounds"])

    def _samples(self, subject):
        return [sample for samples in self.row["rounds"] for sample in samples.get(subject, [])]

    def _counted(self, samples, subject):
        if subject in ("default", "namespaces") and self.skips_dumps:
            return [sample for sample in samples if sample["age"]]
        if subject in ("full", "info"):
            return [sample for sample in samples if not sample["age"]]
        return samples

    def _round_mean(self, subject, field, i):
        counted = self._counted(self.row["rounds"][i].get(subject, []), subject)
        return statistics.fmean(sample[field] for sample in counted) if counted else None
