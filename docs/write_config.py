"""Write docs/config.md and configs/schema/config.json from the config's dataclasses: python docs/write_config.py"""

import json
from pathlib import Path

from mjx_assist.config import reference

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    (ROOT / "docs" / "config.md").write_text(reference.markdown(), encoding="utf-8")
    schema = ROOT / "configs" / "schema" / "config.json"
    schema.parent.mkdir(exist_ok=True)
    schema.write_text(json.dumps(reference.json_schema(), indent=1) + "\n", encoding="utf-8")
