"""The Webordinary test kit: `from webordinary_testkit import Harness, scenario, …`.

The public names are those of `webordinary_testkit.kit`, imported when they are first used. In the repository, `kit`,
`emulation`, `datachannel` and `awsclock` are links to the folders of the same names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import kit
from .kit import __all__
from .kit import __version__ as __version__

if TYPE_CHECKING:
    from .kit import *  # noqa: F403 - the one list of public names is `kit.__all__`


def __getattr__(name: str) -> Any:
    try:
        return getattr(kit, name)
    except AttributeError as error:
        raise AttributeError(str(error).replace(kit.__name__, __name__, 1), name=name) from None


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
