"""The first tenant, which serving and the demo need."""

from datetime import UTC, datetime

from service import composition
from service.actions import tenants
from service.actions.tenants import Founded
from service.settings import Settings


async def found(present: Settings) -> Founded:
    """Make it where there is none; its admin key is told only then."""
    async with composition.running(present) as service:
        return await tenants.found_tenant(
            service,
            code=tenants.DEFAULT_TENANT,
            name="默认租户",
            admin_key=present.admin_key,
            now=datetime.now(UTC),
        )
