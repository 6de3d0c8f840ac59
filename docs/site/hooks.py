"""What the site has beside the pages in docs/: the README, studies, and pages made from code and configuration."""

import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from mkdocs.structure.files import File, Files  # noqa: E402

from docs.site import paradigms, reference, taxonomy  # noqa: E402

LINK = re.compile(r"(\]\()(?!https?:|#|mailto:)([^)#\s]+)(#[^)\s]*)?(\))")
PAGES = (
    *("README.md", "CONTRIBUTING.md", "CHANGELOG.md"),
    *("benchmarks/README.md", "examples/*/README.md", "experiments/**/README.md"),
)
LANGUAGES = {".py": "python", ".sh": "sh", ".yaml": "yaml", ".csv": "text"}


def place_of(path: str) -> str:
    """Where a file of the repository lies in the site: pages and pictures at their own path, code as a page."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path == "README.md":
        return "index.md"
    return path if path.endswith((".md", ".png")) else f"code/{path}.md"


def targets(page: str, text: str) -> dict[str, str]:
    """The links of a page of the repository to its other files: link -> path; a folder stands for its README."""
    found = {}
    for link in {match[2] for match in LINK.finditer(text)}:
        path = os.path.normpath(os.path.join(os.path.dirname(page), link))
        if (ROOT / path).is_dir():
            path = f"{path}/README.md"
        if (ROOT / path).is_file():
            found[link] = path
    return found


def relinked(page: str, text: str) -> str:
    """The text of a page of the repository, its links as the site has them."""
    found = targets(page, text)
    here = os.path.dirname(place_of(page))

    def moved(match: re.Match[str]) -> str:
        path = found.get(match[2])
        link = os.path.relpath(place_of(path), here or ".") if path else match[2]
        return f"{match[1]}{link}{match[3] or ''}{match[4]}"

    return LINK.sub(moved, text)


def code(path: str) -> str:
    """A file as a page."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return f"# {path}\n\n~~~~{LANGUAGES.get(Path(path).suffix, 'text')}\n{text}\n~~~~\n"


def on_files(files: Files, config: Any) -> Files:
    """Add what lies outside docs/, what it links to, and the generated pages."""
    pages = [str(path.relative_to(ROOT)) for pattern in PAGES for path in sorted(ROOT.glob(pattern))]
    texts = {page: (ROOT / page).read_text(encoding="utf-8") for page in pages}
    texts |= {f"docs/{file.src_uri}": file.content_string for file in files.documentation_pages()}
    linked = sorted({path for page, text in texts.items() for path in targets(page, text).values()} - set(texts))
    made = {place_of(page): relinked(page, texts[page]) for page in pages}
    made |= {place_of(path): code(path) for path in linked if not path.endswith(".png")}
    made |= taxonomy.pages() | paradigms.pages() | reference.pages()
    for place, text in made.items():
        files.append(File.generated(config, place, content=text))
    pictures = {path for path in linked if path.endswith(".png")} | {
        str(p.relative_to(ROOT)) for p in paradigms.pictures()
    }
    for path in sorted(pictures):
        if not path.startswith("docs/"):
            files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Let the links of a page in docs/ lead into the site."""
    return markdown if page.file.generated_by else relinked(f"docs/{page.file.src_uri}", markdown)


def on_post_page(output: str, **_: Any) -> str:
    """Take the only script that comes from elsewhere from here: what lets the search run in pages opened as files."""
    own = (Path(__file__).parent / "worker.js").read_text(encoding="utf-8")
    return output.replace('<script src="https://unpkg.com/iframe-worker/shim"></script>', f"<script>{own}</script>")


def on_post_template(output_content: str, **_: Any) -> str:
    """The same for pages without a source, such as 404.html."""
    return on_post_page(output_content)
