"""Who an image is said to be: the rule of `images.identity`, from the uri and from what the source itself says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from facesieve.core.pseudonyms import pseudonym
from facesieve.core.sections import Images
from facesieve.images.packs.archive_uris import as_folders

IdentityRule = Callable[[str | None, str | None], str | None]
"""From a uri and the source's own identity to the identity; None for nobody. It can be pickled."""


def identity_rule(settings: Images) -> IdentityRule:
    """Return the rule of `images.identity`; an empty name is none.

    With `images.labels` the source's own identity is the label already, and stays. An archive counts as a folder of
    its name.
    """
    root = settings.root
    if settings.labels:
        return lambda uri, name: name or None
    if settings.identity == "none":
        return lambda uri, name: None
    if settings.identity == "folder":
        if settings.format != "files":
            return lambda uri, name: name or None
        return lambda uri, name: _folder(as_folders(uri or "", root))
    levels = 1 if settings.identity == "top" else int(settings.identity) if settings.identity.isdigit() else 0
    if levels:
        return lambda uri, name: first_folders(as_folders(uri or "", root), levels)
    return _searched(settings.identity)


def _folder(uri: str) -> str | None:
    """Return the name of the folder of a file; None for a file in none."""
    return uri.split("/")[-2] if "/" in uri else None


def first_folders(uri: str, levels: int) -> str | None:
    """Return the first folders of a uri, joined by `/`; None where the file lies in fewer.

    >>> first_folders("Ann/2024/1.jpg", 1), first_folders("Ann/2024/1.jpg", 2), first_folders("Ann/1.jpg", 2)
    ('Ann', 'Ann/2024', None)
    """
    folders = uri.split("/")[:-1]
    return "/".join(folders[:levels]) or None if len(folders) >= levels else None


def _searched(rule: str) -> IdentityRule:
    pattern = re.compile(rule)

    def searched(uri: str | None, name: str | None) -> str | None:
        match = pattern.search(uri or "")
        return (match["identity"] or None) if match else None

    return searched


def hidden(rule: IdentityRule, key: bytes | None) -> IdentityRule:
    """Return the rule with pseudonyms in place of names; as it is without a key."""
    if key is None:
        return rule

    def pseudonymous(uri: str | None, name: str | None) -> str | None:
        identity = rule(uri, name)
        return None if identity is None else pseudonym(key, identity)

    return pseudonymous


def united(rule: IdentityRule, spelling: Mapping[str, str]) -> IdentityRule:
    """Return the rule with identities that meet written as one: `spelling` leads from the others to it."""
    if not spelling:
        return rule

    def one_spelling(uri: str | None, name: str | None) -> str | None:
        identity = rule(uri, name)
        return None if identity is None else spelling.get(identity, identity)

    return one_spelling
