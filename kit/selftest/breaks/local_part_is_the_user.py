"""Users with the same local part at two domains share one folder."""

from typing import Any

from ..breaking import MIXES, Break, part

BREAK = Break("edit", MIXES, r"isolation: \S+ of session \S+ .* surfaced in")


@BREAK.replaces("edit.owners", "Owners.folder")
def shared(_folder: Any, _owners: Any, _client_id: str, user_id: str) -> Any:
    return part("names").user_folder(user_id)
