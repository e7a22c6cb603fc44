"""Lighthouse on the article and the forms, and their weights, written to docs/audit.md: make audit.

Lighthouse's mobile preset: a slow phone on a slow line. The median of RUNS, for each run differs a little.
"""

import json
import os
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser

from microsite.config import PROJECT_ROOT

from . import tools
from .chromium import SANDBOX, launched
from .sites import opened
from .weights import BUDGET, WHOLE_BUDGET, transferred

RUNS = 5
# On a busy machine Chromium now and then loses the beginning of a trace (NO_NAVSTART): that run never was.
_ATTEMPTS = 3
REPORT = PROJECT_ROOT / "docs" / "audit.md"
PATHS = ("/", "/brochure", "/portes-ouvertes", "/candidater")

# Category: the least that its median must be.
_LEAST = {"performance": 97, "accessibility": 100, "best-practices": 100, "seo": 100}
# Audit: what its median is called, divided by and told as.
_FIGURES = {
    "first-contentful-paint": ("first paint", 1000, "{:.2f} s"),
    "largest-contentful-paint": ("largest paint", 1000, "{:.2f} s"),
    "total-blocking-time": ("blocked", 1, "{:.0f} ms"),
    "cumulative-layout-shift": ("CLS", 1, "{:.3f}"),
}


@dataclass(frozen=True, kw_only=True)
class Audit:
    """One page's: medians by category and figure, weights by kind, what was measured with."""

    path: str
    medians: dict[str, float]
    weights: Counter[str]
    versions: str

    def missed(self) -> list[str]:
        return [
            f"{self.path} : {name} {self.medians[name]:.0f}, attendu {least} au moins"
            for name, least in _LEAST.items()
            if self.medians[name] < least
        ]


def audit(browser: Browser, site: str, path: str) -> Audit:
    runs = [_run_lighthouse(f"{site}{path}") for _ in range(RUNS)]
    scores = {name: median(run["categories"][name]["score"] * 100 for run in runs) for name in _LEAST}
    figures = {name: median(run["audits"][name]["numericValue"] for run in runs) for name in _FIGURES}
    context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2, is_mobile=True)
    weights = transferred(context.new_page(), f"{site}{path}")
    context.close()
    versions = f"Lighthouse {runs[0]['lighthouseVersion']}, Chromium {browser.version}"
    return Audit(path=path, medians=scores | figures, weights=weights, versions=versions)


def _run_lighthouse(url: str) -> dict[str, Any]:
    flags = " ".join(["--headless=new", *SANDBOX])
    command = [tools.node(), str(tools.node_file("lighthouse/cli/index.js")), url, "--quiet", "--output=json"]
    command += [f"--only-categories={','.join(_LEAST)}", f"--chrome-flags={flags}"]
    environ = os.environ | {"CHROME_PATH": tools.chromium()}
    for _ in range(_ATTEMPTS):
        ran = subprocess.run(command, env=environ, capture_output=True, check=False)
        if ran.returncode == 0:
            return dict(json.loads(ran.stdout))
    raise SystemExit(ran.stderr.decode())


def report(audits: list[Audit]) -> str:
    return f"""# Audit

Written by `make audit`: {audits[0].versions}, mobile preset (a slow phone on a slow line), median of {RUNS} runs; the
site served as `make run` serves it.

## Lighthouse

{_table("page", [*_LEAST, *(label for label, _, _ in _FIGURES.values())], {item.path: _told(item) for item in audits})}

Required: {", ".join(f"{name} {least}" for name, least in _LEAST.items())}.

## Weights

What a first visit transfers on a phone of 390 px, in kilobytes (1,000 bytes): compressed, headers included, pictures as
far as they are seen without scrolling.

{_table("page", [*BUDGET, "in all"], {item.path: _weighed(item.weights) for item in audits})}

Allowed on the article: {", ".join(f"{kind} {size}" for kind, size in BUDGET.items())}, {WHOLE_BUDGET} in all;
`tests/browser/test_weight.py` keeps it so.
"""


def _told(item: Audit) -> list[str]:
    scores = [f"{item.medians[name]:.0f}" for name in _LEAST]
    return scores + [told.format(item.medians[name] / unit) for name, (_, unit, told) in _FIGURES.items()]


def _weighed(weights: Counter[str]) -> list[str]:
    return [f"{size / 1000:.1f}" for size in (*(weights[kind] for kind in BUDGET), weights.total())]


def _table(corner: str, columns: list[str], rows: dict[str, list[str]]) -> str:
    lines = [[corner, *columns], ["---"] * (1 + len(columns)), *([f"`{name}`", *cells] for name, cells in rows.items())]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    with TemporaryDirectory() as folder, opened("samples", Path(folder)) as site, launched() as browser:
        audits = [audit(browser, site.url, path) for path in PATHS]
    REPORT.write_text(report(audits))
    raise SystemExit("\n".join(line for item in audits for line in item.missed()) or 0)


if __name__ == "__main__":
    main()
