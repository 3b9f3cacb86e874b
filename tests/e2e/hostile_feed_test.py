"""Hostile mail in the feed: nothing runs, nothing is asked for, and the page around stays whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.sync_api import expect

from limepkg_email.reference.demo import SUPPORT
from tests.e2e.crm import Crm
from tests.e2e.hostile import FILES, MARK, NAMES, SUBJECTS, VECTORS

pytestmark = pytest.mark.browser

TOGETHER = 40
"""Mails in one conversation, so that a page shows many of them at once."""

_LOOK = """
() => {
const frames = [...document.querySelectorAll('.message.incoming iframe.body')];
const cover = document.elementFromPoint(40, 20)?.closest('header.bar') !== null;
return {
  ready: frames.filter((each) => each.contentDocument?.readyState === 'complete'
    && each.contentDocument.URL !== 'about:blank').length,
  ran: [window, ...frames.map((each) => each.contentWindow)].some((each) => 'hostile' in each),
  sandboxed: frames.every((each) => each.sandbox.value && !each.sandbox.contains('allow-scripts')),
  inside: frames.every((each) => each.clientWidth <= document.querySelector('.feed').clientWidth),
  marker: document.body.dataset.marker,
  places: ['notices', 'write'].every((id) =>
    document.querySelectorAll(`[id="${id}"]`).length === 1),
  links: frames.flatMap((each) => [...each.contentDocument.querySelectorAll('a[href], area[href]')])
    .map((each) => each.protocol),
  left: frames.flatMap((each) => [...each.contentDocument.querySelectorAll('script, iframe, object,'
    + 'embed, form, input, button, meta[http-equiv=refresh], base, link, svg, math, template')])
    .map((each) => each.outerHTML.slice(0, 80)),
  cover,
};
}
"""

_CLICK_ALL = """
async () => {
  const frames = [...document.querySelectorAll('iframe.body')];
  const all = 'a, area, button, input, label, summary, [tabindex], [id]';
  const found = frames.flatMap((each) => [...each.contentDocument.body.querySelectorAll(all)]);
  const links = found.map((each) => each.href).filter(Boolean);
  for (const each of found) each.click?.();
  // What a click brings about on the page has happened by then. A page that another one covers, as
  // the links open them, need not be drawn ever again, so that it must not wait for that alone.
  await new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(done));
    setTimeout(done, 1000);
  });
  return links;
}
"""


class Stranger:
    """The sender's own server; `asked` are the paths that anybody wanted of it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                self.send_response(204)
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - the name that the server looks for

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    found = Stranger()
    yield found
    found.close()


@pytest.fixture(scope="module")
def samples() -> bool:
    return False


@pytest.fixture
def requested(agent: Crm) -> list[str]:
    """What the browser wants of anybody, from any of its pages."""
    found: list[str] = []
    agent.page.context.on("request", lambda request: found.append(request.url))
    return found


def mail(subject: str, html: str, sender: str = "Mallory", thread: str = "") -> EmailMessage:
    made = EmailMessage()
    made["From"] = f'"{sender}" <mallory@example.org>'
    made["To"], made["Subject"] = SUPPORT, subject
    if thread:
        made["References"] = made["In-Reply-To"] = thread
    made.set_content("plain")
    made.add_alternative(html, subtype="html")
    return made


def filled(html: str, stranger: Stranger) -> str:
    """Put the addresses of the stranger's server and the mark into a vector."""
    text = html.replace("{there}", stranger.url).replace("{host}", stranger.host)
    return text.replace("{mark}", MARK).replace("{{", "{").replace("}}", "}")


def show_all(agent: Crm, count: int) -> None:
    """Load the page until all mails of the batch are on it, and open them."""
    incoming = agent.page.locator(".message.incoming")

    def there() -> bool:
        agent.page.reload()
        agent.messages.first.wait_for()
        return incoming.count() == count

    agent.eventually(there, f"fewer than {count} mails are there")
    agent.page.keyboard.press("o")
    for frame in agent.page.locator("iframe.body").all():
        frame.scroll_into_view_if_needed()


def look(agent: Crm) -> dict[str, Any]:
    """Tell how the page and its mails fare."""
    found: dict[str, Any] = agent.page.evaluate(_LOOK)
    return found


def batches() -> list[dict[str, str]]:
    entries = iter(VECTORS.items())
    return list(iter(lambda: dict(islice(entries, TOGETHER)), {}))


