"""Solve a challenge as a reader's browser does."""

from typing import Any

import altcha


def solve(challenge: dict[str, Any]) -> str:
    parsed = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(parsed)
    assert solution
    return altcha.Payload(parsed, solution).to_base64()
