"""How the benchmarks print: progress to standard error, tables as Markdown, and what machine it was."""

import os
import pathlib
import platform
import sys


def progress(text):
    print(text, file=sys.stderr, flush=True)


def print_table(title, head, rows):
    print(f"\n## {title}\n")
    for row in [head, ["---"] * len(head), *rows]:
        print(f"| {' | '.join(map(str, row))} |")
    sys.stdout.flush()


def print_machine(*facts):
    """Prints processors and memory, then facts that matter to one benchmark, then how busy the machine is."""
    processors = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2] for line in processors if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    print(f"{os.cpu_count()} × {models[0].strip() if models else platform.machine()}, {memory:.0f} GiB of memory")
    for fact in facts:
        print(fact)
    print(f"load average before: {os.getloadavg()[0]:.1f}")
