"""Hostile mail in the feed: nothing runs, nothing is asked for, and the page around stays whole."""

from __future__ import annotations

import smtplib
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice

import pytest
from selenium.webdriver.common.by import By

from limepkg_email.reference.demo import SUPPORT, Demo, DemoOptions
from limepkg_email.reference.seed import AGENT
from limepkg_email.web_components import Manifest
from tests.e2e.crm import Crm
from tests.e2e.hostile import FILES, MARK, NAMES, SUBJECTS, VECTORS

pytestmark = pytest.mark.browser

TOGETHER = 40
"""Mails in one conversation, so that a page shows many of them at once."""

_CLICKED = {"/base/x", "/top", "/x"}
"""Addresses of links that the test itself follows."""

_OPEN_ALL = """
for (const each of document.querySelectorAll('.message:not(.open) .message-top')) each.click();
for (const each of document.querySelectorAll('iframe.body')) each.loading = 'eager';
"""

_LOOK = """
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
"""

_CLICK_ALL = """
for (const frame of document.querySelectorAll('iframe.body')) {
  for (const each of frame.contentDocument.querySelectorAll('#go, [id$=go]')) {
    each.removeAttribute('target');
    each.click?.();
  }
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
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    found = Stranger()
    yield found
    found.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("demo")
    options = DemoOptions(directory=directory, port=0, engine_port=0, smtp_port=0, samples=False)
    with Demo(options) as running:
        yield running


@pytest.fixture(scope="module")
def agent(browser: object, built: Manifest, demo: Demo) -> Crm:
    found = Crm(browser, demo)  # type: ignore[arg-type]
    found.sign_in(AGENT[0])
    return found


def mail(subject: str, html: str, name: str = "Mallory", thread: str = "") -> EmailMessage:
    made = EmailMessage()
    made["From"] = f'"{name}" <mallory@example.org>' if name == "Mallory" else "mallory@example.org"
    made["To"], made["Subject"] = SUPPORT, subject
    if thread:
        made["References"] = made["In-Reply-To"] = thread
    made.set_content("plain")
    made.add_alternative(html, subtype="html")
    return made


def deliver(demo: Demo, mails: list[EmailMessage]) -> None:
    with smtplib.SMTP(*demo.smtp) as door:
        for each in mails:
            door.send_message(each, "mallory@example.org", [SUPPORT])


def filled(html: str, stranger: Stranger) -> str:
    """Put the addresses of the stranger's server and the mark into a vector."""
    there = f"http://{stranger.host}"
    text = html.replace("{there}", there).replace("{host}", stranger.host).replace("{mark}", MARK)
    return text.replace("{{", "{").replace("}}", "}")


def wait_for(agent: Crm, messages: int) -> None:
    """Load the page again until all mails of the batch have been imported."""
    until = time.monotonic() + 60
    while (there := len(agent.all("css", ".message.incoming"))) != messages:
        assert time.monotonic() < until, f"{there} of {messages} mails are there"
        time.sleep(1)
        agent.browser.refresh()
        agent.wait(lambda: agent.messages(), "no message")


def batches() -> list[dict[str, str]]:
    entries = iter(VECTORS.items())
    return list(iter(lambda: dict(islice(entries, TOGETHER)), {}))


def test_corpus_is_large_and_each_entry_another() -> None:
    assert len(VECTORS) + len(SUBJECTS) + len(NAMES) + len(FILES) >= 60
    assert len(set(VECTORS.values())) == len(VECTORS)


