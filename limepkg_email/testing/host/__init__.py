"""The parts of the contract of a host; `limepkg_email.testing.host_contract` joins them."""
