"""A report as PDF: its pages, its figures as vectors, and what is said where nothing here can make one."""

import sys

import pytest
from synthetic_gait import healthy_stub, synthetic_gait

from mjx_assist.errors import UserError
from mjx_assist.eval.report import gait as report

pytestmark = pytest.mark.filterwarnings("error")


def test_pdf_has_the_pages(tmp_path):
    pypdf = pytest.importorskip("pypdf")
    pdf, record = tmp_path / report.PDF, synthetic_gait(duration=6.0, fell=True)
    try:
        report.write_report(tmp_path, [record], None, "Pages", {}, healthy_stub, pdf=True)
    except UserError as error:
        pytest.skip(str(error))
    reader = pypdf.PdfReader(pdf)
    assert 3 <= len(reader.pages) <= 14
    assert not [image for page in reader.pages for image in page.images]  # the figures are vectors
    assert "It falls." in reader.pages[0].extract_text()
    width, height = (float(side) / 72 * 25.4 for side in reader.pages[0].mediabox[2:])
    assert (width, height) == (pytest.approx(210, abs=1), pytest.approx(297, abs=1))  # A4, mm


def test_without_a_library_for_pdf_the_page_is_there_and_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match=r"pip install 'mjx-assist\[pdf\]'.*report\.html is written"):
        report.write_report(tmp_path, [synthetic_gait(duration=3.0)], None, "", {}, healthy_stub, pdf=True)
    assert (tmp_path / report.PAGE).is_file() and not (tmp_path / report.PDF).exists()
