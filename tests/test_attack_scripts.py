"""Attacks by markup and scripts: through every field that is shown, on page and in file, in a real Chromium."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.materials import notebook, resume
from tests.test_browser import PATIENCE_MS, chromium, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Dialog, Page

    from app.checker import Checker
    from app.settings import Settings
    from tests.conftest import Attempts

pytestmark = [pytest.mark.browser, pytest.mark.model]
__all__ = ["chromium"]

RAN = "window.pwned=(window.pwned||0)+1"
PAYLOADS = (
    f"<script>{RAN}</script>",
    f"<img src=x onerror={RAN}>",
    f'"><svg onload={RAN}>',
    f"'><svg/onload={RAN}>",
    f"</textarea><script>{RAN}</script>",
    f"</title><script>{RAN}</script>",
    f"</style><script>{RAN}</script>",
    f"--><script>{RAN}</script>",
    f'" autofocus onfocus={RAN} x="',
    f"' style=animation-name:x onanimationstart={RAN} '",
    f"javascript:{RAN}",
    f"[x](javascript:{RAN})",
    f'<a href="javascript:{RAN}">x</a>',
    f'<iframe srcdoc="<script>parent.{RAN}</script>"></iframe>',
    f'<object data="data:text/html,<script>{RAN}</script>"></object>',
    f"<math><mtext><table><mglyph><style><img src=x onerror={RAN}>",
    f"{{{{constructor.constructor('{RAN}')()}}}}",
    "{{ 7*7 }}{% raw %}${7*7}",
    f"&lt;script&gt;{RAN}&lt;/script&gt;",
    f"\u2028<script>{RAN}</script>",
    f"<scr\0ipt>{RAN}</script>",
    f"＜script＞{RAN}＜/script＞",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=https://evil.example/>",
    "<form action=https://evil.example/><button>x</button></form>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>*{display:none}</style>",
)
TRAP = " ".join(PAYLOADS)
"""All of them behind each other, for fields that hold them."""
SHORT = f"\"'></title></textarea><script>{RAN}</script><img src=x onerror={RAN}>"
"""For fields with a limit: it leaves every context that the pages have."""
IDEA = f"Predict who survives the Titanic with logistic regression on the Kaggle data. {TRAP} 49 of us looked."
WATCH = """
window.violations = [];
const note = e => window.violations.push(e.violatedDirective + ' ' + e.blockedURI);
document.addEventListener('securitypolicyviolation', note);
"""


class Watched:
    """A browser's window that notes whatever a page does that it must not."""

    def __init__(self, context: BrowserContext, address: str, attempts: Attempts) -> None:
        """Open the window."""
        self.address, self.attempts, self.strays = address, attempts, list[str]()
        context.set_default_timeout(PATIENCE_MS)
        context.add_init_script(WATCH)
        self.page: Page = context.new_page()
        self.page.on("dialog", self._dismiss)
        self.page.on("pageerror", lambda error: self.strays.append(f"error {error}"))
        self.page.on("request", self._look)

    def _dismiss(self, dialog: Dialog) -> None:
        self.strays.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _look(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "file:")):
            self.strays.append(f"request {request.url}")

    def holds(self, where: str, *shown: str) -> None:
        """See that the page that is open ran nothing, asked for nothing, broke no policy, and shows traps as text."""
        page = self.page
        ran = page.evaluate("[window.pwned, window.violations, document.querySelectorAll('script:not([src])').length]")
        made = page.locator(
            "img, iframe, object, embed, math, base, [onload], [onerror], [onfocus], [onanimationstart]"
        )
        every = "[...document.querySelectorAll('[href], [src], [action]')]"
        links = page.evaluate(every + ".map(e => e.href || e.src || e.action)")
        loose = [
            link for link in links if isinstance(link, str) and link.lower().startswith(("javascript:", "data:text"))
        ]
        typed = "[...document.querySelectorAll('input, textarea')].map(e => e.value).join()"
        text = page.evaluate(f"document.documentElement.textContent + {typed}")
        troubles = [*self.strays, *loose]
        troubles += [f"ran {ran}"] if ran != [None, [], 0] else []
        troubles += [f"{made.count()} elements"] if made.count() else []
        troubles += [f"no {one!r}" for one in shown if one not in text]
        self.strays.clear()
        self.attempts.note(f"{where}: {troubles}", held=not troubles)


