"""Plots of measured times and the ideal line, small enough for a page."""
import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.ticker import FuncFormatter

COLORS = ("#1f77b4", "#d95f02", "#1b9e77", "#7570b3")


def number(value, _=None):
    return f"{value:g}" if value < 1e4 else f"{value:.0f}"


def curves(path, title, unit, all_curves):
    """`all_curves`: (label, sizes, milliseconds, ideal milliseconds); both axes logarithmic."""
    figure, axes = pyplot.subplots(figsize=(5.6, 3.6), dpi=90)
    for color, (label, sizes, measured, ideal) in zip(COLORS, all_curves):
        axes.plot(sizes, ideal, color=color, linewidth=1)
        axes.plot(sizes, measured, "o", color=color, markersize=4, label=label)
    axes.plot([], [], color="black", linewidth=1, label="ideal")
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(number))
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(unit, fontsize=9)
    axes.set_ylabel("milliseconds", fontsize=9)
    axes.tick_params(labelsize=8)
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    axes.grid(True, which="major", linewidth=0.4)
    axes.legend(fontsize=8)
    figure.tight_layout()
    # Nothing of when and with what: the same figures give the same file.
    figure.savefig(path, metadata={"Software": None})
    pyplot.close(figure)
