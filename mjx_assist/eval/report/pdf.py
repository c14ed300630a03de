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


def write_pdf(page: Path, pdf: Path) -> None:
    """Write the page of an HTML file as PDF, A4, whole or not at all.

    Raises:
        UserError: nothing here can do it (says what to install), or it cannot be written.
    """
    content = _by_weasyprint(page) or _by_browser(page)
    if content is None:
        raise UserError(_MISSING.format(page=page))
    write_bytes(pdf, content)


def _by_weasyprint(page: Path) -> bytes | None:
    """The PDF, or None without WeasyPrint or the libraries that it loads."""
    try:
        from weasyprint import HTML
    except (ImportError, OSError):
        return None
    return HTML(filename=str(page)).write_pdf()


def _by_browser(page: Path) -> bytes | None:
    """The PDF, or None without a browser that prints."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        pdf = Path(folder) / "page.pdf"
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
        command += ["--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.resolve().as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
        except (subprocess.TimeoutExpired, OSError):
            return None
        return pdf.read_bytes() if pdf.is_file() else None
