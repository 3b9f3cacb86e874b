"""Starts the demo and walks through it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests

from limepkg_email import endpoints
from limepkg_email.reference.demo import Demo, DemoOptions

from .steps import walk
from .walker import Call, Walker, first_calls

EXAMPLES = Path(endpoints.__file__).parent / "examples.json"


def walked(directory: Path) -> dict[str, Call]:
    """Walk through a demo of its own; gives the first call of each endpoint."""
    options = DemoOptions(directory=directory / "demo", port=0, engine_port=0, smtp_port=0)
    with Demo(options) as demo:
        keys = {"admin": demo.api_key("admin"), "agent": demo.api_key("alva")}
        walker = Walker(demo, keys)

        def sandbox(method: str, path: str, body: Any = None) -> Any:
            url = f"{demo.engine_url}/control{path}"
            answer = requests.request(method, url, json=body, timeout=10)
            answer.raise_for_status()
            return answer.json() if answer.content else None

        walk(walker, demo.service_secret, sandbox)
        return first_calls(walker.calls)