def test_corpus_is_large_and_each_entry_another() -> None:
    assert len(VECTORS) + len(SUBJECTS) + len(NAMES) + len(FILES) >= 60
    assert len(set(VECTORS.values())) == len(VECTORS)


@pytest.mark.parametrize("batch", range(len(batches())))
def test_mail_runs_nothing_asks_for_nothing_and_stays_in_its_frame(
    agent: Crm, stranger: Stranger, requested: list[str], batch: int
) -> None:
    vectors = batches()[batch].values()
    thread, subject = f"<hostile-{batch}@example.org>", f"Hostile {batch}"
    first = mail(subject, "<p>first</p>")
    first["Message-ID"] = thread
    others = [mail(f"Re: {subject}", filled(each, stranger), thread=thread) for each in vectors]
    agent.outside.post(first, *others)
    agent.open_ticket(subject)
    here, total = agent.page.url, len(vectors) + 1
    show_all(agent, total)
    agent.page.evaluate("document.body.dataset.marker = 'untouched'")
    agent.eventually(lambda: look(agent)["ready"] == total, "not all mails are shown")
    seen = look(agent)
    assert seen["left"] == []
    assert set(seen["links"]) <= {"http:", "https:", "mailto:", "tel:"}
    assert [each for each in requested if each.startswith(stranger.url)] == []
    assert agent.wrong == []
    followed = set(agent.page.evaluate(_CLICK_ALL))
    seen = look(agent)
    assert not seen["ran"], "a script ran"
    assert seen["sandboxed"]
    assert seen["inside"]
    assert seen["places"]
    assert seen["cover"], "something lies over the page"
    assert seen["marker"] == "untouched"
    assert agent.page.url.partition("#")[0] == here.partition("#")[0]
    wanted = {urlsplit(each).path for each in followed if each.startswith(stranger.url)}
    agent.eventually(lambda: wanted <= set(stranger.asked), "a link leads nowhere")
    assert set(stranger.asked) == wanted, "somebody learns that the mail was read"


def test_picture_is_asked_for_once_the_reader_wants_it(
    agent: Crm, stranger: Stranger, requested: list[str]
) -> None:
    picture = '<img src="{there}/photo.gif" width="300" height="200">'
    agent.outside.post(mail("Look here", filled(picture, stranger)))
    agent.open_ticket("Look here")
    button = agent.page.get_by_role("button", name="Show the image")
    expect(button).to_be_visible()
    assert "/photo.gif" not in stranger.asked
    assert f"{stranger.url}/photo.gif" not in requested
    button.click()
    agent.eventually(lambda: "/photo.gif" in stranger.asked, "nobody asked for it")
    assert f"{stranger.url}/photo.gif" in requested


def test_subjects_names_and_files_are_words_and_nothing_else(agent: Crm) -> None:
    page = agent.page
    made = [mail(each.replace("\x00", ""), "<p>x</p>") for each in SUBJECTS]
    for number, name in enumerate(NAMES):
        made.append(mail(f"From {number}", "<p>x</p>", name.replace('"', "'")))
    with_files = mail("Files", "<p>See the files.</p>")
    for name in FILES:
        with_files.add_attachment(
            b"<svg onload='top.hostile=1'/>", maintype="image", subtype="svg+xml", filename=name
        )
    agent.outside.post(*made, with_files)
    agent.open_ticket("Files")
    links = page.locator(".files a")
    expect(links).to_have_count(len(FILES))
    addresses = [each.get_attribute("href") or "" for each in links.all()]
    for address in addresses:
        assert address.startswith(agent.demo.url)
        page.goto(address)
        file = page.locator("dd a[href*='/file/']").get_attribute("href") or ""
        assert not ran(agent)
        headers = page.request.get(urljoin(address, file)).headers
        assert headers["content-disposition"].startswith("attachment")
        assert "sandbox" in headers["content-security-policy"]
    for title in ("From 0", "From 1", "From 2", *SUBJECTS[:3]):
        agent.wait_for_ticket(title)
    for path in ("tickets?status=all", "people"):
        agent.go(path)
        assert not ran(agent)
        expect(page.locator("main img, main td script")).to_have_count(0)


def ran(agent: Crm) -> bool:
    """Tell whether a script of a mail has left its mark on the page."""
    return bool(agent.page.evaluate("'hostile' in window"))
