"""An HTTP service, `mien serve`: photos in, faces, people and challenges out; see ``docs/service.md``.

Python starts it as well::

    settings = Settings(gallery=Path("people.db"))
    app = create_app(settings)             # any ASGI server can run it
    serve(settings, Listening(port=8000))  # or this, until a signal ends it

Photos are in memory for as long as a request takes, and nowhere else.
"""

from __future__ import annotations

from mien.server.app import create_app
from mien.server.keys import Key, Role
from mien.server.run import Listening, serve
from mien.server.settings import Limits, Settings

__all__ = ["Key", "Limits", "Listening", "Role", "Settings", "create_app", "serve"]
