"""Estimates from surveys: ratios, totals and medians of weighted units with their sampling error."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
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


class Design(Collection[Psu]):
    """Every PSU of a sample, and what all estimates over it have in common: summed up once, however many they are.

    `sizes` counts the PSUs of each stratum, `df` is all PSUs less strata, `note` says why there is no standard error
    (None where there is one). Raises ValueError where a PSU is named twice.
    """

    def __init__(self, psus: Iterable[Psu]) -> None:
        named = list(psus)
        self.psus = frozenset(named)
        if len(self.psus) != len(named):
            raise ValueError("the design names a PSU twice")
        self.sizes = Counter(psu.stratum for psu in named)
        self.df = len(named) - len(self.sizes)
        self.note = _why_none(self.sizes)

    @classmethod
    def of(cls, psus: Collection[Psu]) -> Design:
        """The design of these PSUs; itself where they are one."""
        return psus if isinstance(psus, Design) else cls(psus)

    def __contains__(self, psu: object) -> bool:
        return psu in self.psus

    def __iter__(self) -> Iterator[Psu]:
        return iter(self.psus)

    def __len__(self) -> int:
        return len(self.psus)

    def require(self, *sums: Iterable[Psu]) -> None:
        """Raises ValueError where a PSU that has units is not in the design."""
        for psus in sums:
            for psu in psus:
                if psu not in self.psus:
                    raise ValueError(f"the design lacks {psu}")


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimate with its standard error and its interval of 95 %, both None where `note` says why there is none.

    `df` is the degrees of freedom: PSUs less strata. `z` holds what a PSU adds to the linearised estimate: the variance of
    their sum over `design` is that of the estimate. PSUs that add nothing may be left out. It lets formulas have a standard
    error (`combine`). `design` is None where there is no sample.
    """

    value: float | None
    se: float | None
    low: float | None
    high: float | None
    df: int
    note: Sentence | None = None
    z: Mapping[Psu, float] = field(default_factory=dict, repr=False)
    design: Design | None = field(default=None, repr=False, compare=False)

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
            design=self.design,
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
    sample = Design.of(design)
    sample.require(numerators, denominators)
    over, under = math.fsum(numerators.values()), math.fsum(denominators.values())
    if under == 0:
        return Estimate(None, None, None, None, sample.df, _NO_DENOMINATOR, design=sample)
    value = over / under
    z: dict[Psu, float] = {}
    alike = proportion and (abs(value) <= _SURE or abs(value - 1) <= _SURE)
    if alike:
        value = float(round(value))
    else:
        of_units = dict.fromkeys((*numerators, *denominators))
        z = {psu: (numerators.get(psu, 0.0) - value * denominators.get(psu, 0.0)) / under for psu in of_units}
    note = sample.note
    if note is None and sum(1 for denominator in denominators.values() if denominator) < 2:
        note = _ONE_CLUSTER
    if note is not None:
        return Estimate(value, None, None, None, sample.df, note, z, sample)
    if alike:
        return Estimate(value, 0.0, None, None, sample.df, _ALL_ALIKE, z, sample)
    return _estimate(value, z, sample, logit=proportion and 0 < value < 1)


def total(numerators: Mapping[Psu, float], design: Collection[Psu]) -> Estimate:
    """A weighted total, given as sums per PSU; the variance and the interval as in `ratio`, with z the sum of the PSU.

    Raises ValueError where `design` lacks a PSU that has units.
    """
    sample = Design.of(design)
    sample.require(numerators)
    return _estimate(math.fsum(numerators.values()), numerators, sample, logit=False)


