import { describe, expect, it } from 'vitest';

import { fromEditor, placeholder, survivesEditor } from './jinja';

describe('the visual editor is offered for', () => {
  it.each([
    '',
    '<p>Hello {{ recipient.name }},</p>',
    '<p>Hello{% if recipient.name %} {{ recipient.name }}{% endif %},</p>\n<p><br></p>\n<p>x</p>\n',
    '<p>{% if conversation.id > 3 and conversation.id < 9 %}x{% endif %} &amp; y</p>',
    '<p><a href="{{ parent.url }}" title="t">{{ parent.title }}</a> {# a note #}</p>',
    '<h2>t</h2><ul><li><p>one</p><ol><li><p>two</p></li></ol></li></ul><hr />',
    '<blockquote><p><strong>b</strong><em>i</em><s>s</s><code>c</code></p></blockquote>',
    '<p>{{ "a" ~ \'b\' }}</p>',
  ])('%s', (body) => {
    expect(survivesEditor(body)).toBe(true);
  });
});

describe('the visual editor is not offered for what it changes:', () => {
  it.each([
    'bare text',
    '<p style="color: red">x</p>',
    '<div>{{ message.body }}</div>',
    '<p>a</p>{% if parent %}<p>b</p>{% endif %}',
    '<ul>{% for x in [1] %}<li><p>{{ x }}</p></li>{% endfor %}</ul>',
    '<ul><li>one</li></ul>',
    '<table><tr><td>x</td></tr></table>',
    '<p><u>x</u></p>',
    '<p><img src="cid:a"></p>',
    '<p>{{ "a  b" }}</p>',
    '<p>{{ "<b>" }}</p>',
    '<p>{{ "&amp;" }}</p>',
    '<p><a href="{% if parent %}x{% endif %}">x</a></p>',
    '<p>not closed',
    '<p>x</p></p>',
    '<p><p>x</p></p>',
    '<p>x</p><!-- note -->',
    '<p>x <!-- note --> y</p>',
    '<p class="a">x</p>',
  ])('%s', (body) => {
    expect(survivesEditor(body)).toBe(false);
  });
});

describe('what comes back from the visual editor', () => {
  it('has signs again where templates calculate, and nowhere else', () => {
    const html = '<p>{% if a &gt; 1 &amp;&amp; b&nbsp;&lt; 2 %}x &gt; y{% endif %}</p>';
    expect(fromEditor(html)).toBe('<p>{% if a > 1 && b < 2 %}x &gt; y{% endif %}</p>');
  });

  it('has a line for each paragraph, so that errors have one', () => {
    expect(fromEditor('<p>a</p><ul><li><p>b</p></li><li><p>c</p></li></ul><p>d</p>')).toBe(
      '<p>a</p>\n<ul><li><p>b</p></li>\n<li><p>c</p></li></ul>\n<p>d</p>',
    );
  });
});

it('a value can be written only where there is one', () => {
  expect(placeholder('user.name', false)).toBe('{{ user.name }}');
  expect(placeholder('user.name', true)).toBe('{% if user.name %}{{ user.name }}{% endif %}');
});
