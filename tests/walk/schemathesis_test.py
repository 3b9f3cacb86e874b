"""Made-up requests of every kind against the demo: no server error, no undocumented answer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from limepkg_email.reference.demo import Demo, DemoOptions

HERE = Path(__file__).parent
EXAMPLES = os.environ.get("LIMEPKG_EMAIL_TEST_EXAMPLES", "3")


def test_no_request_however_strange_gets_an_answer_that_is_not_documented(tmp_path: Path) -> None:
    options = DemoOptions(directory=tmp_path / "demo", port=0, engine_port=0, smtp_port=0)
    with Demo(options) as demo:
        result = subprocess.run(
            [
                Path(sys.executable).parent / "schemathesis",
                "--config-file",
                HERE / "schemathesis.toml",
                "run",
                f"{demo.url}/demo/limepkg-email/openapi.json",
                f"--header=x-api-key: {demo.api_key('admin')}",
                f"--max-examples={EXAMPLES}",
                "--workers=2",
                "--seed=1",
                "--generation-database=:memory:",
            ],
            capture_output=True,
            text=True,
            timeout=540,
            cwd=tmp_path,
            check=False,
        )
    assert result.returncode == 0, result.stdout[-20_000:] + result.stderr[-2_000:]
