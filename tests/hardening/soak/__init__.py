"""The soak test: several users at the same time, with failures and a moving clock."""
