"""Estimates from surveys: ratios, totals and medians of weighted units with their sampling error."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from forms.problems import Sentence
from server.indicators.quantiles import Distribution
from server.indicators.student import t_quantile

CONFIDENCE: Final = 0.95
_NAMED: Final = 3
"""How many strata a note names."""
_SURE: Final = 1e-12
"""A proportion this near to 0 or 1 is 0 or 1: what is left is the rounding of sums."""
_STEP: Final = 1e-4
"""The step of numerical slopes, as a part of the value."""

_NO_UNITS: Final = Sentence(
    "Sin error estándar ni intervalo: no hay unidades.", "No standard error and no interval: there are no units."
)
_NO_DENOMINATOR: Final = Sentence(
    "Sin valor: el denominador es 0 (no hay unidades, o ninguna cuenta).",
    "No value: the denominator is 0 (there are no units, or none counts).",
)
_NO_VALUE: Final = Sentence("Sin valor: la fórmula no lo tiene.", "No value: the formula has none.")
_ALL_ALIKE: Final = Sentence(
    "Sin intervalo: todas las unidades de la muestra dieron la misma respuesta.",
    "No interval: all units of the sample gave the same answer.",
)
_ONE_CLUSTER: Final = Sentence(
    "Sin error estándar ni intervalo: todas las unidades están en un solo conglomerado (UPM) y hacen falta dos.",
    "No standard error and no interval: all units lie in a single cluster (PSU) and two are needed.",
)
_TWO_SAMPLES: Final = Sentence(
    "Sin error estándar ni intervalo: los indicadores de la fórmula no vienen de la misma muestra.",
    "No standard error and no interval: the indicators of the formula do not come from one sample.",
)
_NO_SLOPE: Final = Sentence(
    "Sin error estándar ni intervalo: la fórmula no cambia de forma continua con sus indicadores.",
    "No standard error and no interval: the formula does not change smoothly with its indicators.",
)


class Psu(NamedTuple):
    """A primary sampling unit. Those of two strata are two, even where `psu` is the same."""

    stratum: str
    psu: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its standard error and its interval of 95 %, both None where `note` says why there is none.

    `df` is the degrees of freedom: PSUs less strata. `z` holds for every PSU of the design what it adds to the linearised
    estimate: the variance of their sum is that of the estimate. It lets formulas have a standard error (`combine`).
    """

    value: float | None
    se: float | None
    low: float | None
    high: float | None
    df: int
    note: Sentence | None = None
    z: Mapping[Psu, float] = field(default_factory=dict, repr=False)

    def times(self, factor: float) -> Estimate:
        """The estimate in another unit: 100 makes percentages of proportions."""
        low, high = _times(self.low, factor), _times(self.high, factor)
        if factor < 0:
            low, high = high, low
        return Estimate(
            value=_times(self.value, factor),
            se=_times(self.se, abs(factor)),
            low=low,
            high=high,
            df=self.df,
            note=self.note,
            z={psu: factor * one for psu, one in self.z.items()},
        )


def ratio(
    numerators: Mapping[Psu, float], denominators: Mapping[Psu, float], design: Collection[Psu], *, proportion: bool
) -> Estimate:
    """The ratio R of two weighted totals, given as sums per PSU, by Taylor linearisation.

    With z = (numerator − R · denominator) ÷ total denominator of each PSU and n PSUs in a stratum, the variance is
    Σ strata n ÷ (n − 1) · Σ PSUs (z − mean z)²: ultimate clusters drawn with replacement (Woodruff 1971; Wolter,
    Introduction to Variance Estimation, 2007, ch. 6). `design` holds every PSU of the sample of the period, also those
    without units of the domain (a place, a group), whose z is 0. The interval uses Student's t with `df` degrees of
    freedom, on the logit scale for a `proportion`. The value is None where the denominator is 0. There is no standard
    error where a stratum has a single PSU, nor where all units lie in one, since there z would be 0 whatever they
    answered; a proportion of 0 or 1 has the standard error 0 and no interval.

    Raises ValueError where `design` lacks a PSU that has units.
    """
    _require_design(design, numerators, denominators)
    over, under = math.fsum(numerators.values()), math.fsum(denominators.values())
    if under == 0:
        return Estimate(None, None, None, None, _df(design), _NO_DENOMINATOR)
    value = over / under
    z = {psu: (numerators.get(psu, 0.0) - value * denominators.get(psu, 0.0)) / under for psu in design}
    alike = proportion and (abs(value) <= _SURE or abs(value - 1) <= _SURE)
    if alike:
        value, z = float(round(value)), dict.fromkeys(design, 0.0)
    note = _why_none(design)
    if note is None and sum(1 for denominator in denominators.values() if denominator) < 2:
        note = _ONE_CLUSTER
    if note is not None:
        return Estimate(value, None, None, None, _df(design), note, z)
    if alike:
        return Estimate(value, 0.0, None, None, _df(design), _ALL_ALIKE, z)
    return _estimate(value, z, logit=proportion and 0 < value < 1)


