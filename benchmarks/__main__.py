"""`make bench`: run every benchmark and print its figures beside the aims."""

from __future__ import annotations

import os
import sys
import warnings

from benchmarks import pages, sending
from benchmarks.importing import in_a_process
from benchmarks.path import whole_path
from benchmarks.webhook import against_floor, latency

warnings.filterwarnings("ignore", message="Skipped unsupported reflection")


def main() -> None:
    """Print one line per figure; `QUICK=1` runs a tenth of everything."""
    share = 10 if os.environ.get("QUICK") else 1
    _importing(1000 // share)
    _growth(300 // share, 100_000 // share)
    _webhook(5000 // share)
    _path(500 // share)
    _sending(300 // share)
    _pages(1 if share > 1 else 5)


def _importing(count: int) -> None:
    floor = in_a_process("floor", count)
    small = in_a_process("import_mails", count // 5)
    found = in_a_process("import_mails", count)
    ratio = found["cpu_ms"] / floor["cpu_ms"]
    _say(f"Import of {count} announced mails (claim to commit, SQLite)")
    _line("processor time per mail", f"{found['cpu_ms']:.2f} ms")
    _line("floor: decode, sanitise, insert the same rows", f"{floor['cpu_ms']:.2f} ms")
    _line("ratio to the floor", f"{ratio:.2f}", "≤ 3")
    _line("mails per second", f"{found['per_second']:.0f}")
    _line("SQL statements per mail", f"{found['statements']:.1f}")
    _line("peak memory", f"{found['memory']:.0f} MiB")
    _line(f"peak memory of {count // 5} mails", f"{small['memory']:.0f} MiB", "the same")


def _growth(count: int, messages: int) -> None:
    empty = in_a_process("import_mails", count)
    full = in_a_process("import_mails", count, before=messages)
    _say(f"Import with {messages} messages in the database")
    _line("processor time per mail", f"{full['cpu_ms']:.2f} ms")
    _line("ratio to an empty database", f"{full['cpu_ms'] / empty['cpu_ms']:.2f}", "≤ 1.2")


def _webhook(count: int) -> None:
    found = against_floor(count)
    waits = latency(max(250, count // 5), 125.0)
    _say("Webhook")
    _line("processor time per answer", f"{found['ours_ms']:.3f} ms")
    _line("bare Flask handler with one insert", f"{found['bare_ms']:.3f} ms")
    _line("ratio to the bare handler", f"{found['ours_ms'] / found['bare_ms']:.2f}", "≤ 1.5")
    _line("answer at 125/s over HTTP, median", f"{waits['median_ms']:.1f} ms")
    _line("answer at 125/s over HTTP, 99 %", f"{waits['p99_ms']:.1f} ms", "well under 20 ms")


def _path(count: int) -> None:
    found = whole_path(count)
    _say(f"Whole path of {count} mails: raw mail in the sandbox to committed objects, marked seen")
    _line("processor time per mail, everything", f"{found['cpu_ms']:.1f} ms", "≤ 15 ms")
    _line("mails per second", f"{found['per_second']:.0f}")


def _sending(count: int) -> None:
    floor, found = sending.floor(count), sending.submitted(count)
    whole = sending.handed_over(count // 3)
    _say(f"Submitting {count} messages to two followers each")
    _line("processor time per message, to the commit", f"{found['cpu_ms']:.2f} ms")
    _line("floor: sanitise, insert the same rows", f"{floor['cpu_ms']:.2f} ms")
    _line("ratio to the floor", f"{found['cpu_ms'] / floor['cpu_ms']:.2f}")
    _line("messages submitted per second", f"{found['per_second']:.0f}")
    _line("processor time, sandbox and delivery included", f"{whole['cpu_ms']:.1f} ms")


def _pages(runs: int) -> None:
    desk, phone = pages.measured(runs), pages.measured(runs, slowdown=4)
    for name, each in desk.items():
        _say(f"Page in Chromium with an empty cache: {name}")
        _line("requests", f"{each.requests}")
        _line("over the wire", f"{each.bytes / 1000:.0f} kB")
        _line("first paint", f"{each.first_paint:.0f} ms")
        _line("time to interactive", f"{each.interactive:.0f} ms")
        _line("the same, processor four times as slow", f"{phone[name].interactive:.0f} ms")
        ratio = each.interactive / desk["sign-in"].interactive
        _line("ratio to the sign-in page", f"{ratio:.1f}")


def _say(title: str) -> None:
    print(f"\n{title}")
    sys.stdout.flush()


def _line(name: str, value: str, aim: str = "") -> None:
    print(f"  {name:48} {value:>12}" + (f"   aim {aim}" if aim else ""))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
