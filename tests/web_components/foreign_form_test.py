"""A host that puts the accounts into a form of lime-elements, as an administrator's page may.

Such a form compiles code while it runs. Hosts that use one allow that by their policy, ours do not:
so the page here is another one, without any policy.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from limepkg_email.web_components import URL_PREFIX, Manifest
from tests.web_components.host_page import HostPage

pytestmark = pytest.mark.browser

_PAGE = """
<!doctype html>
<html lang="en">
  <head>
    <title>Administration</title>
    <link rel="icon" href="data:," />
    <script type="module" src="../{elements}"></script>
    <script type="module" src="../{components}"></script>
    <script type="module">
      import {{ platform }} from './host.js';
      const component = {{ name: 'lwc-account-management', props: {{ platform }} }};
      const form = document.createElement('limel-form');
      form.schema = {{
        type: 'object',
        properties: {{
          title: {{ type: 'string', title: 'Title' }},
          accounts: {{ type: 'string', title: 'Mailboxes', lime: {{ component }} }},
        }},
      }};
      form.value = {{ title: '', accounts: 'as it was' }};
      form.addEventListener('change', ({{ target, detail }}) => {{
        if (target === form) noteChange((form.value = detail));
      }});
      document.querySelector('main').append(form);
    </script>
  </head>
  <body data-icons="../{icons}"><main id="components"></main></body>
</html>
"""


def test_accounts_stand_in_a_form_and_leave_its_value_alone(
    admin: HostPage, built: Manifest
) -> None:
    page, changes = admin.page, list[Any]()
    html = _PAGE.format(elements=built.elements, components=built.components, icons=built.icons)
    address = f"{admin.demo.url}{URL_PREFIX}/host/form?application=demo"
    page.route(address, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.expose_function("noteChange", lambda value: changes.append(value))
    page.goto(address)
    accounts = page.locator("limel-form lwc-account-management")
    expect(accounts).to_contain_text("support@example.com")
    accounts.get_by_role("searchbox").fill("nobody")
    expect(accounts).not_to_contain_text("support@example.com")
    assert changes == []
    # lime-elements give the fields of a form no name.
    page.locator("limel-form input").first.fill("CRM")
    admin.eventually(lambda: changes, "the form tells of no change")
    assert changes[-1] == {"title": "CRM", "accounts": "as it was"}
