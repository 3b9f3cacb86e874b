"""What templates can do, and what they are kept from doing however they are written."""

import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from limepkg_email.errors import InvalidInput, TemplateError
from limepkg_email.templates.budget import Limits
from limepkg_email.templates.context import (
    KNOWN,
    ConversationValues,
    MessageValues,
    PersonValues,
    Value,
    context_for,
)
from limepkg_email.templates.filters import Locale
from limepkg_email.templates.preview import MOCKED
from limepkg_email.templates.rendering import TemplateSource, check, render

IN_TIME = 3.0

HOSTILE = {
    "classes": "{{ ''.__class__.__mro__ }}",
    "classes by item": "{{ user['__class__'] }}",
    "classes by a computed item": "{{ user['__cla' ~ 'ss__']['__mro__'] }}",
    "format": "{{ '{0.__class__}'.format(user) }}",
    "format map": "{{ '{user.__class__}'.format_map(user) }}",
    "attr": "{{ user|attr('__class__') }}",
    "percent": "{{ '%1000000000d' % 1 }}",
    "percent in a test": "{{ '%1000000000d' is odd }}{{ '%1000000000d' is divisibleby(7) }}",
    "self": "{{ self.__init__.__globals__ }}",
    "cycler": "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "lipsum": "{{ lipsum(1000000) }}",
    "range": "{% for x in range(1000000000) %}x{% endfor %}",
    "namespace": "{% set n = namespace(a=1) %}",
    "macro": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "recursive loop": "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "call": "{% call f() %}{% endcall %}",
    "include": "{% include '/etc/passwd' %}",
    "import": "{% import 'os' as os %}",
    "from": "{% from 'os' import path %}",
    "extends": "{% extends 'base' %}",
    "block": "{% block a %}{{ self.a() }}{% endblock %}",
    "autoescape": "{% autoescape false %}{{ user.name }}{% endautoescape %}",
    "safe": "{{ user.name|safe }}",
    "power": "{{ 9**9**9 }}",
    "power times text": "{{ 'a' * 10**9 }}",
    "long text": "{{ 'a' * 1000000000 }}",
    "great number": "{{ 999999999 * 999999999 * 999999999 }}",
    "long number": "{{ " + "9" * 5000 + " }}",
    "infinite number": "{{ 1e400 - 1e400 }}",
    "replace bomb": "{{ 'a'|replace('a', 'b' * 9000)|replace('b', 'c' * 9000)|replace('c', 'd') }}",
    "doubling": "{% for a in ['x' * 9999] %}{% for b in ["
    + " ~ ".join("a" * 100)
    + "] %}{% for c in ["
    + " ~ ".join("b" * 100)
    + "] %}{{ c }}{% endfor %}{% endfor %}{% endfor %}",
    "many long texts": "{{ [" + "'a' * 9999, " * 4000 + "]|join }}",
    "nested loops": "{% for a in message.body %}" * 5 + "x" + "{% endfor %}" * 5,
    "long loops": "{% for a in 'x' * 9999 %}" * 3 + "{% endfor %}" * 3,
    "loops over loops": "{% for a in ['x'] if loop %}{% endfor %}" + "{% for a in 'x' * 9999 %}"
    "{% for b in 'x' * 9999 if b == 'y' %}{% endfor %}{% endfor %}",
    "great output": "{% for a in 'x' * 5000 %}" + "y" * 10_000 + "{% endfor %}",
    "deep brackets": "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "deep lists": "{{ " + "[" * 200 + "1" + "]" * 200 + " }}",
    "deep ifs": "{% if 1 %}" * 500 + "{% endif %}" * 500,
    "long sum": "{{ 1" + " + 1" * 9000 + " }}",
    "many minuses": "{{ " + "-" * 20_000 + "1 }}",
    "too long": "x" * 60_000,
    "unclosed": "{{ user.name ",
    "division": "{{ 1 / 0 }}",
    "whole value": "{{ user }}",
    "no list": "{% for x in user %}{% endfor %}",
    "no date": "{{ user.name|date }}",
    "wrong use": "{{ user.name|truncate('a') }}",
}


WORDS = [
    "{{", "}}", "{% ", " %}", " ", "if", "for", "in", "user", ".", "name", "|", "upper", "(", ")",
    "[", "]", "'", "1", "+", "*", "~", "endif", "endfor", "_", "\x00", "-",
]  # fmt: skip


def body_of(text: str, *, strict: bool = True, **values: Mapping[str, Value] | None) -> str:
    return render(TemplateSource("", text), {**MOCKED, **values}, strict=strict).html


def refusal(text: str, field: str = "body") -> str:
    source = TemplateSource(text, "") if field == "subject" else TemplateSource("", text)
    with pytest.raises(TemplateError) as caught:
        check(source, MOCKED)
    return " ".join(caught.value.errors[field])


