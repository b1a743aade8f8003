"""System checks of the digest app; see config/checks.py for the deployment."""
