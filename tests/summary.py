"""Summarizes the JUnit files of a directory.

Prints skipped tests, failed tests, then a line `N passed, N failed, N skipped`. Exits with 1 if a test failed, a
test program ended without results, or no test passed."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path


def outcomes(file):
    """Yields (name, "passed" | "failed" | "skipped", text) for each test of a JUnit file."""
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


def main(directory):
    counts = Counter()
    explained = set()  # the names of JUnit files with a failed test
    failures = []
    for file in sorted(directory.glob("*.xml")):
        try:
            results = list(outcomes(file))
        except ElementTree.ParseError as error:
            results = [(file.stem, "failed", f"invalid JUnit file: {error}")]
        for name, outcome, text in results:
            counts[outcome] += 1
            if outcome == "failed":
                explained.add(file.stem)
                failures.append(f"FAILED {name}: {text.strip()}\n")
            elif outcome == "skipped":
                print(f"skipped {name}: {' '.join(text.split())}")
    for marker in sorted(directory.glob("*.skipped")):
        counts["skipped"] += 1
        print(f"skipped {marker.stem}: {marker.read_text().strip()}")
    for marker in sorted(directory.glob("*.failed")):
        if marker.stem not in explained:
            counts["failed"] += 1
            last_lines = marker.with_suffix(".log").read_text(errors="replace").splitlines()[-60:]
            failures.append(f"FAILED {marker.stem}: exited with an error but without a failed test; last lines of its log:")
            failures += last_lines
    print("\n".join(failures))
    if not counts["passed"]:
        print("no test passed")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
