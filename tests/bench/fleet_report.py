"""What a fleet costs, as Markdown, and its targets."""

import dataclasses
from collections.abc import Callable

KIB = 1024
TITLES = {"node": "node_exporter", "inetdiag": "this exporter", "rules": "this exporter, with rules"}


def per_host(field, unit=1.0):
    return lambda figures: figures[field] / figures["hosts"] / unit


def per(field, other, unit=1.0):
    return lambda figures: figures[field] / figures[other] / unit


@dataclasses.dataclass
class Row:
    name: str
    value: Callable  # figures of one server -> number
    limit: float | None = None  # of the ratio to node_exporter
    limit_with_rules: float | None = None


ROWS = [
    Row("series of a page", lambda figures: figures["scrape_samples"], 2.5, 2.5),
    Row("series in the head, per host", per_host("head_series")),
    Row("samples per second and host", per_host("samples")),
    Row("CPU, ms per second and 1,000 hosts", per_host("cpu", 1e-6), 2.5, 8),
    Row("CPU, µs per sample", per("cpu", "samples", 1e-6)),
    Row("resident memory, KiB per host", per_host("resident", KIB), 2.5, 4),
    Row("resident memory, bytes per series in the head", per("resident", "head_series")),
    Row("WAL, bytes per second and host", per_host("wal_bytes"), 2.5, 4),
    Row("blocks, samples: bytes per sample", per("chunk_bytes", "block_samples")),
    Row("blocks, index: bytes per series", per("index_bytes", "head_series")),
    Row("page over the wire, bytes", lambda figures: figures["page_bytes"], 2.5),
    Row("duration of a scrape, ms", lambda figures: figures["scrape_duration"] * 1e3, 3),
]


@dataclasses.dataclass
class Verdict:
    name: str
    value: float | None
    limit: float

    @property
    def is_missed(self):
        return self.value is not None and self.value > self.limit


MAX_QUERY_SECONDS = 1
BLOCKS_PER_DAY = 12  # each with an index, until they are compacted
RULES_INTERVAL = 60  # the default of Prometheus


def _ratio(result, row, server):
    servers = result["figures"]
    if server not in servers or "node" not in servers:
        return None
    return row.value(_with_page(result, server)) / row.value(_with_page(result, "node"))


def _with_page(result, server):
    kind = "node" if server == "node" else "inetdiag"
    return result["figures"][server] | {"page_bytes": result["page_bytes"][kind]}


def verdicts(result):
    found = []
    for row in ROWS:
        for server, limit in (("inetdiag", row.limit), ("rules", row.limit_with_rules)):
            if limit:
                found.append(Verdict(f"{row.name}, {TITLES[server]} / node_exporter", _ratio(result, row, server), limit))
    for query in result["queries"]:
        name = f"{query['dashboard']}: {query['panel']} {query['ref']}, seconds"
        found.append(Verdict(name, query["seconds"], MAX_QUERY_SECONDS))
    return found


def _number(value):
    if value is None:
        return "—"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:,.{digits}f}"


def _table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def _servers(result):
    servers = [name for name in TITLES if name in result["figures"]]
    rows = []
    for row in ROWS:
        values = [_number(row.value(_with_page(result, name))) for name in servers]
        ratios = [_number(_ratio(result, row, name)) for name in servers if name != "node"]
        rows.append([row.name, *values, *ratios])
    head = ["", *(TITLES[name] for name in servers)]
    head += [f"{TITLES[name]} / node_exporter" for name in servers if name != "node"]
    return _table(head, rows)


def _queries(result):
    """The dashboards as loaded by a browser, then the slowest queries."""
    rows = []
    for dashboard, (seconds, without) in result["loading"].items():
        rows.append([f"{dashboard}, all queries", _number(seconds), _number(without), _number(without / seconds)])
    slowest = sorted(result["queries"], key=lambda query: -max(query["seconds"], query["without_rules"]))[:20]
    for query in slowest:
        seconds, without = query["seconds"], query["without_rules"]
        name = f"{query['dashboard']}: {query['panel']} {query['ref']}"
        rows.append([name, _number(seconds), _number(without), _number(without / seconds)])
    return _table(["query, seconds", "with rules", "without", "ratio"], rows)


def _rules(result):
    rows = [[f"`{name}`", _number(seconds * 1e3)] for seconds, name, _ in result["rules"][:12]]
    return _table(["rule", "last evaluation, ms"], rows)


def _reckoning(result):
    """What other fleets cost, from the costs of one host and one sample."""
    figures, with_rules = result["figures"]["inetdiag"], result["figures"]["rules"]
    hosts, evaluation = figures["hosts"], result["evaluation"]
    series, page = with_rules["head_series"] / hosts, figures["scrape_samples"]
    cpu_of_sample = figures["cpu"] / figures["samples"]
    cpu_of_evaluation = (with_rules["cpu"] - figures["cpu"]) / hosts * evaluation
    recorded = (with_rules["samples"] - figures["samples"]) / hosts
    bytes_of_sample = with_rules["chunk_bytes"] / with_rules["block_samples"]
    index = with_rules["index_bytes"] / hosts * BLOCKS_PER_DAY
    rows = []
    for count in (1_000, 10_000):
        for interval in (15, 30, 60):
            samples = count * (page / interval + recorded)
            disk = samples * 86_400 * bytes_of_sample + count * index
            cpu = count * page / interval * cpu_of_sample
            rules = count * cpu_of_evaluation / RULES_INTERVAL
            memory = count * with_rules["resident"] / hosts
            gib = 1024 * KIB * KIB
            cells = [count * series / 1e6, samples / 1e3, memory / gib, disk / gib, cpu, rules]
            rows.append([f"{count:,}", f"{interval} s", *map(_number, cells)])
    head = ["hosts", "interval", "million series", "thousand samples/s", "memory, GiB", "disk, GiB a day"]
    return _table([*head, "CPUs for scrapes", f"CPUs for rules every {RULES_INTERVAL} s"], rows)


def _missed(found):
    missed = [f"- missed: {v.name}: {_number(v.value)}, at most {v.limit:g}" for v in found if v.is_missed]
    missed += [f"- not measured: {v.name}" for v in found if v.value is None]
    return "\n".join(missed or ["All targets are met."]) + "\n"


def markdown(result, found):
    parts = ["# What a fleet costs a Prometheus\n"]
    parts.append("\n".join(f"- {name}: {value}" for name, value in result["facts"].items()) + "\n")
    parts.append(_servers(result))
    parts.append(f"The page server used {result['page_server_cpu']:.1%} of one CPU.\n")
    for name, figures in result["figures"].items():
        if figures["up"] != figures["hosts"]:
            parts.append(f"Note: {TITLES[name]}: {figures['up']:.0f} of {figures['hosts']} hosts are up.\n")
        if figures["rule_evaluation"]:
            text = f"All rules: {_number(figures['rule_evaluation'])} s for one evaluation"
            text += f", the longest group {_number(figures['longest_group'])} s"
            parts.append(f"{text}; {figures['rules_missed']:.0f} evaluations missed.\n")
    if result["queries"]:
        parts += ["## Rules\n", _rules(result), "## Dashboards\n", _queries(result)]
    if {"inetdiag", "rules"} <= result["figures"].keys():
        parts += ["## Other fleets\n", _reckoning(result)]
    parts += ["## Targets\n", _missed(found)]
    return "\n".join(parts)
