"""The CRM's pages as people meet them, with the components in their places."""

from __future__ import annotations

import json
import smtplib
from base64 import b64decode
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from urllib.request import Request, urlopen

from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from limepkg_email.reference.demo import APPLICATION, SUPPORT, Demo
from limepkg_email.reference.seed import PASSWORD
from tests.web_components.admin_page import WATCH, AdminPage

COMPOSER = "lwc-email-composer"

_EDITOR = """
const look = (root) => {
  for (const each of root.querySelectorAll('*')) {
    if (each.isContentEditable) return each;
    const deeper = each.shadowRoot && look(each.shadowRoot);
    if (deeper) return deeper;
  }
  return null;
};
const composer = document.querySelector('lwc-email-composer');
return composer?.shadowRoot ? look(composer.shadowRoot) : null;
"""


class Crm(AdminPage):
    """A browser at the CRM, which notes what the policy refuses and what scripts do wrong."""

    def __init__(self, browser: Chrome, demo: Demo) -> None:
        self.browser, self.demo = browser, demo
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})

    def sign_in(self, login: str) -> None:
        self.leave()
        self.browser.get(f"{self.demo.url}/{APPLICATION}/sign-in")
        self.browser.delete_all_cookies()
        self.browser.refresh()
        self.browser.find_element(By.NAME, "login").send_keys(login)
        self.browser.find_element(By.NAME, "password").send_keys(PASSWORD)
        self.browser.find_element(By.NAME, "password").submit()
        self.says("h1", "Tickets")

    def leave(self) -> None:
        """Go away without being asked whether to stay."""
        self.browser.execute_script(
            "addEventListener('beforeunload', (e) => e.stopImmediatePropagation(), true)"
        )
        self.browser.get("about:blank")

    def wrong(self) -> list[str]:
        """Give what went wrong, but for what lime-elements' editor does with styles of pictures."""
        return [each for each in super().wrong() if not _of_the_editor(each)]

    def go(self, path: str) -> None:
        self.browser.get(f"{self.demo.url}/{APPLICATION}/{path}")

    def open_ticket(self, title: str) -> None:
        """Open a ticket from the list, once it stands there."""

        def there() -> bool:
            self.go("tickets")
            found = self.browser.execute_script(
                "return [...document.querySelectorAll('td.title a')]"
                ".find((each) => each.textContent === arguments[0])?.href",
                title,
            )
            if found:
                self.browser.get(found)
            return bool(found)

        self.wait(there, f"no ticket {title}")
        self.wait(lambda: self.messages(), "the ticket has no message")

    def messages(self) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, "[data-message]")

    def mail_text(self, message: WebElement) -> str:
        """Read the mail of an open message."""
        found: str = self.browser.execute_script(
            "const frame = arguments[0].querySelector('iframe');"
            "frame?.scrollIntoView({ block: 'center' });"
            "return frame?.contentDocument?.body?.innerText ?? ''",
            message,
        )
        return found

    def shows_mail(self, text: str) -> None:
        """Wait until one of the open messages says something."""
        self.wait(
            lambda: any(text in self.mail_text(each) for each in self.messages()),
            f"no message says {text!r}",
        )

    def notice(self, text: str) -> None:
        """Wait for a sentence at the lower edge."""
        self.says("#notices", text)

    # --- writing

    def editor(self) -> WebElement:
        """Give the composer's text, opening the composer if it is folded."""
        if folded := self.all("css", f"{COMPOSER}[collapsed]"):
            ActionChains(self.browser).scroll_to_element(folded[0]).perform()
            self.click_in_composer("button.line")
        return self.wait(lambda: self.browser.execute_script(_EDITOR), "no editor")

    def write(self, *text: str) -> None:
        editor = self.editor()
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", editor)
        editor.send_keys(*text)

    def written(self) -> str:
        return self.editor().text

    def send(self) -> None:
        self.write(Keys.CONTROL + Keys.ENTER)

    def click_in_composer(self, css: str) -> None:
        def clicked() -> bool:
            found = self.all("css", css)
            if found:
                self.browser.execute_script(
                    "arguments[0].scrollIntoView({block: 'center'})", found[0]
                )
                found[0].click()
            return bool(found)

        self.wait(clicked, f"no {css}")

    def choose_from(self, menu: str, text: str) -> None:
        """Choose from one of the composer's menus."""
        self.click_in_composer(f"{menu} [slot=trigger]")
        self.click(text, "option")

    def agree(self, verb: str) -> str:
        asked = self.wait(lambda: self.text("dialog[open]"), "no question")
        self.click(verb)
        self.wait(lambda: not self.all("css", "dialog[open]"), "the question stays")
        return asked

    # --- the world outside

    def deliver(self, subject: str, text: str, html: str = "", **headers: str) -> None:
        """A customer writes to the support."""
        mail = EmailMessage()
        mail["From"], mail["To"] = (
            headers.pop("sender", "Anna Andersson <anna@example.org>"),
            SUPPORT,
        )
        mail["Subject"] = subject
        for name, value in headers.items():
            mail[name.replace("_", "-")] = value
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
        with smtplib.SMTP(*self.demo.smtp) as door:
            door.send_message(mail)

    def control(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask the sandbox for something."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        with urlopen(Request(f"{self.demo.engine_url}/control{path}", data, headers)) as answer:
            return json.load(answer)

    def mails(self, address: str, text: str) -> list[EmailMessage]:
        """Give the mails in somebody's mailbox whose HTML has this text."""
        raw = self.control(f"/mailboxes/{address}/messages?raw=true")["messages"]
        parsed = [message_from_bytes(b64decode(each["raw"]), policy=policy.default) for each in raw]
        return [each for each in parsed if text in _html_of(each)]

    def control_delete(self, path: str) -> None:
        """Take back what was ordered of the sandbox."""
        urlopen(Request(f"{self.demo.engine_url}/control{path}", method="DELETE")).close()

    def fail_once(self, path: str, status: int, times: int = 1) -> None:
        """Let the engine refuse the next requests to a path."""
        fault = {"action": "refuse", "path": path, "status": status, "times": times}
        self.control("/faults", fault)


def _of_the_editor(line: str) -> bool:
    return "/lime-elements-" in line and ("style-src-attr" in line or "inline style" in line)


def _html_of(mail: EmailMessage) -> str:
    body = mail.get_body(("html",))
    return body.get_content() if body is not None else ""
