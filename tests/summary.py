"""Adds up the JUnit files of a folder: failures first, then what was skipped and why, then a line
`N passed, N failed, N skipped`. Exits with 1 where anything failed or a runner died."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path


def outcomes(file):
    """Yields (name, "passed" | "failed" | "skipped", text) of each test in a JUnit file."""
    for case in ElementTree.parse(file).iter("testcase"):
        name = f"{file.stem}: {case.get('classname')}.{case.get('name')}"
        failure = next((case.find(tag) for tag in ("failure", "error") if case.find(tag) is not None), None)
        skipped = case.find("skipped")
        if failure is not None:
            message = (failure.get("message") or "").strip()
            yield name, "failed", "\n".join(t for t in (message.partition("\n")[0], failure.text or "") if t)
        elif skipped is not None or case.get("status") == "notrun":
            yield name, "skipped", (skipped.get("message") or "" if skipped is not None else "")
        else:
            yield name, "passed", ""


def main(folder):
    counts = Counter()
    for file in sorted(folder.glob("*.xml")):
        try:
            found = list(outcomes(file))
        except ElementTree.ParseError as error:
            found = [(file.stem, "failed", f"no result: {error}")]
        for name, outcome, text in found:
            counts[outcome] += 1
            if outcome == "failed":
                print(f"FAILED {name}: {text.strip()}\n")
            elif outcome == "skipped":
                print(f"skipped {name}: {' '.join(text.split())}")
    for marker in sorted(folder.glob("*.skipped")):
        counts["skipped"] += 1
        print(f"skipped {marker.stem}: {marker.read_text().strip()}")
    for marker in sorted(folder.glob("*.failed")):
        results = marker.with_suffix(".xml")
        if not results.exists() or all(o != "failed" for _, o, _ in outcomes(results)):
            counts["failed"] += 1
            print(f"FAILED {marker.stem}: it ended before its results; the end of its output:")
            print("\n".join(marker.with_suffix(".log").read_text(errors="replace").splitlines()[-60:]))
    if not counts["passed"]:
        print("no test ran")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
