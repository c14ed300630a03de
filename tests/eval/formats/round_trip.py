"""What is written and read back, and how closely it is the same."""

import numpy as np

from mjx_assist.eval.formats import convert
from mjx_assist.eval.replay.record import GaitRecord

DIGITS = 1e-8  # 9 significant ones


def back(record, folder, *names):
    files = [folder / name for name in names]
    for file in files:
        convert.write(record, file)
    return convert.read(files)


def check_same(found: GaitRecord, record: GaitRecord, fields) -> None:
    for name in fields:
        np.testing.assert_allclose(getattr(found, name), getattr(record, name), rtol=DIGITS, atol=1e-9, err_msg=name)
