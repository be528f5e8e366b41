"""A picture of a terminal, from the output of a command with SGR sequences (ECMA-48, 8.3.117)."""

import re
from xml.sax.saxutils import escape

CHARACTER_WIDTH, LINE_HEIGHT, MARGIN = 8.4, 19, 14
SGR = re.compile(r"\x1b\[([\d;]*)m")
CLASSES = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "36": "cyan"}
STYLE = f"""
text {{ font: 14px/{LINE_HEIGHT}px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #1f2328; white-space: pre }}
rect {{ fill: #f6f8fa; stroke: #d1d9e0 }}
.bold {{ font-weight: bold }} .dim {{ opacity: .7 }}
.red {{ fill: #b3141d }} .green {{ fill: #116329 }} .yellow {{ fill: #7d4e00 }} .cyan {{ fill: #0550ae }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3 }} rect {{ fill: #0d1117; stroke: #3d444d }}
.red {{ fill: #ff7b72 }} .green {{ fill: #7ee787 }} .yellow {{ fill: #e3b341 }} .cyan {{ fill: #79c0ff }}
}}"""


def spans(line, classes):
    """Returns SVG of a line, and the classes that are in effect at its end."""
    result, end = "", 0
    for match in [*SGR.finditer(line), None]:
        text = escape(line[end : match.start() if match else None])
        if text:
            result += f'<tspan class="{" ".join(sorted(classes))}">{text}</tspan>' if classes else text
        if match is None:
            return result, classes
        end = match.end()
        for code in match[1].split(";"):
            if code in ("", "0"):
                classes = set()
            elif code in CLASSES:
                classes = classes | {CLASSES[code]}
            else:
                raise ValueError(f"unknown SGR parameter {code}: add it to {__name__}.py")


def svg(command, screen, columns):
    """Returns an SVG of a terminal in which `command` wrote `screen`."""
    lines, classes = [], set()
    for line in [f"$ \x1b[1m{command}\x1b[0m", *screen.rstrip().replace("\r", "").split("\n")]:
        content, classes = spans(line, classes)
        lines.append(content)
    width = round(columns * CHARACTER_WIDTH) + 2 * MARGIN
    height = len(lines) * LINE_HEIGHT + 2 * MARGIN
    text = "\n".join(
        f'<text x="{MARGIN}" y="{MARGIN + (number + 1) * LINE_HEIGHT - 5}" xml:space="preserve">{line}</text>'
        for number, line in enumerate(lines)
        if line
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">\n'
        f"<style>{STYLE}\n</style>\n"
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>\n{text}\n</svg>\n'
    )
