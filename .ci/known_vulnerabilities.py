"""Ask pip-audit what is known of the pinned packages: fails for a vulnerability, says loudly what couldn't be asked.

pip-audit alone isn't enough: behind an index without PyPI's JSON API it knows no package, skips them all, says « No
known vulnerabilities found » and ends with 0. Arguments, if any, are pip-audit's own (which service to ask).
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# pip-audit doesn't follow the line by which the second names the first.
PINNED = ("requirements.txt", "requirements-dev.txt")
# One answers for what the other doesn't know.
SERVICES = (("--vulnerability-service=pypi",), ("--vulnerability-service=osv",))
# Seconds for one service, and for one of its answers.
PATIENCE, ANSWER = 60, 5


def main(services: tuple[tuple[str, ...], ...]) -> int:
    unknown: set[str] | None = None
    for service in services:
        packages = ask(service)
        found = [(package, hole) for package in packages for hole in package.get("vulns", ())]
        for package, hole in found:
            mended = ", ".join(hole["fix_versions"]) or "none yet"
            say(f"pip-audit: {package['name']} {package['version']}: {hole['id']}; mended in: {mended}")
        if found:
            return 1
        skipped = {package["name"] for package in packages if "skip_reason" in package}
        if packages:
            unknown = skipped if unknown is None else unknown & skipped
        if unknown == set():
            say(f"pip-audit: {len(packages)} packages, no known vulnerability")
            return 0
    say("=" * 72)
    say("pip-audit: DATABASE OUT OF REACH: whether these have known vulnerabilities wasn't checked.")
    say("pip-audit: " + (", ".join(sorted(unknown)) if unknown else "all of them"))
    say("=" * 72)
    return 0


def ask(service: tuple[str, ...]) -> list[dict[str, Any]]:
    """What this service says of each package; empty if it can't be reached."""
    files = [part for name in PINNED for part in ("--requirement", str(ROOT / name))]
    as_data = ["--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off", f"--timeout={ANSWER}"]
    command = [sys.executable, "-m", "pip_audit", *files, *as_data, *service]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)  # noqa: S603  # our own arguments, no shell
        return list(json.loads(ran.stdout)["dependencies"])
    except (subprocess.TimeoutExpired, ValueError):
        return []


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main((tuple(sys.argv[1:]),) if sys.argv[1:] else SERVICES))
