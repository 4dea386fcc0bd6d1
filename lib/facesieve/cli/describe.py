"""describe: what a model is, told by its files, with a profile to paste."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facesieve.cli.arguments import parser_of
from facesieve.cli.problems import Exit, explain
from facesieve.cli.published_profiles import PublishedProfile, published_profile
from facesieve.cli.shipped import shipped
from facesieve.core import logs, profiles
from facesieve.core.errors import ConfigError, Fault, ModelError
from facesieve.core.profiles import Profile
from facesieve.lake import session
from facesieve.models import embedder, recognition, runtime
from facesieve.models import files as model_files
from facesieve.models.files import ModelFiles
from facesieve.models.network import Facts
from facesieve.models.outline import Outline, outline
from facesieve.models.profile_template import SHELL, profile_of, profile_text
from facesieve.models.whereabouts import files_of


@dataclass(frozen=True)
class Description:
    """A model's files, their form, what they say, and a profile that uses them (`confirmed`: it was there before).

    `published`: the profile of a folder that means these very files.
    """

    files: ModelFiles
    form: str
    facts: Facts
    profile: Profile
    confirmed: bool = False
    published: PublishedProfile | None = None

    @property
    def closing(self) -> str:
        """What stands below the facts: a profile to paste, or that there is one with thresholds already."""
        if self.confirmed:
            return f"The files are what the profile {self.profile.name} says."
        if self.published is None:
            return profile_text(self.profile, self.facts)
        name = self.published.name
        return (
            f'# These are the files of the profile {name}: set embed.model = "{name}". Its thresholds are measured.\n'
            f"# The profile, with the place of these files:\n{self.published.of_file(self.profile.file)}"
        )

    def record(self) -> dict[str, object]:
        """Everything, for programs."""
        return {
            **_files_record(self.files, self.form),
            "inputs": list(self.facts.inputs),
            "outputs": list(self.facts.outputs),
            "input": list(self.profile.input),
            "dimension": self.profile.dimension,
            "parameters": self.facts.parameters,
            "notes": list(self.facts.notes),
            "profile": self.profile.name if self.confirmed else self.closing,
            "published": self.published.name if self.published else None,
        }

    def text(self) -> str:
        """Everything, for a person."""
        rows = [
            *_file_rows(self.files, self.form),
            ("input", list(self.facts.inputs)),
            ("output", list(self.facts.outputs)),
            ("dimension", [f"{self.profile.dimension} (tried: it gives that many finite numbers)"]),
            ("parameters", [f"{self.facts.parameters:,}"]),
            ("notes", list(self.facts.notes)),
        ]
        return f"{_lines(rows)}\n\n{self.closing}"


class UnusableModel(ModelError):
    """A model that cannot be used, with what its files tell all the same."""

    def __init__(self, problem: ModelError, files: ModelFiles, form: str) -> None:
        super().__init__(str(problem))
        self.files, self.form = files, form
        self.outline: Outline = outline(files, form)

    def record(self) -> dict[str, object]:
        """What could be read, for programs."""
        ends = {"inputs": list(self.outline.inputs), "outputs": list(self.outline.outputs)}
        return {**_files_record(self.files, self.form), **ends, "problem": str(self)}

    def text(self) -> str:
        """What could be read, for a person."""
        ends = [("input", list(self.outline.inputs)), ("output", list(self.outline.outputs))]
        return _lines([*_file_rows(self.files, self.form), *ends])


Rows = list[tuple[str, list[str]]]
"""A name and its lines."""


def _file_rows(files: ModelFiles, form: str) -> Rows:
    directory = files.directory
    sizes = [f"{len(content):>13,} bytes  {name}" for name, content in sorted(files.contents.items())]
    return [
        ("form", [form]),
        ("path", [str(files.root)]),
        ("files" if directory else "file", sizes),
        ("sha256", [model_files.digest(files), *([f"as: {SHELL}"] if directory else [])]),
    ]


def _lines(rows: Rows) -> str:
    return "\n".join(
        f"{name if not index else '':<11} {line}" for name, shown in rows for index, line in enumerate(shown)
    )


def _files_record(files: ModelFiles, form: str) -> dict[str, object]:
    contents = files.contents
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    return {
        "form": form,
        "path": str(files.root),
        "files": {name: {"bytes": len(contents[name]), "sha256": digests[name]} for name in contents},
        "sha256": model_files.digest(files),
    }


def describe(path: Path, hint: Profile | None = None) -> Description:
    """Say what the model at a path is, and try it with one crop of noise. Needs TensorFlow, but no Spark.

    `hint`: a profile whose name, output and, where the file leaves it open, size are taken. Raises ModelError if the
    files are no model, and UnusableModel, which tells the tensors, if they are one that is not accepted.
    """
    return _of_files(model_files.read(path), str(path), hint)


def _of_files(files: ModelFiles, place: str, hint: Profile | None) -> Description:
    form = recognition.form_of(files)
    if not form:
        mistake = recognition.mistaken(files) or "is no model of a form that is known"
        raise ModelError(f"{place} {mistake}. Accepted: {', '.join(profiles.FORMS)}")
    try:
        facts: Facts = embedder.form(form).facts(files)
        profile = profile_of(files, form, facts, hint.name if hint else files.root.stem)
        if hint is not None:
            profile = replace(profile, output=hint.output, input=facts.input_size or hint.input)
        return Description(files, form, facts, _tried(files, profile))
    except ModelError as problem:
        raise UnusableModel(problem, files, form) from None


def _tried(files: ModelFiles, profile: Profile) -> Profile:
    """Run the model on one crop, and return the profile with the dimension that came out."""
    loaded = embedder.prepared(files, profile)
    crop = embedder.noise(profile)
    vector = loaded.raw(crop)
    if vector.ndim != 2 or len(vector) != 1:
        raise ModelError(f"{files.root}: an image gives {list(vector.shape)}, one row of numbers is accepted")
    fitted = replace(profile, dimension=int(vector.shape[1]))
    replace(loaded, profile=fitted).embed(crop)
    return fitted


def compare(profile: Profile) -> Description:
    """Describe the model of a profile. Raises ConfigError with every key in which the files differ from it."""
    description = _of_files(files_of(profile), profile.file, profile)
    faults = [
        Fault(f"{profile.name}: {key}", f"the profile says {_plain(wish)}, the files say {_plain(own)}", "Correct it.")
        for key in ("sha256", "form", "input", "dimension")
        if (wish := getattr(profile, key)) != (own := getattr(description.profile, key))
    ]
    if faults:
        raise ConfigError(faults)
    return replace(description, profile=profile, confirmed=True)


def main(about: str, argv: Sequence[str] | None = None, name: str = "") -> int:
    """Print what the model is that the arguments name; return the exit code: 0, or 2 with a sentence."""
    session.separate_errors()
    parser = parser_of(name, about)
    parser.add_argument("model", metavar="MODEL", help="a model's file or folder, a profile's name, or its .toml")
    arguments = parser.parse_args(argv)
    logs.set_up(arguments.log_format)
    try:
        with runtime.silenced():
            description = _described(arguments.model, shipped("conf/models"))
    except (ConfigError, ModelError) as problem:
        if isinstance(problem, UnusableModel):
            _print(problem, arguments.json)
        return explain(problem)
    _print(description, arguments.json)
    return Exit.DONE


def _print(answer: Description | UnusableModel, as_json: bool) -> None:
    print(json.dumps(answer.record(), sort_keys=True) if as_json else answer.text())


def _described(model: str, folder: Path) -> Description:
    path = Path(model)
    if not model.endswith(".toml"):
        if path.exists():
            description = describe(path)
            return replace(description, published=published_profile(description.profile.sha256, folder))
        if path.name != model or path.suffix:
            raise ModelError(f"{model} does not exist")
    return compare(profiles.load(model, str(folder)))


def _plain(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
