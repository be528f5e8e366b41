"""What the exporter was tested on: documents with a table that has a column for each system, and README.md's summary.
The runs write them."""

import re

from tools import ROOT

README = ROOT / "README.md"
BEGIN = "<!-- table -->\n"
END = "<!-- end -->"


def table_of(columns, corner=""):
    """Returns a table in Markdown of {name of the column: {name of the row: cell}}."""
    rows = list(dict.fromkeys(row for column in columns.values() for row in column))
    lines = [[corner, *columns], ["---"] * (len(columns) + 1)]
    lines += [[row, *(column.get(row, "") for column in columns.values())] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write_columns(document, columns):
    """Adds or updates columns of the table between BEGIN and END, sorted by the numbers in their names. Returns all columns.
    Rows that a column lacks keep their cells: a run can be limited to some steps."""
    head, begin, rest = document.read_text().partition(BEGIN)
    table, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has no table between {BEGIN.strip()} and {END}")
    (corner, *names), _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines())
    kept = {name: {row: cells[index] for row, *cells in rows} for index, name in enumerate(names)}
    numbers = {name: [int(digits) for digits in re.findall(r"\d+", name)] for name in kept | columns}
    columns = {name: kept.get(name, {}) | columns.get(name, {}) for name in sorted(numbers, key=numbers.get)}
    document.write_text(head + BEGIN + table_of(columns, corner) + END + tail)
    return columns


def write_row(name, value):
    """Replaces the value in a row of README.md. Raises ValueError if the table has no such row."""
    text, count = re.subn(rf"(?m)^(\| {re.escape(name)} \| ).* \|$", lambda found: f"{found[1]}{value} |", README.read_text())
    if count != 1:
        raise ValueError(f"{README} has {count} rows {name!r}")
    README.write_text(text)
