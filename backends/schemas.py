"""Hold a reply against the JSON Schema that it was asked to fit."""

import json
import re

from backends.backend import JsonSchema

_FENCED = re.compile(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", re.DOTALL)


def pick_json(answer: str, reasoning: str, schema: JsonSchema) -> tuple[str, str]:
    """Return the JSON of a reply and what a reader should know about where it stood.

    Servers put it into the reasoning when a schema and thinking meet, and into a code fence when they
    ignore the schema.

    Raises:
        ValueError: Nothing fits; the message says where it does not.
        LookupError: The schema itself cannot be used.
    """
    if not answer.strip() and not misfit(reasoning, schema):
        return reasoning, "the answer stood in the reasoning"
    fenced = _FENCED.fullmatch(answer)
    text, warning = (
        (fenced[1], "the JSON stood in a code fence: the server ignores schemas") if fenced else (answer, "")
    )
    if problem := misfit(text, schema):
        raise ValueError(problem)
    return text, warning


def misfit(text: str, schema: JsonSchema) -> str:
    """Say where a text does not fit; empty when it does.

    Raises:
        LookupError: The schema is none, or refers to what it does not hold; nothing is ever fetched.
    """
    import jsonschema  # type: ignore[import-untyped]  # noqa: PLC0415 - costs a tenth of a second, and most requests have no schema
    import referencing  # noqa: PLC0415 - comes with jsonschema

    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return f"it is not JSON ({error})"
    validator = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        validator.check_schema(schema)
        errors = validator(schema, registry=referencing.Registry()).iter_errors(value)
        worst = jsonschema.exceptions.best_match(errors)
    except (jsonschema.SchemaError, referencing.exceptions.Unresolvable) as error:
        raise LookupError(f"the JSON Schema cannot be used ({error})") from error
    return f"{worst.json_path}: {worst.message[:300]}" if worst else ""
