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
        IF a = 0 OR b = 0 THEN RETURN 0; END IF;
        IF (abs(a) < 1e-150 OR abs(b) < 1e-150) AND ln(abs(a)) + ln(abs(b)) < -745 THEN RETURN 0; END IF;
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
        IF a = 0 OR (abs(a) < 1e-150 AND ln(abs(a)) - ln(abs(b)) < -745) THEN RETURN 0; END IF;
        r := a / b;
        IF abs(r) <= 1e150 THEN RETURN r; END IF;
        RETURN NULL;
        """,
    ),
    (
        "tejido_mod(a double precision, b double precision) RETURNS double precision",
        "rest double precision := abs(a); step double precision;",
        """
        IF abs(b) < 1e-150 THEN RETURN NULL; END IF;
        IF rest < 9e15 AND abs(b) < 9e15 AND a = trunc(a) AND b = trunc(b) THEN RETURN a::bigint % b::bigint; END IF;
        -- what is taken away lies between half of the rest and all of it: then nothing is rounded
        WHILE rest >= abs(b) LOOP
            step := abs(b) * power(2::double precision, trunc(ln(rest / abs(b)) / ln(2::double precision)));
            IF step > rest THEN step := step / 2; END IF;
            IF step * 2 <= rest THEN step := step * 2; END IF;
            rest := rest - step;
        END LOOP;
        RETURN sign(a) * rest;
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
        IF abs(base) = 1 AND exponent = trunc(exponent) THEN
            RETURN CASE WHEN base < 0 AND mod(exponent::numeric, 2) <> 0 THEN -1 ELSE 1 END;
        END IF;
        -- what is beyond these would be too large or too small on the way
        IF abs(exponent) < 1e-150 THEN RETURN 1; END IF;
        IF abs(exponent) > 1e147 THEN
            IF (exponent > 0) = (abs(base) > 1) THEN RETURN NULL; END IF;
            RETURN 0;
        END IF;
        growth := exponent * ln(abs(base));
        IF growth > 346 THEN RETURN NULL; END IF;
        IF growth < -745 THEN RETURN 0; END IF;
        growth := power(base, exponent);
        IF abs(growth) <= 1e150 THEN RETURN growth; END IF;
        RETURN NULL;
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
        "tejido_choice_name(code text, labels text) RETURNS text",
        "",
        "RETURN coalesce(labels::jsonb ->> code, code);",
    ),
    (
        "tejido_text(value double precision) RETURNS text",
        """
        written text; mantissa text; digits text; told text; power integer; minus text := '';
        """,
        """
        -- as JavaRosa writes it: whole numbers without a point, and as Java does what is very large or very small
        IF abs(value) < 1e-12 THEN RETURN '0'; END IF;
        IF value >= -2147483648 AND value < 2147483648 AND abs(value - trunc(value)) < 1e-12 THEN
            RETURN trunc(value)::bigint::text;
        END IF;
        IF value < 0 THEN minus := '-'; END IF;
        written := abs(value)::text;
        IF abs(value) >= 1e-3 AND abs(value) < 1e7 THEN RETURN minus || written; END IF;
        mantissa := split_part(written, 'e', 1);
        digits := replace(mantissa, '.', '');
        told := ltrim(digits, '0');
        power := coalesce(nullif(split_part(written, 'e', 2), ''), '0')::integer
            + strpos(mantissa || '.', '.') - 2 - (length(digits) - length(told));
        told := rtrim(told, '0');
        RETURN minus || left(told, 1) || '.' || coalesce(nullif(substr(told, 2), ''), '0') || 'E' || power;
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
