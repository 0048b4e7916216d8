"""Random reaction models in Antimony: reversible and saturating rates, rules, starts, choices and events."""

import random

LAWS = (
    "k{j}*{a}",
    "k{j}*{a}/(K{j} + {a})",
    "k{j}*{a}^2/(K{j}^2 + {b}^2)",
    "k{j}*{a} - K{j}*{b}",
    "k{j}*{a}*piecewise(1, {b} > 0.7*K{j}, 0.3)",
)


def antimony_model(seed):
    """Return the text of a model of three to six species and five to nine reactions."""
    lots = random.Random(seed)
    species = [f"S{i}" for i in range(lots.randint(3, 6))]
    count = lots.randint(5, 9)
    lines = [
        "model m()",
        f"  compartment c = {lots.choice((1, 0.5, 2))}",
        f"  species {', '.join(s + ' in c' for s in species)}",
    ]
    for j in range(count):
        a, b = lots.sample(species, 2)
        left = lots.choice((a, f"2 {a}", f"{a} + {lots.choice(species)}"))
        law = lots.choice(LAWS).format(j=j, a=a, b=b)
        lines.append(f"  J{j}: {left} -> {b}; c*({law})" if lots.random() < 0.8 else f"  J{j}: -> {b}; c*K{j}*w")
        lines.append(f"  k{j} = {lots.uniform(0.2, 2):.3f}; K{j} = {lots.uniform(0.3, 2):.3f}")
    lines += [f"  w := {lots.choice(species)}/(1 + {lots.choice(species)})", "  total = 1.7; z' = w - z; z = total/2"]
    lines += [f"  {s} = {lots.choice(('total', '2*total', '0.8', '1.3'))}" for s in species]
    if lots.random() < 0.7:
        lines.append(
            f"  E0: at (time >= {lots.uniform(0.5, 3):.3f}): {lots.choice(species)} = {lots.uniform(0.5, 2):.3f}"
        )
    if lots.random() < 0.7:
        when = f"{lots.choice(species)} > {lots.uniform(0.8, 2):.3f}"
        lines.append(f"  E1: at {lots.uniform(0.1, 1):.3f} after ({when}): k0 = k0/2, z = z + w")
        lines.append("  var k0")
    return "\n".join([*lines, "end", ""])
