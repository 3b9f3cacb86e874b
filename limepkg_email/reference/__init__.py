"""The bundled small CRM: a complete host, to try the package with and to prove it against."""

from limepkg_email.reference.application import ReferenceApplication
from limepkg_email.reference.host import ReferenceHost
from limepkg_email.reference.options import ReferenceApplicationOptions

__all__ = ["ReferenceApplication", "ReferenceApplicationOptions", "ReferenceHost"]