@pytest.mark.parametrize("batch", range(len(batches())))
def test_mail_runs_nothing_asks_for_nothing_and_stays_in_its_frame(
    agent: Crm, demo: Demo, stranger: Stranger, batch: int
) -> None:
    vectors = batches()[batch]
    thread, subject = f"<hostile-{batch}@example.org>", f"Hostile {batch}"
    first = mail(subject, "<p>first</p>")
    first["Message-ID"] = thread
    deliver(
        demo,
        [
            first,
            *(
                mail(f"Re: {subject}", filled(each, stranger), thread=thread)
                for each in vectors.values()
            ),
        ],
    )
    total = len(vectors) + 1
    agent.open_ticket(subject)
    here = agent.browser.current_url
    wait_for(agent, total)
    agent.browser.execute_script("document.body.dataset.marker = 'untouched'")
    agent.browser.execute_script(_OPEN_ALL)
    seen = agent.wait(
        lambda: found if (found := agent.browser.execute_script(_LOOK))["ready"] == total else None,
        "not all mails are shown",
    )
    assert seen["left"] == []
    assert set(seen["links"]) <= {"http:", "https:", "mailto:", "tel:"}
    agent.browser.execute_script(_CLICK_ALL)
    seen = agent.browser.execute_script(_LOOK)
    assert not seen["ran"], "a script ran"
    assert seen["sandboxed"]
    assert seen["inside"]
    assert seen["places"]
    assert seen["cover"], "something lies over the page"
    assert seen["marker"] == "untouched"
    assert agent.browser.current_url.partition("#")[0] == here.partition("#")[0]
    asked = [each for each in stranger.asked if each not in _CLICKED]
    assert asked == [], "somebody learns that the mail was read"


def test_picture_is_asked_for_once_the_reader_wants_it(
    agent: Crm, demo: Demo, stranger: Stranger
) -> None:
    picture = '<img src="{there}/photo.gif" width="300" height="200">'
    deliver(demo, [mail("Look here", filled(picture, stranger))])
    agent.open_ticket("Look here")
    message = agent.messages()[0]
    agent.wait(
        lambda: message.find_elements(By.XPATH, ".//button[.='Show the image']"), "no button"
    )
    assert "/photo.gif" not in stranger.asked
    message.find_element(By.XPATH, ".//button[.='Show the image']").click()
    agent.wait(lambda: "/photo.gif" in stranger.asked, "nobody asked for it")


def test_subjects_names_and_files_are_words_and_nothing_else(agent: Crm, demo: Demo) -> None:
    made = []
    for subject in SUBJECTS:
        made.append(mail(subject.replace("\x00", ""), "<p>x</p>"))
    for name in NAMES:
        each = mail(f"From {NAMES.index(name)}", "<p>x</p>")
        del each["From"]
        each["From"] = f'"{name.replace(chr(34), chr(39))}" <mallory@example.org>'
        made.append(each)
    with_files = mail("Files", "<p>See the files.</p>")
    for name in FILES:
        with_files.add_attachment(
            b"<svg onload='top.hostile=1'/>", maintype="image", subtype="svg+xml", filename=name
        )
    deliver(demo, [*made, with_files])
    agent.open_ticket("Files")
    agent.wait(
        lambda: len(agent.browser.find_elements(By.CSS_SELECTOR, ".files a")) == len(FILES),
        "not all files",
    )
    for link in agent.browser.find_elements(By.CSS_SELECTOR, ".files a"):
        assert (link.get_attribute("href") or "").startswith(demo.url)
    addresses = agent.browser.execute_script(
        "return [...document.querySelectorAll('.files a')].map((each) => each.href)"
    )
    for page in addresses:
        agent.browser.get(page)
        address = agent.browser.find_element(By.CSS_SELECTOR, "dd a[href*='/file/']").get_attribute(
            "href"
        )
        assert agent.browser.execute_script("return 'hostile' in window") is False
        kind = agent.browser.execute_async_script(
            "fetch(arguments[0]).then((found) => arguments[1]("
            "['Content-Disposition', 'Content-Security-Policy']"
            ".map((name) => found.headers.get(name))))",
            address,
        )
        assert kind[0].startswith("attachment")
        assert "sandbox" in kind[1]
    for path in ("tickets?status=all", "people"):
        agent.go(path)
        assert agent.browser.execute_script("return 'hostile' in window") is False
        assert not agent.browser.find_elements(By.CSS_SELECTOR, "main img, main td script")
