"""Segments as the benchmarks use them: the binary under test generates them."""

import shutil
import subprocess


def file(binary, path, what="segments", **options):
    """Writes segments, or the events of their conversations, to a file; `options` are those of `generate`."""
    arguments = [str(part) for name, value in {**options, "out": path}.items() for part in (f"--{name}", value)]
    subprocess.run([binary, "generate", what, *arguments, "--log", "warn"], check=True, stdout=subprocess.DEVNULL)


def data_directory(binary, directory, **options):
    """A data directory with generated segments. If it is there already, it is used again."""
    if not directory.exists():
        rows = directory.with_suffix(".parquet")
        file(binary, rows, **options)
        # Only a whole directory has the name by which it is used again.
        half = directory.with_suffix(".half")
        shutil.rmtree(half, ignore_errors=True)
        subprocess.run([binary, "import", "segments", rows, "--data-dir", half], check=True)
        half.rename(directory)
        rows.unlink()
    return directory
