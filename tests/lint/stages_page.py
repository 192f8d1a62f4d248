#!/usr/bin/env python3
"""Is docs/stages.md what `quern stages --markdown` says? The argument is the program."""
import difflib
import pathlib
import subprocess
import sys

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "stages.md"


def main():
    now = subprocess.run([sys.argv[1], "stages", "--markdown"], capture_output=True, text=True, check=True, timeout=30).stdout
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    if page == now:
        return 0
    print("\n".join(list(difflib.unified_diff(page.splitlines(), now.splitlines(), "docs/stages.md", "now", lineterm="", n=0))[:20]))
    print("docs/stages.md is not current; this remakes it:\n    build/quern stages --markdown >docs/stages.md")
    return 1


if __name__ == "__main__":
    sys.exit(main())
