"""Every file of a mail can be opened: in its body, or as a document."""

from __future__ import annotations

from dataclasses import replace
from typing import IO, cast

import pytest

from limepkg_email.engine.client import EngineClient
from limepkg_email.engine.types import Attachment
from limepkg_email.incoming.pipeline import import_message
from tests.incoming.arriving import arriving
from tests.installation import Installation


class Engine:
    """An engine with one file."""

    def download_attachment(self, _: str, id: str, target: IO[bytes], *, max_size: int) -> int:
        return target.write(b"content")


@pytest.mark.parametrize(
    ("content_type", "kept_as"),
    [
        ("image/png", "embeddedfile"),
        ("image/heic", "document"),
        ("image/svg+xml", "document"),
        ("application/pdf", "document"),
    ],
)
def test_what_a_body_cannot_show_is_a_document_though_it_refers_to_it(
    installation: Installation, content_type: str, kept_as: str
) -> None:
    services = replace(installation.services, engine=cast(EngineClient, Engine()))
    file = Attachment("a1", content_type, 100, "file", content_id="c1@x", embedded=True)
    mail = replace(arriving(html='<p>Look: <img src="cid:c1@x"></p>'), attachments=(file,))
    import_message(services, "support", mail)
    found = {each: len(installation.all(each)) for each in ("embeddedfile", "document")}
    assert found == {"embeddedfile": 0, "document": 0, kept_as: 1}
