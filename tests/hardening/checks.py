"""A check for schemathesis, whose own checks treat each rejection as a server error."""

import schemathesis

SERVER_ERRORS = {"INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE"}


@schemathesis.check
def no_server_error(ctx, response, case):
    """Checks that the status is below 500 and that no error has the code of a server error."""
    assert response.status_code < 500, f"the status is {response.status_code}"
    codes = [error["extensions"]["code"] for error in response.json().get("errors", [])]
    assert not SERVER_ERRORS.intersection(codes), codes
