"""What the samples of one size come to: medians over rounds, and ratios within a round."""

import statistics

MIB = 1024 * 1024


def _median(values):
    values = [value for value in values if value is not None]
    return statistics.median(values) if values else None


class Figures:
    """The figures of one size. None stands for what was not measured."""

    def __init__(self, row):
        self.row = row
        self.sockets = row["sockets"]
        self.is_mixed = row["time_wait"] > 0
        # Whether the budget of the default instance spared it some full dumps.
        self.spares_dumps = any(sample["age"] for sample in self._samples("default"))

    @property
    def title(self):
        share = f" ({self.row['time_wait'] / self.sockets:.0%} TIME_WAIT)" if self.is_mixed else ""
        return f"{self.sockets:,}{share}"

    def scrapes(self, subject):
        """How many count."""
        return len(self._counted(self._samples(subject), subject))

    def median(self, subject, field):
        """Seconds for one scrape or loop."""
        return _median(self._of_round(subject, field, i) for i in range(self._rounds()))

    def ratio(self, subject, other, field="cpu"):
        ratios = []
        for i in range(self._rounds()):
            above = self._of_round(subject, field, i)
            below = self._of_round(other, field, i)
            if above is not None and below:
                ratios.append(above / below)
        return _median(ratios)

    def share(self, subject, field):
        """Of the CPU time, what is `user` or `system`; from timer ticks, so over all rounds."""
        counted = self._counted(self._samples(subject), subject)
        ticks = sum(sample["user"] + sample["system"] for sample in counted)
        return sum(sample[field] for sample in counted) / ticks if ticks else None

    def part(self, subject, field):
        cpu, share = self.median(subject, "cpu"), self.share(subject, field)
        return None if cpu is None or share is None else cpu * share

    def memory(self, subject, field):
        found = self.row["memory"].get(subject)
        return found[field] / MIB if found else None

    def mean_of_all(self, subject, field):
        """Over every scrape, those with a full dump among them."""
        found = [s[field] for s in self._samples(subject) if s[field] is not None]
        return statistics.fmean(found) if found else None

    def dumps(self, subject):
        """How many scrapes had a full dump, and of how many; None where the page does not tell."""
        ages = [sample["age"] for sample in self._samples(subject)]
        if not ages or None in ages:
            return None
        return ages.count(0), len(ages)

    def _rounds(self):
        return len(self.row["rounds"])

    def _samples(self, subject):
        return [sample for found in self.row["rounds"] for sample in found.get(subject, [])]

    def _counted(self, samples, subject):
        if subject in ("default", "namespaces") and self.spares_dumps:
            return [sample for sample in samples if sample["age"]]
        if subject == "full":
            return [sample for sample in samples if not sample["age"]]
        return samples

    def _of_round(self, subject, field, i):
        counted = self._counted(self.row["rounds"][i].get(subject, []), subject)
        return statistics.fmean(sample[field] for sample in counted) if counted else None
