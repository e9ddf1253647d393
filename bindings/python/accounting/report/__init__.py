"""The report: what a period came to, as one HTML page that needs nothing else.

`gather` reads the figures, `page` draws them.
"""

from accounting.report.figures import Figures, gather
from accounting.report.page import page

__all__ = ["Figures", "gather", "page"]