def total(numerators: Mapping[Psu, float], design: Collection[Psu]) -> Estimate:
    """A weighted total, given as sums per PSU; the variance and the interval as in `ratio`, with z the sum of the PSU.

    Raises ValueError where `design` lacks a PSU that has units.
    """
    _require_design(design, numerators)
    return _estimate(math.fsum(numerators.values()), {psu: numerators.get(psu, 0.0) for psu in design}, logit=False)


def combine(value: float | None, estimates: Sequence[Estimate], gradient: Sequence[float] | None) -> Estimate:
    """The `value` of a formula over `estimates` of one design, with its sampling error by the delta method.

    `gradient` holds the formula's slope in each estimate (`slopes` finds them; None where it has none). What the formula
    takes from elsewhere (a figure without sampling error) is not among `estimates`. Estimates of different samples give
    a value without a standard error, and so does one that has none itself.
    """
    if not estimates:
        return Estimate(value, None, None, None, 0)
    design = estimates[0].z.keys()
    df = estimates[0].df
    if value is None:
        return Estimate(None, None, None, None, df, _NO_VALUE)
    lacking = next((estimate for estimate in estimates if estimate.se is None), None)
    if lacking is not None:
        return Estimate(value, None, None, None, df, lacking.note)
    if any(estimate.z.keys() != design for estimate in estimates):
        return Estimate(value, None, None, None, 0, _TWO_SAMPLES)
    if gradient is None or not all(map(math.isfinite, gradient)):
        return Estimate(value, None, None, None, df, _NO_SLOPE)
    parts = list(zip(estimates, gradient, strict=True))
    z = {psu: math.fsum(slope * estimate.z[psu] for estimate, slope in parts) for psu in design}
    combined = _estimate(value, z, logit=False)
    note = next((estimate.note for estimate in estimates if estimate.note is not None), None)
    if note is not None and combined.se == 0:  # nothing is known of how much units differ
        return Estimate(value, 0.0, None, None, df, note, z)
    return combined


def slopes(formula: Callable[[Sequence[float]], float | None], values: Sequence[float]) -> tuple[float, ...] | None:
    """The slope of `formula` in each of `values`: central differences with one step of Richardson's extrapolation.

    Right to about 1e-9 of the value for smooth formulas; None where the formula has no value near `values`.
    """
    found = []
    for place, value in enumerate(values):
        step = _STEP * abs(value) if value else _STEP
        near = [formula([*values[:place], value + by * step, *values[place + 1 :]]) for by in (1, -1, 2, -2)]
        if any(one is None or not math.isfinite(one) for one in near):
            return None
        up, down, up2, down2 = (one for one in near if one is not None)
        found.append((8 * (up - down) - (up2 - down2)) / (12 * step))
    return tuple(found)


