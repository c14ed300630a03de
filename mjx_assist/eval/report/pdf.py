"""A report page as PDF: by WeasyPrint where it is installed, else by a Chromium that is on the PATH."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from mjx_assist.errors import UserError
from mjx_assist.files.atomic import write_bytes

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TIMEOUT_S = 120.0
_MISSING = (
    "--pdf needs WeasyPrint (pip install 'mjx-assist[pdf]', and the Pango library of your system: Debian's "
    "libpangoft2-1.0-0) or Chromium on the PATH; {page} is written and can be printed from any browser."
)


def write_pdf(page: str, pdf: Path, html: Path) -> None:
    """Write a page as PDF, A4, whole or not at all; ``html``: the file to print where nothing here can.

    Raises:
        UserError: nothing here can do it (says what to install), or it cannot be written.
    """
    content = _by_weasyprint(page) or _by_browser(page)
    if content is None:
        raise UserError(_MISSING.format(page=html))
    write_bytes(pdf, content)


def _by_weasyprint(page: str) -> bytes | None:
    """The PDF, or None without WeasyPrint or the libraries that it loads."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError):
        return None
    return HTML(string=page).write_pdf()


def _by_browser(page: str) -> bytes | None:
    """The PDF, or None without a browser that prints."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        pdf, html = Path(folder) / "page.pdf", Path(folder) / "page.html"
        html.write_text(page, encoding="utf-8")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
        command += ["--no-pdf-header-footer", f"--print-to-pdf={pdf}", html.as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
        except (subprocess.TimeoutExpired, OSError):
            return None
        return pdf.read_bytes() if pdf.is_file() else None
