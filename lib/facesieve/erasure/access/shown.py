"""Which names, paths and ids are the person's own, so that the person may be told them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from facesieve.core.hidden_paths import PathSeal
from facesieve.erasure.selectors import Selectors
from facesieve.erasure.subject import Subject

OTHER_NAME, OTHER_IMAGE = "another name", "another image"


@dataclass(frozen=True)
class Shown:
    """A name is the person's own if it was asked for, or if nobody else bears it.

    A path is shown if all names that its image bears are, or if it was asked for: a path mostly has the name in it.
    pseudonyms: names asked for by what stands in the tables for them. seal: what hides the paths of this lake.

    >>> ann = Shown(Selectors(identity=("ann",), prefix=("b/1",)), Subject(images=(1,), names=("Ann K",)))
    >>> ann.name("ann"), ann.name("bob"), ann.name(None), ann.image(1), ann.image(2), ann.image(None)
    ('ann', 'another name', None, 1, 'another image', None)
    >>> ann.uri("b/1.jpg", ["bob"]), ann.uri("b/2.jpg", ["bob", "ann"]), ann.uri("a.jpg", ["Ann K", None])
    ('b/1.jpg', None, 'a.jpg')
    """

    selectors: Selectors
    subject: Subject
    pseudonyms: Mapping[str, str] = field(default_factory=dict)
    seal: PathSeal | None = None

    def name(self, name: str | None) -> str | None:
        """Return a name, or that it is another's; None where there is none."""
        return None if name is None else self.pseudonyms.get(name, name) if self.owns(name) else OTHER_NAME

    def image(self, image: int | None) -> int | str | None:
        """Return the id of an image, or that it is another's; None where there is none."""
        return image if image is None or image in self.subject.images else OTHER_IMAGE

    def uri(self, uri: str, names: Iterable[str | None]) -> str | None:
        """Return the path of an image that bears these names; None where it may not be shown."""
        uri = self.seal.show(uri) if self.seal else uri
        asked = uri in self.selectors.uri or any(uri.startswith(prefix) for prefix in self.selectors.prefix)
        return uri if asked or all(name is None or self.owns(name) for name in names) else None

    def owns(self, name: str) -> bool:
        """Say whether a name is the person's own."""
        asked = self.pseudonyms.get(name, name) in self.selectors.identity
        return asked or name in self.subject.names