@pytest.mark.parametrize("field", ["subject", "body"])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("way", ["checked", "sent"])
def test_a_hostile_template_is_refused_in_time_with_a_sentence(
    text: str, field: str, way: str
) -> None:
    source = TemplateSource(text, "") if field == "subject" else TemplateSource("", text)
    use = check if way == "checked" else render
    began = time.process_time()
    with pytest.raises(TemplateError) as caught:
        use(source, MOCKED)
    assert time.process_time() - began < IN_TIME
    (sentence, *_) = caught.value.errors[field]
    assert sentence.endswith((".", "?"))
    assert field.capitalize() in caught.value.message


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_template_gives_nothing_away_in_the_preview_either(text: str) -> None:
    began = time.process_time()
    try:
        html = body_of(text, strict=False)
    except TemplateError:
        html = ""
    assert time.process_time() - began < IN_TIME
    assert "class" not in html
    assert len(html) < 10_000


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(WORDS)).map("".join))
def test_any_text_is_rendered_or_refused(text: str) -> None:
    with suppress(TemplateError):
        body_of(text, strict=False)


def test_a_template_error_is_invalid_input_for_the_client() -> None:
    assert issubclass(TemplateError, InvalidInput)
    assert TemplateError.status == 422


def test_the_time_that_a_template_may_take_is_bounded() -> None:
    instants = iter(range(1000))
    with pytest.raises(TemplateError, match="longer than 2 seconds"):
        render(
            TemplateSource("", "{% for x in 'abcdefgh' %}{% if x %}{% endif %}{% endfor %}"),
            MOCKED,
            clock=lambda: float(next(instants)),
        )


def test_the_length_of_the_result_is_bounded() -> None:
    source = TemplateSource("", "{% for x in 'abcdefgh' %}0123456789{% endfor %}")
    assert render(source, MOCKED, limits=Limits(output=80)).html == "0123456789" * 8
    with pytest.raises(TemplateError, match="longer than 79 characters"):
        render(source, MOCKED, limits=Limits(output=79))


def test_values_are_escaped_wherever_they_stand() -> None:
    values = context_for(
        ConversationValues(1, '<script>alert(1)</script> & "x"'),
        recipient=PersonValues("javascript:alert(1)"),
    )
    source = TemplateSource(
        "Re: {{ conversation.subject }}",
        '<p title="{{ conversation.subject }}">{{ conversation.subject|upper }}</p>'
        '<a href="{{ recipient.name }}">x</a>{{ conversation.subject ~ "<b>" }}',
    )
    rendered = render(source, values)
    assert rendered.subject == 'Re: <script>alert(1)</script> & "x"'
    assert "<script" not in rendered.html.lower().replace('title="<script', "")
    assert "javascript" not in rendered.html
    assert "&lt;b&gt;" in rendered.html


def test_the_body_of_a_message_stays_html_and_its_words_can_be_used_as_text() -> None:
    values = context_for(message=MessageValues(body="<p>Hej &amp; <b>välkommen</b></p>"))
    assert (
        render(TemplateSource("{{ message.body }}", "{{ message.body }}"), values).html
        == "<p>Hej &amp; <b>välkommen</b></p>"
    )
    source = TemplateSource("{{ message.body }}", "{{ message.body|upper|trim }}")
    rendered = render(source, values)
    assert rendered.subject == "Hej & välkommen"
    assert rendered.html == "HEJ &amp; VÄLKOMMEN"


def test_a_subject_is_one_line() -> None:
    values = context_for(ConversationValues(1, "a\r\nBcc: x@example.com"))
    source = TemplateSource("{{ conversation.subject }}\n", "")
    assert render(source, values).subject == "a Bcc: x@example.com"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ user.name|upper }}", "SAM BERG"),
        ("{{ user.name|lower }}", "sam berg"),
        ("{{ 'sam berg'|title }}", "Sam Berg"),
        ("{{ '  x '|trim }}", "x"),
        ("{{ user.name|truncate(4) }}", "Sam…"),
        ("{{ user.name|truncate(40) }}", "Sam Berg"),
        ("{{ [user.name, account.name]|join(', ') }}", "Sam Berg, Support"),
        ("{{ user.name|replace('Sam', 'Kim') }}", "Kim Berg"),
        ("{{ 'a\nb<'|nl2br }}", "a<br>\nb&lt;"),
        ("{{ '<'|e }}{{ '<'|escape|e }}", "&lt;&lt;"),
        ("{{ user.name ~ ' & ' ~ account.name }}", "Sam Berg &amp; Support"),
        ("{{ 'a' + 'b' }}{{ 2 * 3 + 1 - 4 / 2 }}", "ab5.0"),
        ("{{ '-' * 5 }}{{ 7 // 2 }}{{ 7 % 2 }}{{ -1 }}", "-----31-1"),
        ("{% for x in ['a', 'b'] %}{{ loop.index }}{{ x }}{% endfor %}", "1a2b"),
        ("{% for x in [] %}{% else %}none{% endfor %}", "none"),
        ("{% if user.name == 'Sam Berg' and not false %}yes{% else %}no{% endif %}", "yes"),
        ("{{ user.name if user.name is defined else '-' }}", "Sam Berg"),
        ("{{ user['name'] }}", "Sam Berg"),
        ("{{ message.date|date }} {{ message.date|time }}", "22 November 2026 09:30 UTC"),
        ("{{ message.date|date('sv') }}", "22 november 2026"),
        ("{{ message.date|date('fi') }}", "2026-11-22"),
        ("{{ message.date }}", "22 November 2026 09:30 UTC"),
        ("{# a remark #}{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
    ],
)
def test_what_the_language_offers(text: str, expected: str) -> None:
    check(TemplateSource(text, text), MOCKED)
    assert body_of(text) == expected


