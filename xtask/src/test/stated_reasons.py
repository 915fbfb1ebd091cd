"""Schemathesis reports every refusal of a request that matches its schema. Some rules cannot be part of a schema, so this
check replaces the built-in one, and allows the refusals below."""

import schemathesis

# By code, or by code and field, with the rule that no schema expresses.
STATED_REASONS = {
    "conflicting_credentials": "a request carries one credential, and generated ones carry several",
    ("invalid", "cursor"): "a cursor is text of ours, which clients return unchanged",
    ("invalid", "departure"): "a departure is after its arrival, and an arrival is not in the past",
    ("invalid", "arrival"): "an arrival is not in the past",
    ("invalid", "service_id"): "a reservation is of a service or of a package, and not of both",
    ("invalid", "units"): "an integer is written without a fraction, although 1.0 is one as well",
    ("invalid", "cost"): "an integer is written without a fraction, although 1.0 is one as well",
    ("invalid", "guest.name"): "a name has visible characters",
    ("invalid", "guest.email"): "an e-mail address needs more than its format",
    ("invalid", "permission"): "a permission is a resource and an action, or a wildcard",
    ("invalid", "from"): "a year has four digits",
    ("invalid", "to"): "a period ends after it begins, and is not longer than 366 days",
}


def reasons(problem):
    code = problem.get("code")
    fields = [error.get("field") for error in problem.get("errors") or []]
    return [(code, field) for field in fields] or [code]


@schemathesis.check
def rejected_for_a_stated_reason(ctx, response, case):
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code not in (400, 422):
        return
    unstated = [reason for reason in reasons(response.json()) if reason not in STATED_REASONS]
    assert not unstated, f"schema-valid request rejected: {unstated}"
