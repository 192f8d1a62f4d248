"""A virtual environment with the peers that come from Python, made once."""
import subprocess
import sys

from quern import SOURCE

ENV = SOURCE / ".venv"


def peer_python(*packages):
    """The environment's python, with these packages in it."""
    python = ENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENV], check=True)
    have = subprocess.run([python, "-m", "pip", "list", "--format=freeze"], capture_output=True, text=True, check=True).stdout
    missing = set(packages) - {line.split("==")[0].lower() for line in have.splitlines()}
    if missing:
        subprocess.run([python, "-m", "pip", "install", "-q", *sorted(missing)], check=True)
    return python
