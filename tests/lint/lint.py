#!/usr/bin/env python3
"""Rules about the shape of the tree that a compiler does not check. Each is a function that yields "file:line: what is wrong"."""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Lower never includes higher. What a folder may include beside itself; tests may include everything.
LAYERS = {
    "base": [],
    "config": ["base"],
    "data": ["base"],
    "pipeline": ["base", "data"],
    "schemas": ["base"],
    "store": ["base", "schemas"],
    "trainer": ["base", "data", "pipeline", "store"],
    "serving": ["base", "data", "pipeline", "store"],
    "server": ["base", "config", "schemas", "data", "pipeline", "store", "trainer", "serving"],
}

# Each library has one door.
DOORS = {
    r"microhttpd\.h": r"server/http\w*\.[ch]",
    r"libpq-fe\.h": r"store/pg\w*\.[ch]",
    r"yaml\.h": r"config/config_file\.c",
    r"pcre2\.h": r"pipeline/regex\.c",
    r"utf8proc\.h": r"pipeline/text\.c",
    r"(zlib|zstd|libdeflate)\.h": r"data/(in|de)flate\.[ch]",
    r"curl/curl\.h": r"server/commands/client\.c",
    r"(cblas|lapacke?)\.h": r"pipeline/linalg\.c",
    r"mpi\.h": r"trainer/comm_mpi\.c",
    r"nettle/.*": r"base/hash\.c",
    r"cJSON\.h": r"(?!)",
}

# Tables whose rows are files: table, macro, folder of the files.
TABLES = [
    ("pipeline/stages.def", "STAGE", "pipeline/stages"),
    ("pipeline/stages.def", "MODEL", "pipeline/models"),
    ("pipeline/eval/evaluators.def", "EVALUATOR", "pipeline/eval"),
    ("data/sources.def", "SOURCE", "data/source"),
    ("server/commands.def", "COMMAND", "server/commands"),
]

COLUMNS_MAX = 132


def tracked(*endings):
    names = subprocess.run(["git", "-C", ROOT, "ls-files"], capture_output=True, text=True, check=True).stdout.split("\n")
    return [n for n in names if n.endswith(endings) and (ROOT / n).exists()]


def lines(name):
    return enumerate((ROOT / name).read_text(encoding="utf-8", errors="replace").split("\n"), 1)


def include_directions():
    for name in tracked(".c", ".h"):
        folder = name.split("/")[0]
        if folder not in LAYERS:
            continue
        for n, line in lines(name):
            m = re.match(r'#include "([^/"]+)/', line)
            if m and m[1] != folder and m[1] not in LAYERS[folder]:
                yield f"{name}:{n}: {folder}/ may not include {m[1]}/"
            if re.match(r'#include "[^/"]+"', line):
                yield f"{name}:{n}: includes name their folder"


def one_door():
    for name in tracked(".c", ".h"):
        if name.startswith("tests/"):
            continue
        for n, line in lines(name):
            m = re.match(r"#include <([^>]+)>", line)
            for header, door in DOORS.items() if m else ():
                if re.fullmatch(header, m[1]) and not re.fullmatch(door, name):
                    yield f"{name}:{n}: <{m[1]}> has one door, {door}"


def tables_are_files():
    for table, macro, folder in TABLES:
        if not (ROOT / table).exists():
            continue
        rows = {m[1] for _, line in lines(table) if (m := re.match(macro + r"\((\w+)", line))}
        for stem in sorted(rows):
            if not (ROOT / folder / f"{stem}.c").exists():
                yield f"{table}: {macro}({stem}) has no {folder}/{stem}.c"
        exported = {pathlib.Path(f).stem for f in tracked(".c") if f.startswith(folder + "/") and f.count("/") == folder.count("/") + 1
                    and re.search(rf"\b(const struct \w+ {pathlib.Path(f).stem}_\w+ = |int command_{pathlib.Path(f).stem}\()",
                                  (ROOT / f).read_text(errors="replace"))}
        for stem in sorted(exported - rows):
            if not any(stem in {m[1] for _, line in lines(t) if (m := re.match(mac + r"\((\w+)", line))}
                       for t, mac, _ in TABLES if (ROOT / t).exists()):
                yield f"{folder}/{stem}.c: no row of {table} names it"


def settings_are_read():
    code = "".join((ROOT / f).read_text(errors="replace") for f in tracked(".c") if not f.startswith("tests/"))
    for n, line in lines("config/settings.def"):
        m = re.match(r"SETTING\(\w+, ?(\w*), (\w+),", line)
        if m and not re.search(rf"\b{m[1]}_{m[2]}\b", code):
            yield f"config/settings.def:{n}: nothing reads {m[1]}_{m[2]}"


def folder_readmes():
    for folder in [*LAYERS, "schemas", "deploy", "tests", "tests/unit", "tests/conformance", "tests/parity", "tests/scenario",
                   "tests/fault", "tests/fuzz", "tests/lint", "tests/bench", "pipeline/stages"]:
        if (ROOT / folder).is_dir() and not (ROOT / folder / "README.md").exists():
            yield f"{folder}: no README.md"


def unique_stems():
    seen = {}
    for name in tracked(".c"):
        if name.startswith(("tests/", "server/commands/", "server/handlers/", "data/source/")):
            continue
        stem = pathlib.Path(name).stem
        if stem in seen:
            yield f"{name}: {seen[stem]} has this stem already"
        seen[stem] = name


def text_form():
    for name in tracked(".c", ".h", ".def", ".py", ".sh", ".cmake", ".md", ".sql"):
        if name.startswith("tests/parity/fixtures/"):
            continue
        if not (ROOT / name).read_bytes().endswith(b"\n"):
            yield f"{name}: no newline at the end"
        for n, line in lines(name):
            if line != line.rstrip():
                yield f"{name}:{n}: blanks at the end of the line"
            if name.endswith((".c", ".h")) and len(line.expandtabs(8)) > COLUMNS_MAX:
                yield f"{name}:{n}: over {COLUMNS_MAX} columns"


def words():
    """The project speaks of itself alone; the shared data are named in tests and benches only."""
    machine = re.compile(r"(?<![\w.])/(work|root|home)/")
    for name in tracked(".c", ".h", ".def", ".py", ".sh", ".cmake", ".md", ".sql", ".json", ".yaml"):
        if name.startswith(("tests/parity/fixtures/", "tests/lint/")):
            continue
        for n, line in lines(name):
            if machine.search(line):
                yield f"{name}:{n}: a path of some machine"
            if "../shared" in line and not name.startswith("tests/"):
                yield f"{name}:{n}: speaks of ../shared"


def main():
    rules = (include_directions, one_door, tables_are_files, settings_are_read, folder_readmes, unique_stems, text_form, words)
    faults = [f for rule in rules for f in rule()]
    print("\n".join(faults))
    print(f"{len(faults)} faults in {len(tracked(''))} files")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
