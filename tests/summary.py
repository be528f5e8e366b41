"""Summarizes the results of tests/run: JUnit files, and NAME.passed, NAME.failed or NAME.skipped of what wrote none.

Prints skipped tests, failed tests, then a line `N passed, N failed, N skipped`. Exits with 1 if a test failed, a
test program ended without results, or no test passed."""

import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path


def outcomes_of_file(file):
    """Yields (name, "passed" | "failed" | "skipped", text) for each test of a JUnit file."""
    try:
        cases = list(ElementTree.parse(file).iter("testcase"))
    except ElementTree.ParseError as error:
        yield file.stem, "failed", f"invalid JUnit file: {error}"
        return
    for case in cases:
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


def outcomes(directory):
    """Yields the same for each result in a directory."""
    failed = set()  # names of JUnit files
    for file in sorted(directory.glob("*.xml")):
        for name, outcome, text in outcomes_of_file(file):
            if outcome == "failed":
                failed.add(file.stem)
            yield name, outcome, text
    for marker in sorted(directory.glob("*.skipped")):
        yield marker.stem, "skipped", marker.read_text()
    for marker in sorted(directory.glob("*.passed")):
        if not marker.with_suffix(".xml").exists():
            yield marker.stem, "passed", ""
    for marker in sorted(directory.glob("*.failed")):
        if marker.stem not in failed:
            last_lines = marker.with_suffix(".log").read_text(errors="replace").splitlines()[-60:]
            reason = "exited with an error but without a failed test; last lines of its log:"
            yield marker.stem, "failed", "\n".join([reason, *last_lines])


def main(directory):
    counts = Counter()
    failures = []
    for name, outcome, text in outcomes(directory):
        counts[outcome] += 1
        if outcome == "failed":
            failures.append(f"FAILED {name}: {text.strip()}\n")
        elif outcome == "skipped":
            print(f"skipped {name}: {' '.join(text.split())}")
    print("\n".join(failures))
    if not counts["passed"]:
        print("no test passed")
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
