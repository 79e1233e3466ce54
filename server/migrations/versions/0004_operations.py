"""Operations of expressions that PostgreSQL's own SQL can only say by naming an argument several times: functions, which
compute each argument once. What nests would otherwise double at every level. SQLite is given its own by the program."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# 1e150 is forms/expressions/operations.LARGEST: products of two such numbers are finite. What is nearer to zero than its
# inverse counts as zero, since PostgreSQL refuses results that are too small.
_FUNCTIONS = (
    (
        "tejido_plus(VARIADIC terms double precision[]) RETURNS double precision",
        "r double precision := 0; term double precision;",
        """
        FOREACH term IN ARRAY terms LOOP
            r := r + term;
            IF r IS NULL OR abs(r) > 1e150 THEN RETURN NULL; END IF;
        END LOOP;
        RETURN r;
        """,
    ),
    (
        "tejido_times(a double precision, b double precision) RETURNS double precision",
        "r double precision;",
        """
        IF abs(a) < 1e-150 OR abs(b) < 1e-150 THEN RETURN 0; END IF;
        r := a * b;
        IF abs(r) <= 1e150 THEN RETURN r; END IF;
        RETURN NULL;
        """,
    ),
    (
        "tejido_div(a double precision, b double precision) RETURNS double precision",
        "r double precision;",
        """
        IF abs(b) < 1e-150 THEN RETURN NULL; END IF;
        IF abs(a) < 1e-150 THEN RETURN 0; END IF;
        r := a / b;
        IF abs(r) <= 1e150 THEN RETURN r; END IF;
        RETURN NULL;
        """,
    ),
    (
        "tejido_mod(a double precision, b double precision) RETURNS double precision",
        "rest double precision;",
        """
        IF abs(b) < 1e-150 OR (a <> 0 AND abs(a) < 1e-150) THEN RETURN NULL; END IF;
        rest := a - b * trunc(a / b);
        -- the quotient may have been rounded up to the next whole one
        IF rest <> 0 AND sign(rest) <> sign(a) THEN RETURN rest + sign(a) * abs(b); END IF;
        IF abs(rest) >= abs(b) THEN RETURN rest - sign(a) * abs(b); END IF;
        RETURN rest;
        """,
    ),
    (
        "tejido_pow(base double precision, exponent double precision) RETURNS double precision",
        "growth double precision;",
        """
        IF exponent = 0 THEN RETURN 1; END IF;
        IF base = 0 THEN
            IF exponent < 0 THEN RETURN NULL; END IF;
            RETURN 0;
        END IF;
        IF base < 0 AND exponent <> trunc(exponent) THEN RETURN NULL; END IF;
        IF abs(exponent) > 1e147 THEN RETURN NULL; END IF;
        growth := exponent * ln(abs(base));
        IF growth > 345 THEN RETURN NULL; END IF;
        IF growth < -690 THEN RETURN 0; END IF;
        RETURN power(base, exponent);
        """,
    ),
    (
        "tejido_round(value double precision, places double precision) RETURNS double precision",
        "digits double precision := trunc(places);",
        """
        -- half away from zero, on the digits that the number is written with
        IF digits > 15 THEN RETURN value; END IF;
        RETURN round(value::text::numeric, digits::integer)::double precision;
        """,
    ),
    (
        "tejido_number(value text) RETURNS double precision",
        "written text := btrim(value, E' \\t\\n\\r');",
        r"""
        IF written !~ '^-?([0-9]{1,150}(\.[0-9]{0,150})?|\.[0-9]{1,150})$' THEN RETURN NULL; END IF;
        RETURN written::double precision;
        """,
    ),
    (
        "tejido_text(value double precision) RETURNS text",
        "",
        """
        -- as JavaRosa writes it: whole numbers without a point
        IF value = trunc(value) AND abs(value) < 2147483648 THEN RETURN value::bigint::text; END IF;
        RETURN value::text;
        """,
    ),
)


def upgrade() -> None:
    """Forward."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for head, declared, body in _FUNCTIONS:
        declaration = f"DECLARE {declared}" if declared else ""
        op.execute(
            f"CREATE OR REPLACE FUNCTION {head} LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE "
            f"AS $body$ {declaration} BEGIN {body} END $body$"
        )
