from tests.endpoints.conftest import agent, any_crm, crm, installed_file, make_crm

__all__ = ["agent", "any_crm", "crm", "installed_file", "make_crm"]
