"""The documents keep their word: links lead somewhere, and the Python in them runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "core/*.md", "hostmods/*/*.md", "guest-sdk/*.md", "examples/*/*.md", "bench/*.md")
    for path in ROOT.glob(pattern)
)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _anchors(path: Path) -> set[str]:
    """The anchors of a document's headings, as Markdown viewers make them."""
    headings = _HEADING.findall(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _dead_links(document: Path) -> list[str]:
    dead = []
    for link in _LINK.findall(document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            dead.append(link)
    return dead


@pytest.mark.parametrize("document", DOCUMENTS, ids=_name)
def test_links_lead_somewhere(document: Path) -> None:
    assert _dead_links(document) == []


def test_a_dead_link_is_found(tmp_path: Path) -> None:
    document = tmp_path / "a.md"
    document.write_text("# One\n[a](b.md) [c](a.md#two) [d](#one) [e](a.md)\n", encoding="utf-8")
    assert _dead_links(document) == ["b.md", "a.md#two"]


@pytest.mark.slow
@pytest.mark.parametrize("document", [path for path in DOCUMENTS if _PYTHON.search(path.read_text(encoding="utf-8"))], ids=_name)
def test_the_python_of_a_document_runs(document: Path) -> None:
    """All blocks of one document, one after the other, in the root of the repository."""
    program = "\n".join(_PYTHON.findall(document.read_text(encoding="utf-8")))
    command = [sys.executable, "-W", "error", "-c", program]
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (0, "")
