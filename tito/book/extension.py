"""What Sphinx does here beyond Jupyter Book: two shades of each picture, links to sources and notebooks, texts for search.

`book.json`, beside the pages, says what each page is made of; `tito.book.site` writes it.
"""

import html
import json
import re
from pathlib import Path

from docutils import nodes

from tito.book.diagrams import FOLDER

BUTTONS = 510  # after the theme's own
COLAB = "https://colab.research.google.com/github/{repository}/blob/notebooks/colab/{notebook}"
MAIN = re.compile(r"<article[^>]*>(.*?)</article>", re.DOTALL)
UNREAD = re.compile(r"<(script|style|svg|pre)\b.*?</\1>", re.DOTALL)


def setup(app):
    """Connect everything to Sphinx's events."""
    app.connect("config-inited", read_facts)
    app.connect("doctree-read", add_dark_pictures)
    app.connect("doctree-read", number_formulas)
    app.connect("html-page-context", add_links, priority=BUTTONS)
    app.connect("html-page-context", add_card)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", write_search_texts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def read_facts(app, config):
    """Read what the pages are made of, and where the course is published."""
    path = Path(app.srcdir) / "book.json"
    app.tinytorch = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"pages": {}, "version": "", "date": ""}
    config.html_theme_options = {**config.html_theme_options, "repository_url": app.tinytorch.get("repository", "")}


def repository(app):
    """Return the address of the repository."""
    return app.config.html_theme_options.get("repository_url", "").rstrip("/")


def add_dark_pictures(app, doctree):
    """Show `name-dark.svg` on dark pages where there is one beside `name.svg`."""
    for image in list(doctree.findall(nodes.image)):
        path = Path(image.get("uri", ""))
        if path.parent.name == FOLDER:
            image["classes"] = [*image.get("classes", ()), "tt-diagram"]
        dark = path.with_name(f"{path.stem}-dark{path.suffix}")
        if not (Path(app.srcdir) / dark).is_file():
            continue
        other = image.deepcopy()
        other["uri"], other["candidates"] = dark.as_posix(), {"*": dark.as_posix()}
        image["classes"] = [*image.get("classes", ()), "tt-light"]
        other["classes"] = [*other.get("classes", ()), "tt-dark"]
        image.parent.insert(image.parent.index(image) + 1, other)
        if dark.as_posix() not in app.env.images:
            app.env.images.add_file(app.env.docname, dark.as_posix())
            app.env.dependencies[app.env.docname].add(dark.as_posix())


def number_formulas(app, doctree):
    """Number a page's displayed formulas: `math_number_all` of Sphinx leaves out those between dollar signs."""
    for number, formula in enumerate(doctree.findall(nodes.math_block), 1):
        formula["number"] = number
        app.env.domaindata["math"]["has_equations"][app.env.docname] = True


def add_links(app, pagename, templatename, context, doctree):
    """Put the page's own links at its top: notebook, Colab, source, repository; and version, date and edit link below it."""
    made = app.tinytorch["pages"].get(pagename, {})
    home, pathto = repository(app), context["pathto"]
    edit = f"{home}/edit/main/{made.get('source', f'book/{pagename}.md')}" if home and doctree is not None else ""
    buttons = context.setdefault("header_buttons", [])
    own = []
    if made.get("notebook"):
        own.append(button("Download the notebook", pathto(f"notebooks/{made['notebook']}", 1), "fas fa-download"))
        if "github.com" in home:
            colab = COLAB.format(repository="/".join(home.split("/")[-2:]), notebook=made["notebook"])
            own.append(button("Open in Colab", colab, "fas fa-rocket"))
    own += [button("Edit this page", edit, "fas fa-pencil-alt")] if edit else []
    own += [button("Repository", home, "fab fa-github")] if home else []
    context["header_buttons"] = [*own, *buttons]
    context["tinytorch"] = {**app.tinytorch, "edit": edit, "home": home, "issue": f"{home}/issues/new" if home else ""}


def add_card(app, pagename, templatename, context, doctree):
    """Say which picture a link to the page shows elsewhere; it must be a whole address, so it is that of GitHub's pages."""
    owner, _, name = repository(app).removeprefix("https://github.com/").partition("/")
    if "github.com" not in repository(app) or doctree is None:
        return
    site = f"https://{owner}.github.io/{name}"
    told = {
        "og:type": "website",
        "og:title": html.escape(re.sub("<[^>]*>", "", f"{context.get('title', '')} · TinyTorch")),
        "og:description": "Write a deep-learning framework in twelve notebooks, and train real networks with it.",
        "og:url": f"{site}/{pagename}.html",
        "og:image": f"{site}/_static/card.png",
        "og:image:alt": "TinyTorch, with ten handwritten digits",
    }
    tags = [f'<meta property="{key}" content="{value}" />' for key, value in told.items()]
    tags.append('<meta name="twitter:card" content="summary_large_image" />')
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def button(text, address, icon):
    """Return a button of the theme that is a link."""
    return {"type": "link", "url": address, "tooltip": text, "text": "", "icon": icon, "label": text.lower().replace(" ", "-")}


def add_scripts(app, pagename, templatename, context, doctree):
    """Give the page of results what it needs to show excerpts of a book that is opened from disk."""
    if pagename == "search":
        app.add_js_file("search-texts.js", priority=200)


def write_search_texts(app, error):
    """Write the pages' texts into a script: a browser may not fetch the pages of a book on disk, but it may run a script."""
    if error is not None:
        return
    texts = {}
    for name in sorted(app.env.found_docs):
        path = Path(app.outdir) / f"{name}.html"
        found = MAIN.search(path.read_text(encoding="utf-8")) if path.is_file() else None
        if found:
            words = html.unescape(re.sub(r"<[^>]*>", " ", UNREAD.sub(" ", found[1])))
            texts[f"{name}.html"] = " ".join(words.split())
    script = f"window.SEARCH_TEXTS = {json.dumps(texts, ensure_ascii=False, sort_keys=True)};\n"
    (Path(app.outdir) / "_static" / "search-texts.js").write_text(script + FETCH, encoding="utf-8")


FETCH = """
if (location.protocol === "file:") {
  window.fetch = (address) => {
    const path = String(address).split("#")[0].split("?")[0];
    const page = Object.keys(SEARCH_TEXTS).sort((a, b) => b.length - a.length).find((name) => path.endsWith(name));
    const text = document.createElement("div");
    text.textContent = SEARCH_TEXTS[page] || "";
    return Promise.resolve(new Response(`<html><body><div role="main">${text.innerHTML}</div></body></html>`));
  };
}
"""
