"""The file store of the bundled CRM."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO, RawIOBase
from pathlib import Path

import pytest

from limepkg_email.clock import utc_now
from limepkg_email.errors import NotFound
from limepkg_email.reference import ReferenceApplication
from limepkg_email.reference.files import known_type, shown_name


class Breaking(RawIOBase):
    def read(self, size: int = -1) -> bytes:
        raise ConnectionResetError


def test_stream_that_breaks_leaves_nothing_behind(
    application: ReferenceApplication, tmp_path: Path
) -> None:
    with pytest.raises(ConnectionResetError):
        application.files.create("a.txt", "text/plain", Breaking())  # type: ignore[arg-type]
    assert [each for each in (tmp_path / "files").rglob("*") if each.is_file()] == []


def test_sweep_removes_only_old_files_that_no_object_refers_to(
    application: ReferenceApplication,
) -> None:
    used, unused = (
        application.files.create(f"{name}.txt", "text/plain", BytesIO(b"x")) for name in "ab"
    )
    with application.unit_of_work() as work:
        work.objects.add("document", {"document": used.id})
    assert application.files.sweep(utc_now() - timedelta(hours=1)) == 0
    assert application.files.sweep(utc_now() + timedelta(hours=1)) == 1
    application.files.open(used.id).close()
    with pytest.raises(NotFound):
        application.files.open(unused.id)
    with pytest.raises(NotFound):
        application.files.describe(unused.id)


def test_property_is_empty_once_its_file_is_deleted(application: ReferenceApplication) -> None:
    stored = application.files.create("a.txt", "text/plain", BytesIO(b"x"))
    with application.unit_of_work() as work:
        known = work.objects.add("document", {"document": stored.id})
    application.files.delete(stored.id)
    with application.unit_of_work() as work:
        assert work.objects.get("document", known)["document"] is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a b.txt", "a b.txt"),
        ("..", "file"),
        ("", "file"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\0\x1f\x7f.txt", "a.txt"),
        ("\ud800", "file"),
        ("x" * 300 + ".pdf", "x" * 251 + ".pdf"),
        ("x" * 300, "x" * 255),
        ("日本 👩\u200d💻.pdf", "日本 👩\u200d💻.pdf"),
    ],
    ids=ascii,
)
def test_name_is_shown_without_what_could_deceive(given: str, shown: str) -> None:
    assert shown_name(given) == shown


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ("text/plain", "text/plain"),
        ("Text/HTML; charset=utf-8", "text/html"),
        ("", "application/octet-stream"),
        ("text/plain\r\nSet-Cookie: a=b", "application/octet-stream"),
        ("nonsense", "application/octet-stream"),
    ],
    ids=ascii,
)
def test_type_is_a_plain_type(given: str, known: str) -> None:
    assert known_type(given) == known
