"""Documentation is tested: what it names exists, and what exists is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.problem_types import PROBLEMS

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("auth_svc", "catalog_svc", "cart_svc", "checkout_svc", "logs_svc", "reco_svc")
PARTS = (*SERVICES, "storefront", "gateway", "chassis", "local")
PAGES = sorted(
    page
    for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("*/README.md")]
    if "node_modules" not in page.parts
)


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z0-9-]*):(?!=)", read("Makefile"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_picture_of_a_page_exists(page):
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]

    missing = [link for link in local if not (page.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_that_a_page_names_exists(page):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|[`(])make ([a-z][a-z0-9-]+)", text, re.MULTILINE))
    words = {"it", "an", "the", "up", "sure", "them", "its", "every", "what", "and", "my", "goods"}

    assert named - words - targets() == set()


def test_every_make_target_has_a_line_of_help():
    lines = read("Makefile").splitlines()
    documented = {line.split(":")[0] for line in lines if re.match(r"^[a-z][a-z0-9-]*:.*##", line)}

    assert targets() - documented == set()


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_a_readme_and_a_row_in_the_first_one(part):
    assert (ROOT / part / "README.md").is_file()
    assert f"[{part}]({part}/README.md)" in read("README.md")


@pytest.mark.parametrize("service", SERVICES)
def test_every_public_endpoint_is_in_its_services_readme_or_the_contract(service):
    [app] = [folder.parent for folder in (ROOT / service).glob("*/urls.py") if folder.parent.name != "config"]
    routes = re.findall(r'path\(\s*"([^"]*)"', _public((app / "urls.py").read_text(encoding="utf-8")))
    api = read("docs/api.md") + read(f"{service}/README.md")

    missing = [route for route in routes if _plain(route) and _plain(route) not in api]

    assert missing == []


def _public(urls: str) -> str:
    """Return the part of a urls.py before its internal routes."""
    return urls.partition("\ninternal")[0]


def _plain(route: str) -> str:
    """`products/<slug:slug>/images` -> `/products/{slug}/images`."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route) if route else ""


@pytest.mark.parametrize("service", [name for name in PROBLEMS if name != "every service"])
def test_every_problem_type_of_the_table_is_in_the_sources_of_its_service(service):
    sources = [path for path in (ROOT / f"{service}_svc").rglob("*.py") if "tests" not in path.parts]
    text = "".join(path.read_text(encoding="utf-8") for path in sources)

    assert [name for name in PROBLEMS[service] if f'"{name}"' not in text] == []


def test_every_setting_is_in_the_settings_page():
    declared: set[str] = set()
    sources = [*ROOT.glob("chassis/chassis/**/*.py"), *ROOT.glob("*/config/settings.py")]
    for source in sources:
        declared |= set(re.findall(r'declare\(\s*"([A-Z_]+)"', source.read_text(encoding="utf-8")))
    page = read("docs/settings.md")

    assert {name for name in declared if f"`{name}`" not in page} == set()


def test_the_commands_of_the_readme_are_the_ones_that_ci_calls():
    script = read(".ci/run")

    assert "make lint" in script
    assert "make test" in script
    assert {"make run", "make test", "make lint"} <= set(re.findall(r"make [a-z-]+", read("README.md")))


def test_decisions_are_numbered_without_gaps_and_say_why():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))

    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = page.read_text(encoding="utf-8")
        parts = ("Context", "Options", "Choice", "Consequences")
        assert [part for part in parts if f"**{part}.**" not in text] == [], page.name


def test_no_lock_file_names_a_host():
    locks = [*ROOT.glob("*/requirements.txt"), *ROOT.glob("requirements/*.txt")]
    locks += [lock for lock in ROOT.glob("*/**/package-lock.json") if "node_modules" not in lock.parts]

    assert locks
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert '"resolved"' not in text, lock
        assert not re.search(r"^--(extra-)?index-url|^--find-links", text, re.MULTILINE), lock
