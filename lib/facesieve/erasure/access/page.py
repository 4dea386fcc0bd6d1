"""The page of what is held about a person: one file, without scripts, that can be printed; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

Facts = Mapping[str, Any]

_STYLE = """
body { font: 11pt/1.45 Georgia, serif; color: #111; background: #fff; max-width: 48rem; margin: 2rem auto; }
body { padding: 0 1rem; } h1, h2, h3 { font-family: Helvetica, Arial, sans-serif; line-height: 1.2; }
h2 { border-bottom: 1px solid #999; margin-top: 2rem; } h3 { margin-bottom: .3rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top; }
td, th { border-bottom: 1px solid #ccc; padding: .15rem .6rem .15rem 0; overflow-wrap: anywhere; }
section { break-inside: avoid; } th { font-weight: bold; }
@media print { body { margin: 0; max-width: none; } }
"""
_HEAD = (
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
    '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    f"<title>What is held about you</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
)
_ABOUT = (
    "This page tells what facesieve holds of the images below, which were chosen by what was asked for. "
    "Other people are not named: their images are counted, or called another image. "
    "The file subject.json beside this page has the same, and the vectors of the faces."
)


def page(record: Facts) -> str:
    """Return the page of a record of access."""
    parts = [
        f"<h1>What is held about you</h1>\n<p>{escape(_ABOUT)}</p>\n",
        _list(f"{name.replace('_', ' ')}: {', '.join(map(str, each))}" for name, each in record["asked_for"].items()),
        f"<p>Made at {escape(record['made'])} (UTC).</p>\n",
        f"<h2>Images ({len(record['images'])})</h2>\n",
        _compared(record["images"]),
        *map(_image, record["images"]),
        _links(record["edges"]),
        "<h2>Tables and their versions</h2>\n",
        *(_versions(name, each) for name, each in record["tables"].items()),
        "<h2>Exports</h2>\n",
        _exports(record["exports"]),
        "<h2>Runs that processed these images</h2>\n",
        *(map(_run, record["runs"]) if record["runs"] else ["<p>None is known.</p>\n"]),
        f"<h2>What this page cannot tell</h2>\n{_list(record['not_covered'])}",
    ]
    return f"{_HEAD}{''.join(parts)}</body>\n</html>\n"


def _compared(images: Iterable[Facts]) -> str:
    """Say once what decisions rest on; of whom the other face is cannot be told."""
    if not any(decision["compared_with"] for image in images for decision in image["decisions"]):
        return ""
    return (
        "<p>For each decision the face of an image was compared with faces of other images. "
        "Which images those are, and whom they show, is not told here.</p>\n"
    )


def _image(image: Facts) -> str:
    hidden = "an image under a path that may name somebody else"
    rows = [
        ("id", image["image_id"]),
        ("listed under", ", ".join(image["names"]) or "no name"),
        ("in the source at the last listing", "yes" if image["listed"] else "no"),
        ("bytes", image["size"]),
        ("changed", image["modified"]),
        ("SHA-256", image["sha256"]),
        *((f"{each['kind']} since", each["since"]) for each in image["idle"]),
        *(("gave no face", each["words"]) for each in image["rejects"]),
        *(row for each in image["decisions"] for row in _decision(each)),
        *(("published under", each["name"]) for each in image["published"]),
    ]
    faces = "".join(_face(number, each) for number, each in enumerate(image["faces"], start=1))
    title = image["uri"] or (hidden if image["uri_hidden"] else "an image without a path")
    return f"<section>\n<h3>{escape(title)}</h3>\n{_table(rows)}{faces}</section>\n"


def _decision(decision: Facts) -> list[tuple[str, Any]]:
    why = " ".join(each["words"] for each in decision["reasons"])
    return [
        ("decision", decision["words"]),
        ("why", why or "No rule spoke against the image."),
        ("name after the decision", decision["moved_to"]),
        ("kept in its place", decision["kept_in_its_place"]),
        ("probability of the decision", _rounded(decision["confidence"])),
    ]


def _face(number: int, face: Facts) -> str:
    box, near = face["box"], face["nearest_own"]
    place = ", ".join(f"{name} {value}" for name, value in box.items()) if box else None
    rows = [
        ("face", f"{number}, which may be another person's" if face["withheld"] else number),
        ("not told in full", face["withheld"]),
        ("where on the image, in pixels", place),
        ("certainty of the detector", _rounded(face["confidence"])),
        ("description", f"{face['numbers']} numbers by the model {face['model']}"),
        ("stored as well, in subject.json", _more(face)),
        ("notes", " ".join(each["words"] for each in face["notes"])),
        *(("group", _group(each)) for each in face["clusters"]),
        ("most like your image", f"{near['image_id']} (cosine {near['cosine']})" if near else None),
    ]
    return _table(rows)


def _more(face: Facts) -> str:
    """Name what else is told of a face in the file for programs."""
    points = f"{len(face['landmarks']) // 2} points of the face" if face["landmarks"] else ""
    hashes = {"phash": "the picture", "turned_phash": "the turned picture", "face_phash": "the upright face"}
    prints = [words for name, words in hashes.items() if face[name]]
    return "; ".join(filter(None, [points, f"perceptual hashes of {', '.join(prints)}" if prints else ""]))


def _group(cluster: Facts) -> str:
    return f"{cluster['scope']}: {cluster['own_faces']} of these images' faces and {cluster['other_faces']} others"


def _links(edges: Facts) -> str:
    return (
        f"<p>Pairs of like faces that are stored: {edges['own']} among these images, "
        f"{edges['with_other_images']} with another image.</p>\n"
    )


def _versions(name: str, facts: Facts) -> str:
    rows = [(each["at"], f"{each['rows']} rows, by the run {each['run'] or '(none)'}") for each in facts["versions"]]
    return f"<section>\n<h3>{escape(name)}: {facts['rows']} rows as it stands</h3>\n{_table(rows)}</section>\n"


def _exports(exports: Sequence[Facts]) -> str:
    lines = [
        f"{each['form']} of the run {each['run']}: "
        + ("unfinished, so that it may hold them" if each["unfinished"] else f"{each['rows']} rows")
        for each in exports
    ]
    return _list(lines) if lines else "<p>None holds these images.</p>\n"


def _run(run: Facts) -> str:
    sure = "" if run["sure"] else " (its versions are gone: it may have processed these images)"
    rows = [(each["at"], _act(each)) for each in run["acts"]] or [(run["started"], run["status"])]
    return f"<section>\n<h3>{escape(run['run'] + sure)}</h3>\n{_table(rows)}</section>\n"


def _act(act: Facts) -> str:
    stated = (f"{name}: {act[name]}" for name in ("operator", "purpose", "basis") if act[name])
    return "; ".join([act["what"], *stated])


def _table(rows: Iterable[tuple[str, Any]]) -> str:
    """Write rows of a heading and a value; those without a value are left out."""
    lines = (
        f'<tr><th scope="row">{escape(str(name))}</th><td>{escape(str(value))}</td></tr>\n'
        for name, value in rows
        if value not in (None, "")
    )
    return f"<table>\n{''.join(lines)}</table>\n"


def _list(lines: Iterable[str]) -> str:
    return f"<ul>\n{''.join(f'<li>{escape(line)}</li>' + chr(10) for line in lines)}</ul>\n"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
