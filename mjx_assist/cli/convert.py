"""The command `convert`."""

import argparse
from pathlib import Path

from mjx_assist.cli.arguments import Parser, record_line


def add_convert(parser: Parser) -> None:
    text = "a gait record .npz; or .csv, .mot, .sto, .json files of one walk, or a folder of .mot and .sto files"
    parser.add_argument("inputs", metavar="INPUT", nargs="+", help=text)
    text = "FILE.npz, .csv, .mot (joint angles), _grf.mot (ground reaction), .sto (muscles, moments), .json "
    text += "(MyoAssist's gait_evaluated_data), or a folder: all of OpenSim's"
    parser.add_argument("-o", "--out", metavar="OUTPUT", required=True, help=text)
    parser.set_defaults(run=convert)


def convert(arguments: argparse.Namespace) -> None:
    """From a gait record to other programs' files, or from those to a gait record."""
    from mjx_assist.eval.formats import convert as gait_files
    from mjx_assist.eval.formats.laboratory.plausibility import plausibility

    out = Path(arguments.out)
    gait_files.check_output(out)
    imported = gait_files.read([Path(name) for name in arguments.inputs])
    print(record_line(imported.record))
    if imported.absent:
        print(f"not in the files (NaN): {', '.join(imported.absent)}")
    for note in imported.notes:
        print(f"note: {note}")
    line, doubts = plausibility(imported.record)
    print(f"a walk? {line}")
    for doubt in doubts:
        print(f"WARNING: {doubt}")
    for path in gait_files.write(imported.record, out):
        print(f"wrote {path}")