@pytest.fixture(scope="module")
def address(settings: Settings, checker: Checker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the real app, with places of the tests' own and without keys."""
    folder = tmp_path_factory.mktemp("scripts")
    own = replace(
        settings,
        feedback_dir=folder / "notes",
        keys_file=folder / "keys.json",
        screenings_url=f"sqlite:///{folder}/screenings.db",
    )
    yield from served(own, checker)


@pytest.fixture
def window(chromium: Browser, address: str, attempts: Attempts) -> Iterator[Watched]:
    """Open a window, with JavaScript on: without it there would be nothing to attack."""
    context = chromium.new_context(accept_downloads=True)
    yield Watched(context, address, attempts)
    context.close()


def _post(page: Page, address: str, path: str, fields: dict[str, Any]) -> None:
    """Send a form as a browser does, with what no field's limit lets through by hand."""
    page.goto(f"{address}/about")
    page.evaluate(
        """([path, fields]) => {
            const form = document.createElement('form');
            form.method = 'post'; form.action = path;
            for (const [name, value] of Object.entries(fields)) {
                const field = document.createElement('textarea');
                field.name = name; field.value = value; form.append(field);
            }
            document.body.append(form); form.submit();
        }""",
        [path, fields],
    )
    page.wait_for_load_state("load")
    page.wait_for_function("path => location.pathname !== '/about'", arg=path)


FIELDS = dict.fromkeys(("title", "interests", "place", "skills", "hardware"), SHORT)


def test_form_report_and_edit(window: Watched, address: str) -> None:
    """Every field of the form: in the report, the form again, the comparison, a fault; versions and drafts, too."""
    page = window.page
    _post(page, address, "/check", {"text": IDEA, **FIELDS, "hours": "10"})
    window.holds("the report", PAYLOADS[0], PAYLOADS[1], SHORT)
    page.reload()
    page.goto(f"{address}/")
    window.holds("the form with a draft and versions")
    _post(page, address, "/edit", {"text": IDEA, "previous": TRAP, **FIELDS})
    window.holds("the form with a text taken up", PAYLOADS[0], SHORT)
    _post(page, address, "/check", {"text": IDEA + " I count bees.", "previous": IDEA, **FIELDS, "word": SHORT})
    window.holds("a comparison", PAYLOADS[0], SHORT)
    _post(page, address, "/check", {"text": IDEA, **FIELDS, "hours": SHORT})
    window.holds("a fault", PAYLOADS[0], SHORT)
    page.goto(f"{address}/#idea={quote(TRAP)}")
    page.reload()
    window.holds("a link that carries an idea")


def test_files(window: Watched, address: str, tmp_path: Path) -> None:
    """Names and contents of files that are chosen: read ones, and such as can't be read."""
    page = window.page
    name = SHORT.replace("/", "∕")[:120]
    told = notebook(IDEA)
    for suffix, content in ((".md", IDEA.encode()), (".ipynb", told), (".docx", resume()), (".pdf", b"%PDF broken")):
        page.goto(address)
        page.set_input_files("#file", {"name": f"{name}{suffix}", "mimeType": "text/html", "buffer": content})
        page.wait_for_timeout(100)
        window.holds(f"a chosen {suffix}")
        page.locator("#idea-form button.primary").click()
        page.wait_for_load_state("load")
        window.holds(f"a {suffix} that was sent")
    page.goto(address)
    drop = """([name, text]) => {
        const carried = new DataTransfer();
        carried.items.add(new File([text], name));
        document.querySelector('#text').dispatchEvent(new DragEvent('drop', {dataTransfer: carried, cancelable: true}));
    }"""
    for suffix in (".md", ".pdf", ".html"):
        page.evaluate(drop, [f"{name}{suffix}", TRAP])
        page.wait_for_timeout(100)
        window.holds(f"a dropped {suffix}")


def test_downloads_opened_from_a_disk(window: Watched, address: str, tmp_path: Path, chromium: Browser) -> None:
    """The files that one takes along, opened as files; the others as what a careless server would call them."""
    made: dict[str, str] = {}
    for suffix in ("html", "txt", "md", "json"):
        answer = window.page.request.post(f"{address}/check.{suffix}", form={"text": IDEA, **FIELDS})
        made[suffix] = answer.text()
        attached = answer.headers["content-disposition"].startswith("attachment")
        window.attempts.note(
            f"{suffix} is attached", held=attached and answer.headers["x-content-type-options"] == "nosniff"
        )
    (tmp_path / "report.html").write_text(made["html"], encoding="utf-8")
    window.page.goto((tmp_path / "report.html").as_uri())
    window.holds("the HTML file from a disk", PAYLOADS[0], SHORT)
    for suffix in ("txt", "json", "md"):
        (tmp_path / f"report.{suffix}").write_text(made[suffix], encoding="utf-8")
        if suffix != "md":  # which a browser downloads
            window.page.goto((tmp_path / f"report.{suffix}").as_uri())
            window.holds(f"the {suffix} from a disk")


def test_searches_and_errors(window: Watched, address: str) -> None:
    """Queries, kinds, entries, languages, examples, and addresses that aren't there."""
    page = window.page
    for payload in (SHORT, PAYLOADS[1]):
        asked = quote(payload)
        for path in (
            f"/catalogue?q={asked}&kind={asked}&start=0",
            f"/catalogue?q=bees&lang={asked}",
            f"/?example={asked}&lang={asked}&{asked}={asked}",
            f"/catalogue/{asked}",
            f"/{asked}",
            f"/screenings/{asked}?verdict={asked}",
            f"/feedback/{asked}",
            f"/api/v1/catalogue/{asked}",
            f"/static/{asked}",
        ):
            page.goto(address + path)
            window.holds(path[:40])


def test_notes_and_proposals(window: Watched, address: str) -> None:
    """What readers leave, shown to them, and shown again where it can't be kept."""
    note = {"verdict": "well_worn", "wished": "original", "comment": TRAP[:900], "rules": SHORT, "catalogue": SHORT}
    proposal = {"kind": "dataset", "name": SHORT, "url": f"javascript:{RAN}", "about": TRAP[:900]}
    _post(window.page, address, "/feedback", note | {"consent": "yes", "with_text": "yes", "text": IDEA})
    window.holds("a note", PAYLOADS[0], PAYLOADS[1], SHORT)
    _post(window.page, address, "/feedback", note)
    window.holds("a note without consent")
    _post(window.page, address, "/propose", proposal | {"consent": "yes"})
    window.holds("a proposal", PAYLOADS[0], SHORT)
    _post(window.page, address, "/propose", proposal)
    window.holds("a proposal without consent", SHORT)


def test_screenings(window: Watched, address: str, tmp_path: Path) -> None:
    """Names of screenings, files, candidates and projects; links, texts, errors, reasons; and every export."""
    page = window.page
    who = SHORT.replace("/", "∕")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as book:
        book.writestr(f"all/{who}/one/README.md", IDEA)
        book.writestr(f"all/{who}2/two/README.md", IDEA)
        book.writestr(f"all/{who}/{who}/README.md", "")
        book.writestr(f"all/{who}/broken/{who}.pdf", b"%PDF")
    files: Any = {"file": {"name": f"{who[:100]}.zip", "mimeType": "application/zip", "buffer": packed.getvalue()}}
    page.request.post(f"{address}/screenings", multipart={**files, "title": SHORT})
    items = [{"id": SHORT, "title": SHORT, "candidate": f"{SHORT} {n}", "text": f"{n} {IDEA}"} for n in range(2)]
    items.append({"id": SHORT, "url": f"javascript:{RAN}", "candidate": SHORT})
    page.request.post(f"{address}/api/v1/screenings", data={"title": TRAP[:490], "items": items})
    bad: Any = {"file": {"name": "x.csv", "mimeType": "text/csv", "buffer": f"{SHORT},{SHORT}\n1,2\n".encode()}}
    page.request.post(f"{address}/screenings", multipart={**bad, "title": SHORT, "columns": f"text={SHORT}"})
    page.goto(f"{address}/screenings")
    window.holds("the list of screenings", SHORT)
    names = [one["id"] for one in page.request.get(f"{address}/api/v1/screenings").json()["screenings"]]
    for name in names:
        for _ in range(300):
            if page.request.get(f"{address}/api/v1/screenings/{name}").json()["state"] == "done":
                break
            page.wait_for_timeout(100)
        here = f"{address}/screenings/{name}"
        page.request.post(f"{here}/projects/1/override", form={"verdict": "original", "reason": SHORT})
        for path in ("", "/pairs", "/projects/1"):
            for mark in ("", "?reveal=1"):
                page.goto(here + path + mark)
                window.holds(f"a screening{path}{mark}")
        page.goto(f"{here}?verdict={quote(SHORT)}&candidate={quote(SHORT)}&order={quote(SHORT)}&reveal=1")
        window.holds("a screening's filter")
        for number, path in enumerate(("/export.html?reveal=1", "/export.html", "/projects/1/report.html")):
            answer = page.request.get(here + path)
            if answer.status == 404:  # the project has an error and no report
                continue
            window.attempts.note(f"{path} is attached", held="attachment" in answer.headers["content-disposition"])
            (tmp_path / f"{number}.html").write_bytes(answer.body())
            page.goto((tmp_path / f"{number}.html").as_uri())
            window.holds(f"{path} from a disk")
    assert len(names) == 3


def test_every_answer_has_the_policy(window: Watched, address: str) -> None:
    """Pages, faults, files and programs' answers: a policy without exceptions, no sniffing, no frame, no referrer."""
    asked = json.loads(window.page.request.get(f"{address}/api/v1/openapi.json").text())["paths"]
    paths = [path for path in asked if "{" not in path]
    for path in (*paths, "/", "/about", "/catalogue", "/propose", "/screenings", "/nothing", "/static/page.js"):
        headers = window.page.request.get(address + path).headers
        policy = headers["content-security-policy"]
        held = "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        held = held and headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        window.attempts.note(path, held=held)
