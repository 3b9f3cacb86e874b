"""The composer as somebody uses it, on whatever page it stands."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page

TAG = "lwc-email-composer"

_DISPATCH = """
(each, [kind, event, field, name, type, content]) => {
  const transfer = new DataTransfer();
  const bytes = type === 'image/png'
    ? Uint8Array.from(atob(content), (c) => c.charCodeAt(0)) : content;
  transfer.items.add(new File([bytes], name, { type }));
  const options = { [field]: transfer, bubbles: true, composed: true, cancelable: true };
  each.dispatchEvent(new window[kind](event, options));
}
"""

_NOISE = """
async (each, side) => {
  const canvas = new OffscreenCanvas(side, side);
  const context = canvas.getContext('2d');
  const image = context.createImageData(side, side);
  for (let at = 0; at < image.data.length; at++) {
    image.data[at] = at % 4 === 3 ? 255 : Math.random() * 256;
  }
  context.putImageData(image, 0, 0);
  const blob = await canvas.convertToBlob();
  const clipboardData = new DataTransfer();
  clipboardData.items.add(new File([blob], 'noise.png', { type: 'image/png' }));
  const options = { clipboardData, bubbles: true, composed: true, cancelable: true };
  each.dispatchEvent(new ClipboardEvent('paste', options));
}
"""

_PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Composer:
    """The form with which somebody writes."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.element = page.locator(TAG)
        self.text = self.element.locator("[contenteditable=true]")
        self.subject = self.element.locator("input[name=subject]")
        self.recipients = self.element.locator("lwc-limepkg-email-recipients")
        self.files = self.element.locator("lwc-limepkg-email-attachments")
        self.send_button = self.element.locator(".send")

    def open(self) -> None:
        """Unfold it where it is folded."""
        self.element.wait_for(state="attached")
        line = self.element.locator("button.line")
        line.or_(self.text).first.wait_for()
        if line.is_visible():
            line.click()
        self.text.wait_for()

    def write(self, text: str) -> None:
        """Write at the cursor, which is at the end if nobody has been here."""
        self.open()
        if not self.has_focus():
            self.text.focus()
            self.text.press("Control+End")
        self.page.keyboard.type(text)

    def has_focus(self) -> bool:
        """Tell whether what is typed goes into the text."""
        return bool(self.text.evaluate("(each) => each.getRootNode().activeElement === each"))

    def send(self) -> None:
        self.text.press("Control+Enter")

    def action(self, name: str) -> Locator:
        """Give a button of the form or of one of its notices, such as `undo`."""
        return self.element.locator(f"[data-action={name}]")

    def notice(self, name: str) -> Locator:
        return self.element.locator(f"[data-notice={name}]")

    def saved(self) -> None:
        """Wait until the draft is stored."""
        self.element.locator("[data-save=saved]").wait_for()

    def choose_from(self, menu: str, text: str) -> None:
        """Choose from one of the menus, such as `.templates-menu`; they open over the page."""
        self.element.locator(f"{menu} [slot=trigger]").click()
        self.page.get_by_role("menuitem").filter(has_text=text).first.click()

    def attach(self, *paths: Path) -> None:
        self.element.locator("input[type=file]").set_input_files(list(paths))

    def paste_picture(self, name: str = "dot.png") -> None:
        self._dispatch("ClipboardEvent", "paste", "clipboardData", (name, "image/png", _PNG))

    def paste_noise(self, side: int) -> None:
        """Paste a square picture that cannot be made smaller: three bytes for each of its dots."""
        self.text.evaluate(_NOISE, side)

    def paste_html(self, html: str) -> None:
        """Paste what another program has put on the clipboard."""
        self.text.evaluate(
            """(each, html) => {
              const clipboardData = new DataTransfer();
              clipboardData.setData('text/html', html);
              const options = { clipboardData, bubbles: true, composed: true, cancelable: true };
              each.dispatchEvent(new ClipboardEvent('paste', options));
            }""",
            html,
        )

    def drop(self, name: str, content: str, kind: str = "text/plain") -> None:
        """Drop a file from the desk upon the text."""
        for event in ("dragenter", "dragover", "drop"):
            self._dispatch("DragEvent", event, "dataTransfer", (name, kind, content))

    def _dispatch(self, kind: str, name: str, field: str, file: tuple[str, str, str]) -> None:
        self.text.evaluate(_DISPATCH, [kind, name, field, *file])