def median_interval(
    values: Sequence[float], weights: Sequence[float], psus: Sequence[Psu], design: Collection[Psu]
) -> Estimate:
    """The weighted median with the interval of Woodruff (1952): one value, weight and PSU for each unit of the domain.

    The standard error of the proportion at or below the median is carried back through the distribution: the ends are
    the quantiles at ½ ± t · SE, on the logit scale so that they stay within 0 and 1, and the standard error is the width
    of that interval ÷ 2 t. Where no unit lies above the median, the proportion below it serves.

    Raises ValueError where `design` lacks a PSU that has units.
    """
    _require_design(design, psus)
    if math.fsum(weights) <= 0:
        return Estimate(None, None, None, None, _df(design), _NO_UNITS)
    distribution = Distribution(values, weights)
    middle = distribution.quantile(0.5)
    under = _sums(psus, weights)
    below = ratio(_sums(psus, weights, [value <= middle for value in values]), under, design, proportion=True)
    if below.value == 1:
        below = ratio(_sums(psus, weights, [value < middle for value in values]), under, design, proportion=True)
    if below.se is None or below.value == 0:
        return Estimate(middle, below.se, None, None, below.df, below.note, below.z)
    t = t_quantile((1 + CONFIDENCE) / 2, below.df)
    reach = 4 * t * below.se  # the slope of the logit at ½ is 4
    low, high = distribution.quantile(_expit(-reach)), distribution.quantile(_expit(reach))
    se = (high - low) / (2 * t)
    scale = -se / below.se if below.se else 0.0  # what lies below more often lowers the median
    return Estimate(middle, se, low, high, below.df, None, {psu: scale * one for psu, one in below.z.items()})


def _estimate(value: float, z: Mapping[Psu, float], *, logit: bool) -> Estimate:
    """The estimate whose linearised form is `z`, over every PSU of the design."""
    df = _df(z)
    note = _why_none(z)
    if note is not None:
        return Estimate(value, None, None, None, df, note, z)
    se = math.sqrt(_variance(z))
    reach = t_quantile((1 + CONFIDENCE) / 2, df) * se
    if not logit:
        return Estimate(value, se, value - reach, value + reach, df, None, z)
    centre, reach = math.log(value / (1 - value)), reach / (value * (1 - value))
    low, high = min(value, _expit(centre - reach)), max(value, _expit(centre + reach))
    return Estimate(value, se, low, high, df, None, z)


def _variance(z: Mapping[Psu, float]) -> float:
    """The variance of the sum of `z`, from what PSUs of one stratum differ by."""
    strata: dict[str, list[float]] = defaultdict(list)
    for psu, one in z.items():
        strata[psu.stratum].append(one)
    return math.fsum(
        len(ones) / (len(ones) - 1) * math.fsum((one - mean) ** 2 for one in ones)
        for ones in strata.values()
        for mean in (math.fsum(ones) / len(ones),)
    )


def _why_none(design: Iterable[Psu]) -> Sentence | None:
    """Why there is no standard error over this design; None where there is one."""
    count: dict[str, int] = defaultdict(int)
    for psu in design:
        count[psu.stratum] += 1
    alone = sorted(stratum for stratum, psus in count.items() if psus < 2)
    if not count:
        return _NO_UNITS
    if not alone:
        return None
    named = alone[:_NAMED]
    es, en = ", ".join(f"«{stratum}»" for stratum in named), ", ".join(f"“{stratum}”" for stratum in named)
    if len(alone) > _NAMED:
        es, en = f"{es} y {len(alone) - _NAMED} más", f"{en} and {len(alone) - _NAMED} more"
    if len(alone) == 1:
        return Sentence(
            f"Sin error estándar ni intervalo: el estrato {es} tiene un solo conglomerado (UPM) y hacen falta dos.",
            f"No standard error and no interval: stratum {en} has a single cluster (PSU) and two are needed.",
        )
    return Sentence(
        f"Sin error estándar ni intervalo: los estratos {es} tienen un solo conglomerado (UPM) cada uno y hacen falta dos.",
        f"No standard error and no interval: strata {en} have a single cluster (PSU) each and two are needed.",
    )


def _df(design: Collection[Psu]) -> int:
    return len(design) - len({psu.stratum for psu in design})


def _require_design(design: Collection[Psu], *sums: Iterable[Psu]) -> None:
    held = set(design)
    if len(held) != len(design):
        raise ValueError("the design names a PSU twice")
    for psus in sums:
        for psu in psus:
            if psu not in held:
                raise ValueError(f"the design lacks {psu}")


def _sums(psus: Sequence[Psu], weights: Sequence[float], kept: Sequence[bool] | None = None) -> dict[Psu, float]:
    """The weights of each PSU, of the units that are kept."""
    parts: dict[Psu, list[float]] = defaultdict(list)
    for place, (psu, weight) in enumerate(zip(psus, weights, strict=True)):
        parts[psu].append(weight if kept is None or kept[place] else 0.0)
    return {psu: math.fsum(ones) for psu, ones in parts.items()}


def _expit(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _times(number: float | None, factor: float) -> float | None:
    return None if number is None else number * factor
