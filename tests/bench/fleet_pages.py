"""Pages of simulated hosts: two real pages of an exporter, varied as those of a real host vary.

A series that differs between the two real pages varies in the simulated ones, by about as much: counters grow, gauges
move. The others are constant.
"""

import gzip
import random
import re

SERIES = re.compile(r"(\w+)(\{.*\})? (\S+)")
RESTART_SCRAPES = 40  # a listener of each host restarts on another port
FIRST_RESTART_PORT = 20_000
LEVEL = 1  # of gzip: half the CPU time of the default, and a page larger by a tenth


def parse(page):
    """Returns ({series: value as text}, {family: type})."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.M))
    found = (SERIES.fullmatch(line) for line in page.splitlines() if not line.startswith("#"))
    return {match[1] + (match[2] or ""): match[3] for match in found}, types


def _is_counter(series, types):
    name = series.partition("{")[0]
    family = re.sub("_(bucket|sum|count)$", "", name)
    return types.get(name) == "counter" or (types.get(name) is None and types.get(family) in ("histogram", "summary"))


def _decimals(text):
    return len(text.partition(".")[2]) if "e" not in text else 0


class Template:
    """What the pages of all hosts have in common.

    `first` and `second` are pages of the same program, `seconds` apart. `own` are label values that differ between hosts:
    the name and the address of this one. Port `restarting` is that of a listener that restarts now and then.
    """

    def __init__(self, first, second, seconds, own=(), restarting=None):
        self.own = own
        self.restarting = restarting and f'port="{restarting}"'
        self.lines = second.splitlines()
        self.varying = []  # (index, series, value, change per second, decimals, whether it is a counter)
        before, _ = parse(first)
        values, types = parse(second)
        for index, line in enumerate(self.lines):
            series, _, text = line.rpartition(" ")
            if line.startswith("#") or before.get(series, text) == text:
                continue
            change = (float(text) - float(before[series])) / seconds
            decimals = max(_decimals(text), _decimals(before[series]))
            self.varying.append((index, series + " ", float(text), change, decimals, _is_counter(series, types)))
        self.series = len(values)


class Host:
    """One host: its page at each scrape."""

    def __init__(self, template, number, interval):
        self._random = random.Random(number)
        self._template = template
        self._interval = interval
        self._number = number
        self._scrapes = self._random.randrange(RESTART_SCRAPES)
        self._lines = [self._with_own_values(line) for line in template.lines]
        age = self._random.uniform(0.5, 2)
        self._varying = [
            [index, self._with_own_values(series), value * age, change, decimals, is_counter]
            for index, series, value, change, decimals, is_counter in template.varying
        ]
        self._restarting = [
            (index, line)
            for index, line in enumerate(self._lines)
            if template.restarting and template.restarting in line
        ]

    def _with_own_values(self, text):
        """Returns a line with the label values of this host."""
        high, low = divmod(self._number, 250)
        for own in self._template.own:
            value = f"10.1.{high}.{low}" if re.fullmatch(r"[\d.]+", own) else f"host-{self._number}"
            text = text.replace(f'"{own}"', f'"{value}"')
        return text

    def page(self):
        """Returns the next page."""
        lines, uniform = self._lines, self._random.uniform
        for each in self._varying:
            index, series, value, change, decimals, is_counter = each
            if is_counter:
                each[2] = value = value + abs(change) * self._interval * uniform(0.5, 1.5)
                lines[index] = f"{series}{value:.{decimals}f}"
            else:
                lines[index] = f"{series}{max(0, value + change * self._interval * uniform(-1, 1)):.{decimals}f}"
        self._restart()
        return ("\n".join(lines) + "\n").encode()

    def _restart(self):
        self._scrapes += 1
        port = FIRST_RESTART_PORT + self._scrapes // RESTART_SCRAPES
        changing = {index for index, *_ in self._varying}
        for index, line in self._restarting:
            current = self._lines[index] if index in changing else line
            self._lines[index] = current.replace(self._template.restarting, f'port="{port}"')

    def compressed(self):
        return gzip.compress(self.page(), LEVEL)
