"""Running a milestone as a user does: a script in a process of its own, on the repository's package."""
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def milestone(tmp_path):
    """Return a function that runs a milestone's script: what it said, its exit status, and its metrics or None."""
    def run(script, *arguments, **variables):
        metrics = tmp_path / "metrics.json"
        metrics.unlink(missing_ok=True)
        # Without a data set of the machine's, and without the network: a proxy where nobody listens.
        here = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "XDG_CACHE_HOME": str(tmp_path),
                "LOCALAPPDATA": str(tmp_path), "HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9", **variables}
        here.pop("TINYTORCH_DATA", None)
        done = subprocess.run([sys.executable, str(ROOT / "milestones" / script), *arguments, "--metrics-json", str(metrics)],
                              cwd=tmp_path, env=here, encoding="utf-8", capture_output=True, timeout=600)
        found = json.loads(metrics.read_text(encoding="utf-8")) if metrics.exists() else None
        return done.stdout + done.stderr, done.returncode, found
    return run
