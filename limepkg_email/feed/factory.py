"""temp"""

from typing import Any, Protocol
from limepkg_email.hooks import hookimpl


class FeedItemFactory(Protocol): ...


class DefaultFeed:
    @hookimpl(trylast=True)
    def feed_item_factory(self, application: Any) -> Any: ...
