"""`make screenshots`: take the README's pictures from the real pages, by walking the journey of the browser tests.

python -m examples.screenshots
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

PICTURES = Path("docs/pictures")
JOURNEY = "tests/browser/test_whole_journey.py"
CHOSEN = {
    "registrar-*-preview-en-360": "university-preview",
    "registrar-*-offer-sv-1280": "university-offer",
    "person-*-certificate-sv-360": "person-certificate",
    "person-*-decision-sv-360": "person-decision",
    "person-*-confirm-sv-360": "person-confirm",
    "recruiter-*-verdict-en-360": "employer-verdict",
}
"""Which picture of the journey becomes which picture of the README."""
TALLEST_PIXELS = 1100
COLOURS = 64


def main() -> int:
    """Walk the journey, keep the chosen pictures, cut to their upper part and to few colours."""
    with tempfile.TemporaryDirectory() as directory:
        walked = subprocess.run(
            [sys.executable, "-m", "pytest", JOURNEY],
            env={**os.environ, "SCREENSHOTS": directory},
            check=False,
        )
        if walked.returncode:
            return walked.returncode
        for pattern, name in CHOSEN.items():
            taken = sorted(Path(directory).glob(f"{pattern}.png"))
            if not taken:
                print(f"No picture matches {pattern}.")
                return 1
            with Image.open(taken[0]) as picture:
                upper = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, TALLEST_PIXELS)))
                upper.quantize(COLOURS).save(PICTURES / f"{name}.png", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
