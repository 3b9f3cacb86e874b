"""What a page loads to show the package's web components, where they are built and served."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app, url_for

from limepkg_email.web_components import manifest

_SERVING = "limepkg-email-static"


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """Addresses: scripts of the components and of lime-elements, its styles, its icons' folder."""

    components: str
    elements: str
    styles: tuple[str, ...]
    icons: str


def front_end() -> FrontEnd | None:
    """Give what to load; nothing where it is not built, or where the CRM has no mail."""
    built = manifest() if _SERVING in current_app.blueprints else None
    if built is None:
        return None
    return FrontEnd(
        _address(built.components),
        _address(built.elements),
        tuple(_address(each) for each in built.styles),
        _address(built.icons),
    )


def _address(path: str) -> str:
    return url_for(f"{_SERVING}.file", path=path)
