"""Formats the figures as Markdown."""

import targets

SUBJECTS = {
    "default": "exporter, default flags",
    "full": "exporter, full dump in every scrape",
    "info": "exporter, full dump with struct tcp_info in every scrape",
    "namespaces": "exporter, with other network namespaces",
    "three": "exporter, three collectors",
    "node": "node_exporter, three collectors",
    "start": "exporter, from exec to the first answered scrape",
    "sockets": "exporter, `sockets`",
    "top": "exporter, `sockets --top=peer`",
    "ss": "ss -Htan",
    "dump": "bare full dump",
    "partial": "bare partial dump",
}


def _number(value):
    """Formats a number with three significant digits."""
    if value is None:
        return "—"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}"


def _ms(seconds):
    return _number(None if seconds is None else seconds * 1e3)


def _table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _costs(figures):
    head = ["", "scrapes", "wall ms", "CPU ms", "user ms", "system ms"]
    head += ["resident MiB", "peak MiB", "page KiB"]
    rows = []
    for subject, title in SUBJECTS.items():
        if subject not in figures.row["subjects"]:
            continue
        row = [title, str(figures.scrapes(subject))]
        row += [_ms(figures.median(subject, field)) for field in ("wall", "cpu")]
        row += [_ms(figures.split(subject, field)) for field in ("user", "system")]
        row += [_number(figures.memory(subject, field)) for field in ("resident", "peak")]
        size = figures.mean(subject, "bytes")
        row.append(_number(None if size is None else size / 1024))
        rows.append(row)
    return _table(head, rows)


def _about_dumps(figures):
    dumps = figures.dumps("default")
    if dumps is None:
        return "The default instance does not export the age of its full dumps: all scrapes are included.\n"
    with_dump, total = dumps
    if with_dump == 0:
        return f"Default flags: none of {total} scrapes had a full dump.\n"
    if figures.skips_dumps:
        mean = _ms(figures.mean("default", "cpu"))
        return (
            f"Default flags: {with_dump} of {total} scrapes had a full dump and are excluded; "
            f"including them, the mean is {mean} ms of CPU.\n"
        )
    return f"Default flags: {with_dump} of {total} scrapes had a full dump; all are included.\n"


def _size(figures):
    row = figures.row
    lines = [
        f"## {figures.title} sockets\n",
        f"Medians of the means of {len(row['rounds'])} rounds; the split into user and system is "
        "by timer ticks, over all rounds.\n",
        _costs(figures),
        _about_dumps(figures),
    ]
    lines += [f"Note: {note}.\n" for note in row["notes"]]
    return "\n".join(lines)


def _ratios(sizes, by_sockets):
    rows = []
    for target in targets.TARGETS:
        values = []
        for figures in sizes:
            text = _number(target.value(figures, by_sockets))
            is_target_size = target.at == figures.sockets and not figures.is_mixed
            values.append(f"**{text}**" if is_target_size else text)
        rows.append([target.name, f"≤ {target.limit:g} at {target.at:,}", *values])
    return _table(["", "target", *[figures.title for figures in sizes]], rows)


def _per_socket(sizes):
    rows = []
    for subject, title in SUBJECTS.items():
        costs = [(figures.median(subject, "cpu"), figures.sockets) for figures in sizes]
        if any(cpu is not None for cpu, _ in costs):
            micro = [None if cpu is None else cpu * 1e6 / sockets for cpu, sockets in costs]
            rows.append([title, *map(_number, micro)])
    return _table(["CPU, µs per socket", *[figures.title for figures in sizes]], rows)


def _missed_targets(verdicts):
    lines = []
    for verdict in verdicts:
        target = verdict.target
        text = f"{target.name}: {_number(verdict.value)}, at most {target.limit:g} at {target.at:,}"
        if verdict.value is None:
            lines.append(f"- not measured: {text}")
        elif verdict.is_missed:
            lines.append(f"- missed: {text}")
    return "\n".join(lines or ["All targets are met."]) + "\n"


def markdown(about, sizes, by_sockets, verdicts):
    """Returns the report."""
    parts = ["# Cost of a scrape\n"]
    parts.append("\n".join(f"- {name}: {value}" for name, value in about["facts"].items()) + "\n")
    parts += [f"Note: {note}.\n" for note in about["notes"]]
    parts += [_size(figures) for figures in sizes]
    if sizes:
        parts += ["## Ratios\n", "Medians of the ratios within each round.\n"]
        parts += [_ratios(sizes, by_sockets), _missed_targets(verdicts)]
        parts += ["## Cost per socket\n", _per_socket(sizes)]
    return "\n".join(parts)
