"""How a template looks while it is written."""

import pytest

from limepkg_email.errors import TemplateError
from limepkg_email.templates.preview import preview
from limepkg_email.templates.rendering import TemplateSource

MARK = '<mark style="background-color:#fff3a0">[{}?]</mark>'


def test_a_preview_shows_the_template_with_values_made_up_for_it() -> None:
    shown = preview(TemplateSource("Re: {{ conversation.subject }}", "<p>{{ user.name }}</p>"))
    assert shown.subject == "Re: The delivery of order 4711"
    assert shown.html == "<p>Sam Berg</p>"


def test_values_can_replace_the_examples_in_part() -> None:
    source = TemplateSource("{{ user.name }} {{ user.email }}", "")
    shown = preview(source, {"user": {"name": "Kim"}, "unknown": {"x": "y"}})
    assert shown.subject == "Kim sam.berg@example.org"


def test_a_missing_value_is_marked_and_no_error() -> None:
    source = TemplateSource("a {{ parent.title }}", "<p>{{ parent.title }}</p>")
    shown = preview(source, {"parent": None})
    assert shown.subject == "a [parent.title?]"
    assert shown.html == f"<p>{MARK.format('parent.title')}</p>"


def test_an_unknown_name_is_marked_too() -> None:
    shown = preview(TemplateSource("", "{{ foo }} {{ foo.bar }} {{ user.nam }}"))
    marks = [MARK.format(each) for each in ("foo", "foo.bar", "user.nam")]
    assert shown.html == " ".join(marks)


@pytest.mark.parametrize(
    "expression",
    [
        "foo|upper", "foo|lower", "foo|title", "foo|trim", "foo|date", "foo|time", "foo|truncate",
        "foo|join(',')", "foo|replace('a', 'b')", "foo|nl2br", "foo|e", "foo|default", "foo ~ 'x'",
        "foo + 1", "1 - foo", "foo * 'x'", "'x' + foo", "-foo", "foo < 1", "1 >= foo", "foo == 1",
        "'x' in foo", "foo in 'x'", "foo[0]", "foo['x']", "foo is defined", "foo and 1", "not foo",
        "'a' if foo else 'b'", "[foo]|join", "foo|date|upper", "foo not in 'x'", "foo is none",
        "foo in [1]",
    ],
)  # fmt: skip
def test_whatever_is_done_with_a_missing_value_is_no_error(expression: str) -> None:
    preview(TemplateSource(f"{{{{ {expression} }}}}", f"{{{{ {expression} }}}}"))
    preview(TemplateSource("", f"{{% for x in [{expression}] %}}{{{{ x }}}}{{% endfor %}}"))


def test_a_loop_over_a_missing_value_goes_nowhere() -> None:
    assert preview(TemplateSource("", "a{% for x in foo %}b{% endfor %}")).html == "a"


def test_a_template_that_cannot_be_read_says_why() -> None:
    with pytest.raises(TemplateError, match="Body: Line 2: "):
        preview(TemplateSource("", "a\n{{ user.name"))
