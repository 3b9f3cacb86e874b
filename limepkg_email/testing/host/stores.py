"""The data model, the file store, the settings."""

from __future__ import annotations

from io import BytesIO

import pytest

from limepkg_email.errors import InvalidInput, NotFound
from limepkg_email.host import Application
from limepkg_email.limetypes import (
    AddOption,
    AddProperty,
    Lengthen,
    Option,
    Property,
)
from limepkg_email.query import (
    Equals,
)
from limepkg_email.testing.host.sample import (
    ITEM,
    PROPERTIES,
    RANDOM,
    STEPS,
    found_by,
    names,
    short,
)


class LimetypesContract:
    """The promises about the data model."""

    def test_installed_limetypes_are_described(self, application: Application) -> None:
        found = application.limetypes.describe()
        assert (found[ITEM].singular, found[ITEM].plural) == ("Item", "Items")
        for declared in PROPERTIES:
            described = found[ITEM].property(declared.name)
            assert described is not None
            assert (described.type, described.related, described.backref, described.options) == (
                declared.type,
                declared.related,
                declared.backref,
                declared.options,
            )
        name = found[ITEM].property("name")
        assert name is not None
        assert name.length == 20

    def test_steps_that_are_done_change_nothing(self, application: Application) -> None:
        with application.unit_of_work() as work:
            work.objects.add(ITEM, {"name": "a"})
        before = application.limetypes.describe()
        for step in (
            *STEPS,
            AddOption(ITEM, "state", Option("new", "Another text")),
            Lengthen(ITEM, "name", 20),
            Lengthen(ITEM, "name", 5),
        ):
            application.limetypes.apply(step)
        assert application.limetypes.describe() == before
        assert names(application) == ["a"]

    def test_new_property_is_usable_and_keeps_the_objects(self, application: Application) -> None:
        with application.unit_of_work() as work:
            old = work.objects.add(ITEM, {"name": "a"})
        application.limetypes.apply(AddProperty(ITEM, Property("extra", "string", length=10)))
        application.limetypes.apply(
            AddProperty(ITEM, Property("parent", "belongsto", related=ITEM, backref="children"))
        )
        with application.unit_of_work() as work:
            new = work.objects.add(ITEM, {"name": "b", "extra": "e", "parent": old})
            assert work.objects.get(ITEM, new)["parent"] == old
            assert work.objects.get(ITEM, old)["extra"] is None
            assert found_by(work.objects, Equals("extra", "e")) == [new]
        assert names(application) == ["a", "b"]

    def test_relation_to_a_missing_limetype_is_refused(self, application: Application) -> None:
        wrong = Property("owner", "belongsto", related="nosuchtype", backref="items")
        with pytest.raises(InvalidInput, match="nosuchtype"):
            application.limetypes.apply(AddProperty(ITEM, wrong))
        assert application.limetypes.describe()[ITEM].property("owner") is None

    def test_new_option_can_be_chosen(self, application: Application) -> None:
        application.limetypes.apply(AddOption(ITEM, "state", Option("lost", "Lost")))
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"state": "lost"})
            assert found_by(work.objects, Equals("state", "lost")) == [added]

    def test_longer_property_holds_more(self, application: Application) -> None:
        application.limetypes.apply(Lengthen(ITEM, "name", 40))
        with application.unit_of_work() as work:
            work.objects.add(ITEM, {"name": "x" * 40})
            with pytest.raises(InvalidInput, match="name"):
                work.objects.add(ITEM, {"name": "x" * 41})
        assert names(application) == ["x" * 40]


class FilesContract:
    """The promises about the file store, and about telling users something."""

    def test_users_can_be_told_something(self, application: Application) -> None:
        page = application.object_url(ITEM, 4711)
        application.notify(application.user.id, "Grüße 👋 to <b>you</b>", page)
        with application.unit_of_work() as work:
            work.after_commit(lambda: application.notify(application.user.id, "Again", page))
        application.notify(2**40, "Nobody is there to hear this.", page)

    def test_file_reads_back_as_it_was_stored(self, application: Application) -> None:
        content = RANDOM.randbytes(3_000_000)
        stored = application.files.create("photo.png", "image/png", BytesIO(content))
        assert application.files.describe(stored.id) == stored
        assert (stored.filename, stored.content_type) == ("photo.png", "image/png")
        assert stored.size == len(content)
        with application.files.open(stored.id) as stream:
            assert stream.read() == content

    def test_many_files_are_described_at_once(self, application: Application) -> None:
        stored = [
            application.files.create(f"{each}.txt", "text/plain", BytesIO(b"a" * each))
            for each in range(3)
        ]
        ids = [each.id for each in stored]
        found = application.files.describe_many([*ids, "0" * 32, "nonsense"])
        assert found == {each.id: each for each in stored}
        assert application.files.describe_many([]) == {}

    def test_file_can_be_the_value_of_a_property(self, application: Application) -> None:
        stored = application.files.create("a.txt", "text/plain", BytesIO(b"a"))
        with application.unit_of_work() as work:
            added = work.objects.add(ITEM, {"file": stored.id})
            assert work.objects.get(ITEM, added)["file"] == stored.id
            assert found_by(work.objects, Equals("file", stored.id)) == [added]

    @pytest.mark.parametrize(
        "filename",
        [
            "../../etc/passwd",
            "/etc/passwd",
            "C:\\temp\\a.txt",
            "..",
            "",
            "a\0b.txt",
            "a\r\nSet-Cookie: x.txt",
            "\u202egnp.exe",
            "lone \ud800.txt",
            "日本 ✉ é.pdf",
            "x" * 1000 + ".pdf",
            "CON",
        ],
        ids=short,
    )
    def test_filename_is_shown_and_never_a_path(
        self, application: Application, filename: str
    ) -> None:
        stored = application.files.create(filename, "text/plain", BytesIO(b"content"))
        shown = application.files.describe(stored.id).filename
        assert 0 < len(shown) <= 255
        assert not set(shown) & set("/\\\0\r\n")
        shown.encode()
        with application.files.open(stored.id) as stream:
            assert stream.read() == b"content"

    @pytest.mark.parametrize("id_", ["nosuchfile", "../../etc/passwd", "", "a\0b"], ids=short)
    def test_missing_file_is_not_found(self, application: Application, id_: str) -> None:
        with pytest.raises(NotFound):
            application.files.describe(id_)
        with pytest.raises(NotFound):
            application.files.open(id_)
        application.files.delete(id_)

    def test_deleted_file_is_gone_and_can_be_deleted_again(self, application: Application) -> None:
        stored = application.files.create("a.txt", "text/plain", BytesIO(b"a"))
        application.files.delete(stored.id)
        application.files.delete(stored.id)
        with pytest.raises(NotFound):
            application.files.open(stored.id)
