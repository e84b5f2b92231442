"""What schemathesis checks of each answer, beside its own: it takes every refusal for a server error."""

import schemathesis

OURS = {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"}


@schemathesis.check
def no_mistake_of_ours(ctx, response, case):
    """No status of 500 or more; an error of a field has a code, and none that says that we failed."""
    assert response.status_code < 500, f"the status is {response.status_code}"
    codes = [error["extensions"]["code"] for error in response.json().get("errors", [])]
    assert not OURS.intersection(codes), codes
