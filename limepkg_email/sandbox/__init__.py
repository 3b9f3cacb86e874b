"""The bundled mail engine: an HTTP server that speaks EmailEngine's API, with real mailboxes.

It needs nothing of the rest of the package and nothing of the rest of the package needs it.
"""

from limepkg_email.sandbox.options import SandboxOptions
from limepkg_email.sandbox.server import Sandbox, SandboxError
from limepkg_email.sandbox.webhooks import sign

__all__ = ["Sandbox", "SandboxError", "SandboxOptions", "sign"]
