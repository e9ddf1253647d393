"""The services of the books."""

from accounting.services.accounts import Accounts
from accounting.services.api_keys import ApiKeys
from accounting.services.audit import Audit
from accounting.services.credits import Credits
from accounting.services.pricing import Pricing
from accounting.services.sessions import Sessions
from accounting.services.usage import Usage

__all__ = ["Accounts", "ApiKeys", "Audit", "Credits", "Pricing", "Sessions", "Usage"]