def test_dates_are_written_in_the_language_and_zone_of_the_mail() -> None:
    values = context_for(message=MessageValues(date=datetime(2026, 1, 31, 23, 30, tzinfo=UTC)))
    source = TemplateSource("{{ message.date|date }} {{ message.date|time }}", "", "sv")
    locale = Locale("sv", ZoneInfo("Europe/Stockholm"))
    assert render(source, values).subject == "31 januari 2026 23:30 UTC"
    assert render(source, values, locale=locale).subject == "1 februari 2026 00:30"


def test_every_unknown_name_is_named_with_its_line_and_what_was_probably_meant() -> None:
    text = "<p>{{ conversation.subjekt }}\n{{ foo }}\n{{ recipent.name }}\n{{ user.name|uper }}</p>"
    with pytest.raises(TemplateError) as caught:
        check(TemplateSource("{{ acount.name }}", text), MOCKED)
    assert caught.value.errors == {
        "subject": ["Line 1: There is no value `acount`. Did you mean `account`?"],
        "body": [
            "Line 1: There is no value `conversation.subjekt`."
            " Did you mean `conversation.subject`?",
            "Line 2: There is no value `foo`.",
            "Line 3: There is no value `recipent`. Did you mean `recipient`?",
            "Line 4: There is no filter `uper`. Did you mean `upper`?",
        ],
    }


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("{% if false %}{{ foo }}{% endif %}", "foo"),
        ("{{ foo is defined }}", "foo"),
        ("{{ foo|default('x') }}", "foo"),
        ("{{ user.name.first }}", "user.name.first"),
        ("{{ user['nam'] }}", "user.nam"),
        ("{% for x in ['a'] %}{{ x.foo }}{% endfor %}", "x.foo"),
        ("{% for x in ['a'] %}{% endfor %}{{ x }}", "x"),
        ("{% for x in ['a'] %}{{ loop.parent }}{% endfor %}", "loop.parent"),
        ("{% for user in ['a'] %}{% endfor %}", "user"),
        ("{{ loop.index }}", "loop"),
    ],
)
def test_a_name_that_nobody_knows_cannot_be_saved(text: str, name: str) -> None:
    assert f"`{name}`" in refusal(text)


def test_every_part_of_every_value_can_be_used() -> None:
    for name, parts in KNOWN.items():
        for part in parts:
            check(TemplateSource(f"{{{{ {name}.{part} }}}}", ""), MOCKED)


def test_the_line_of_what_fails_while_it_is_rendered_is_named() -> None:
    assert refusal("a\nb\n{{ 1 / 0 }}").startswith("Line 3: ")
    assert refusal("a\n{{ user }}").startswith("Line 2: ")
    assert refusal("a\n\n{% for x in 'x' * 9999 %}{% for y in 'xx' %}{% endfor %}{% endfor %}") == (
        "Line 3: The loops go round more than 10,000 times."
    )


def test_a_missing_value_is_an_error_when_it_is_written_in_a_mail() -> None:
    with pytest.raises(TemplateError) as caught:
        body_of("a\n{{ parent.title }}", parent=None)
    assert caught.value.errors == {
        "body": ["Line 2: This cannot be worked out: `parent.title` has no value."]
    }


@pytest.mark.parametrize(
    "text", ["{{ parent.title|upper }}", "{{ parent.title ~ 'x' }}", "{{ parent.id + 1 }}"]
)
def test_a_missing_value_is_an_error_however_it_is_written(text: str) -> None:
    with pytest.raises(TemplateError, match="has no value"):
        body_of(text, parent=None)


def test_it_can_be_asked_whether_a_value_is_missing() -> None:
    text = "{% if parent %}{{ parent.title }}{% endif %}{{ parent.title|default('-') }}"
    assert body_of(text, parent=None) == "-"
    assert body_of("{% if parent.title is defined %}x{% endif %}", parent=None) == ""


def test_the_result_is_harmless_and_its_styles_are_inlined() -> None:
    text = "<style>p { color: #123456 }</style><p onclick='x()'>a</p><script>x()</script>"
    assert body_of(text) == '<p style="color:#123456">a</p>'


def test_the_values_of_a_template_cannot_be_changed() -> None:
    values = context_for(user=PersonValues("Sam"))
    with pytest.raises(TypeError):
        values["user"] = None  # type: ignore[index]
    assert isinstance(context_for(message=MessageValues(body="<p>x</p>"))["message"], Mapping)
    message = context_for(message=MessageValues(body="<p>x</p>"))["message"]
    assert message is not None
    assert isinstance(message["body"], Markup)
