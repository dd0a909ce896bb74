"""Write the published documents of every type into `schemas/json/`: `python -m schemas.types`."""

from pathlib import Path

from schemas.types import CREDENTIAL_TYPES
from schemas.types.published import rendered

JSON_FOLDER = Path(__file__).parent.parent / "json"


def main() -> None:
    """Write every document anew."""
    for credential_type in CREDENTIAL_TYPES.values():
        for name, content in rendered(credential_type).items():
            (JSON_FOLDER / name).write_bytes(content)


if __name__ == "__main__":
    main()
