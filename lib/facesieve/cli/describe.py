"""describe: what a model is, told by its files, with a profile to paste."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from facesieve.cli.arguments import parser_of
from facesieve.cli.problems import Exit, explain
from facesieve.cli.shipped import shipped
from facesieve.core import logs, profiles
from facesieve.core.errors import ConfigError, Fault, ModelError
from facesieve.core.profiles import Profile
from facesieve.lake import session
from facesieve.models import embedder, recognition, runtime
from facesieve.models import files as model_files
from facesieve.models.files import ModelFiles
from facesieve.models.network import Facts
from facesieve.models.profile_template import SHELL, profile_of, profile_text


@dataclass(frozen=True)
class Description:
    """A model's files, their form, what they say, and a profile that uses them (`confirmed`: it was there before)."""

    files: ModelFiles
    form: str
    facts: Facts
    profile: Profile
    confirmed: bool = False

    @property
    def closing(self) -> str:
        """What stands below the facts: a profile to paste, or that the one there is right."""
        if self.confirmed:
            return f"The files are what the profile {self.profile.name} says."
        return profile_text(self.profile, self.facts)

    def record(self) -> dict[str, object]:
        """Everything, for programs."""
        contents = self.files.contents
        digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
        return {
            "form": self.form,
            "path": str(self.files.root),
            "files": {name: {"bytes": len(contents[name]), "sha256": digests[name]} for name in contents},
            "sha256": self.profile.sha256,
            "inputs": list(self.facts.inputs),
            "outputs": list(self.facts.outputs),
            "input": list(self.profile.input),
            "dimension": self.profile.dimension,
            "parameters": self.facts.parameters,
            "notes": list(self.facts.notes),
            "profile": self.profile.name if self.confirmed else self.closing,
        }

    def text(self) -> str:
        """Everything, for a person."""
        directory = self.files.directory
        sizes = [f"{len(content):>13,} bytes  {name}" for name, content in sorted(self.files.contents.items())]
        rows = [
            ("form", [self.form]),
            ("path", [str(self.files.root)]),
            ("files" if directory else "file", sizes),
            ("sha256", [self.profile.sha256, *([f"as: {SHELL}"] if directory else [])]),
            ("input", list(self.facts.inputs)),
            ("output", list(self.facts.outputs)),
            ("dimension", [f"{self.profile.dimension} (tried: it gives that many finite numbers)"]),
            ("parameters", [f"{self.facts.parameters:,}"]),
            ("notes", list(self.facts.notes)),
        ]
        lines = [f"{name if not index else '':<11} {line}" for name, shown in rows for index, line in enumerate(shown)]
        return "\n".join([*lines, "", self.closing])


def describe(path: Path, hint: Profile | None = None) -> Description:
    """Say what the model at a path is, and try it with one crop of noise. Needs TensorFlow, but no Spark.

    `hint`: a profile whose name, output and, where the file leaves it open, size are taken. Raises ModelError if the
    files are no model, or one that is not accepted.
    """
    files = model_files.read(path)
    form = recognition.form_of(files)
    if not form:
        mistake = recognition.mistaken(files) or "is no model of a form that is known"
        raise ModelError(f"{path} {mistake}. Accepted: {', '.join(profiles.FORMS)}")
    facts: Facts = embedder.form(form).facts(files)
    profile = profile_of(files, form, facts, hint.name if hint else path.stem)
    if hint is not None:
        profile = replace(profile, output=hint.output, input=facts.input_size or hint.input)
    return Description(files, form, facts, _tried(files, profile))


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
    description = describe(embedder.local(profile.file), profile)
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
        return explain(problem)
    print(json.dumps(description.record(), sort_keys=True) if arguments.json else description.text())
    return Exit.DONE


def _described(model: str, folder: Path) -> Description:
    path = Path(model)
    if not model.endswith(".toml"):
        if path.exists():
            return describe(path)
        if path.name != model or path.suffix:
            raise ModelError(f"{model} does not exist")
    return compare(profiles.load(model, str(folder)))


def _plain(value: object) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)
