"""Write models/devices.json, what every device of assist_sim is: python models/build_devices.py (minutes)."""

import json
from pathlib import Path

from mjx_assist.model.devices import facts, first_wearers

if __name__ == "__main__":
    rows = [facts(human, device) for device, human in sorted(first_wearers().items())]
    text = "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n"
    Path(__file__).with_name("devices.json").write_text(text, encoding="utf-8")