def combine(value: float | None, estimates: Sequence[Estimate], gradient: Sequence[float] | None) -> Estimate:
    """The `value` of a formula over `estimates` of one design, with its sampling error by the delta method.

    `gradient` holds the formula's slope in each estimate (`slopes` finds them; None where it has none). What the formula
    takes from elsewhere (a figure without sampling error) is not among `estimates`. Estimates of different samples give
    a value without a standard error, and so does one that has none itself.
    """
    if not estimates:
        return Estimate(value, None, None, None, 0)
    design, df = estimates[0].design, estimates[0].df
    if value is None:
        return Estimate(None, None, None, None, df, _NO_VALUE)
    lacking = next((estimate for estimate in estimates if estimate.se is None), None)
    if lacking is not None:
        return Estimate(value, None, None, None, df, lacking.note)
    if design is None or not all(_is_same(design, estimate.design) for estimate in estimates):
        return Estimate(value, None, None, None, 0, _TWO_SAMPLES)
    if gradient is None or not all(map(math.isfinite, gradient)):
        return Estimate(value, None, None, None, df, _NO_SLOPE)
    parts = list(zip(estimates, gradient, strict=True))
    of_units = dict.fromkeys(psu for estimate in estimates for psu in estimate.z)
    z = {psu: math.fsum(slope * estimate.z.get(psu, 0.0) for estimate, slope in parts) for psu in of_units}
    combined = _estimate(value, z, design, logit=False)
    note = next((estimate.note for estimate in estimates if estimate.note is not None), None)
    if note is not None and combined.se == 0:  # nothing is known of how much units differ
        return Estimate(value, 0.0, None, None, df, note, z, design)
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
    sample = Design.of(design)
    sample.require(psus)
    if math.fsum(weights) <= 0:
        return Estimate(None, None, None, None, sample.df, _NO_UNITS, design=sample)
    distribution = Distribution(values, weights)
    middle = distribution.quantile(0.5)
    under = _sums(psus, weights)
    below = ratio(_sums(psus, weights, [value <= middle for value in values]), under, sample, proportion=True)
    if below.value == 1:
        below = ratio(_sums(psus, weights, [value < middle for value in values]), under, sample, proportion=True)
    if below.se is None or below.value == 0:
        return Estimate(middle, below.se, None, None, below.df, below.note, below.z, sample)
    t = t_quantile((1 + CONFIDENCE) / 2, below.df)
    reach = 4 * t * below.se  # the slope of the logit at ½ is 4
    low, high = distribution.quantile(_expit(-reach)), distribution.quantile(_expit(reach))
    se = (high - low) / (2 * t)
    scale = -se / below.se if below.se else 0.0  # what lies below more often lowers the median
    return Estimate(middle, se, low, high, below.df, None, {psu: scale * one for psu, one in below.z.items()}, sample)


def _is_same(design: Design, other: Design | None) -> bool:
    return other is design or (other is not None and other.psus == design.psus)


def _estimate(value: float, z: Mapping[Psu, float], design: Design, *, logit: bool) -> Estimate:
    """The estimate whose linearised form is `z`; PSUs of the design that it leaves out add nothing."""
    df = design.df
    if design.note is not None:
        return Estimate(value, None, None, None, df, design.note, z, design)
    se = math.sqrt(_variance(z, design))
    reach = t_quantile((1 + CONFIDENCE) / 2, df) * se
    if not logit:
        return Estimate(value, se, value - reach, value + reach, df, None, z, design)
    centre, reach = math.log(value / (1 - value)), reach / (value * (1 - value))
    low, high = min(value, _expit(centre - reach)), max(value, _expit(centre + reach))
    return Estimate(value, se, low, high, df, None, z, design)


def _variance(z: Mapping[Psu, float], design: Design) -> float:
    """The variance of the sum of `z`, from what PSUs of one stratum differ by."""
    strata: dict[str, list[float]] = defaultdict(list)
    for psu, one in z.items():
        strata[psu.stratum].append(one)
    parts = []
    for stratum, ones in strata.items():
        size = design.sizes[stratum]
        mean = math.fsum(ones) / size
        squares = [(one - mean) ** 2 for one in ones]
        squares.append((size - len(ones)) * mean**2)  # those that add nothing
        parts.append(size / (size - 1) * math.fsum(squares))
    return math.fsum(parts)


def _why_none(count: Mapping[str, int]) -> Sentence | None:
    """Why there is no standard error over so many PSUs of each stratum; None where there is one."""
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
