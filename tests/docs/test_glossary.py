"""docs/glossary.md names what is in the code, and the words that it retired are names of nothing."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TERM = re.compile(r"^- \*\*(?P<term>[^*]+)\*\*: .+ \(`(?P<place>[^`]+)`\)$")


def terms() -> list[tuple[str, str]]:
    """Return (term, place) of each line."""
    lines = (ROOT / "docs" / "glossary.md").read_text().splitlines()
    return [(found["term"], found["place"]) for line in lines if (found := TERM.match(line))]


def test_each_line_of_the_glossary_is_a_term_a_meaning_and_a_place():
    lines = (ROOT / "docs" / "glossary.md").read_text().splitlines()

    assert [line for line in lines if line.startswith("- ") and not TERM.match(line)] == []
    assert len(terms()) > 60


def test_terms_are_in_alphabetical_order_and_each_is_there_once():
    found = [term.lower() for term, _ in terms()]

    assert found == sorted(set(found))


def test_each_term_is_in_the_code_where_the_glossary_says():
    missing = [f"{term}: {place}" for term, place in terms() if not _is_there(term, ROOT / place)]

    assert missing == []


def _is_there(term: str, place: Path) -> bool:
    """Return True if the term's words, in any case and however joined, are in the file or folder."""
    joined = re.compile(r"[\s_-]*".join(map(re.escape, re.split(r"[\s-]+", term))), re.IGNORECASE)
    if not place.exists():
        return False
    files = (
        [place] if place.is_file() else [file for file in place.rglob("*") if file.suffix in {".py", ".js"}]
    )
    return any(
        joined.search(str(file.relative_to(ROOT))) or joined.search(file.read_text()) for file in files
    )


def test_words_that_were_retired_are_names_of_no_module_class_function_or_field():
    retired = set((ROOT / "docs" / "retired-words.txt").read_text().split())

    assert [f"{place}: {name}" for place, name in names() if name in retired] == []


def names() -> Iterator[tuple[str, str]]:
    """Yield (file, name) of every module, class, function and field of the project's Python."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S607
    for path in listed.stdout.split():
        yield path, Path(path).stem
        for node in ast.walk(ast.parse((ROOT / path).read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node.name
            if isinstance(node, ast.ClassDef):
                fields = (each for each in node.body if isinstance(each, ast.AnnAssign))
                yield from ((path, each.target.id) for each in fields if isinstance(each.target, ast.Name))
