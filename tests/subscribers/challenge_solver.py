"""Solve a challenge as a reader's browser does."""

from typing import Any

import altcha


def solve(challenge: dict[str, Any]) -> str:
    made = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(made)
    assert solution
    return altcha.Payload(made, solution).to_base64()
