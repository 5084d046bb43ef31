"""xiaohao (销号): problem ledgers whose items must be closed."""

__version__ = "0.1.0"
