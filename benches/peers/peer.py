"""Runs another flood model on a case that `anlan bench flood2d --against` wrote, and prints one JSON line.

In: a folder with case.json, bed.f32 and depth.f32 (one single-precision value a cell, little-endian, southern row first), the name
of the model, threads, a limit of wall time. Out: steps, simulated and wall seconds of its time loop alone, without setting up.
Every model gets the same bed, water, roughness, inflow cells and closed sides; its own usual settings otherwise.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("model", choices=["itzi", "landlab", "anuga"])
parser.add_argument("folder", type=Path)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--limit-s", type=float, default=400.0, help="stop after so much wall time and tell how far it came")
options = parser.parse_args()
# Before any library starts its workers.
os.environ["OMP_NUM_THREADS"] = str(options.threads)
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np  # noqa: E402


class Case:
    """The case as it was written; rows from the south."""

    def __init__(self, folder: Path):
        told = json.loads((folder / "case.json").read_text())
        self.columns, self.rows, self.cell_m = told["columns"], told["rows"], told["cell_m"]
        self.manning, self.end_s = told["manning"], told["end_s"]
        shape = (self.rows, self.columns)
        self.bed = np.fromfile(folder / "bed.f32", "<f4").reshape(shape)
        self.depth = np.fromfile(folder / "depth.f32", "<f4").reshape(shape)
        self.inlet = [(cell["row"], cell["column"]) for cell in told["inlet"]]
        self.times, self.discharges = np.array(told["discharge_m3s"] or [[0.0, 0.0]], float).T

    def discharge(self, time_s: float) -> float:
        return float(np.interp(time_s, self.times, self.discharges))


class Clock:
    """Wall time of the loop; `more` is false at the end of the case or at the limit."""

    def __init__(self, case: Case):
        self.case, self.time_s, self.steps, self.begun = case, 0.0, 0, time.perf_counter()

    def more(self) -> bool:
        return self.time_s < self.case.end_s - 1e-9 and self.wall_s() < options.limit_s

    def step(self, dt_s: float):
        self.time_s += dt_s
        self.steps += 1

    def wall_s(self) -> float:
        return time.perf_counter() - self.begun


def itzi(case: Case):
    """Local inertia (de Almeida & Bates), its compiled kernels called as its own simulation loop calls them, without GRASS."""
    from importlib.metadata import version

    from itzi import flow

    gravity, courant, longest_s = 9.80665, 0.7, 5.0
    shape = (case.rows + 2, case.columns + 2)
    new = lambda value=0.0: np.full(shape, value, np.float32)
    inside = np.s_[1:-1, 1:-1]
    bed = np.pad(case.bed[::-1], 1, mode="edge").astype(np.float32)
    depth = new()
    depth[inside] = case.depth[::-1]
    rough, source = new(case.manning), new()
    east, south, east_next, south_next = new(), new(), new(), new()
    flow_depth_east, flow_depth_south = new(), new()
    side_kind, side_value, side_volume = new(), new(), new()
    spare = {name: new() for name in ("hmax", "hfix", "herr", "v", "vdir", "vmax", "fr")}
    no_direction = new(-1.0)
    inlet = [(case.rows - row, column + 1) for row, column in case.inlet]
    clock = Clock(case)
    while clock.more():
        deepest = float(depth.max())
        by_wave = courant * case.cell_m / np.sqrt(gravity * deepest) if deepest > 0.0 else longest_s
        dt = min(by_wave, longest_s, case.end_s - clock.time_s)
        for cell in inlet:
            source[cell] = case.discharge(clock.time_s + dt / 2) / (len(inlet) * case.cell_m**2)
        flow.solve_q(
            arr_dire=no_direction, arr_dirs=no_direction, arr_z=bed, arr_n=rough,
            arr_h=depth, arr_qe=east, arr_qs=south, arr_hfe=flow_depth_east, arr_hfs=flow_depth_south,
            arr_bctype=side_kind, arr_bcvalue=side_value, arr_qe_new=east_next, arr_qs_new=south_next,
            arr_bcaccum=side_volume, dt=dt, dx=case.cell_m, dy=case.cell_m, g=gravity, theta=0.9, hf_min=0.005,
            v_rout=0.1, sl_thres=0.1,
        )
        flow.solve_h(
            arr_ext=source, arr_qe=east_next, arr_qs=south_next, arr_bct=side_kind, arr_bcv=side_value, arr_h=depth,
            arr_hmax=spare["hmax"], arr_hfix=spare["hfix"], arr_herr=spare["herr"], arr_hfe=flow_depth_east,
            arr_hfs=flow_depth_south, arr_v=spare["v"], arr_vdir=spare["vdir"], arr_vmax=spare["vmax"],
            arr_fr=spare["fr"], dx=case.cell_m, dy=case.cell_m, dt=dt, g=gravity,
        )
        east, east_next = east_next, east
        south, south_next = south_next, south
        clock.step(dt)
    return version("itzi"), clock, clock.wall_s(), depth[inside][::-1]


def landlab(case: Case):
    """Local inertia (de Almeida et al. 2012): the OverlandFlow component with one ring of closed nodes."""
    import landlab as package
    from landlab import RasterModelGrid
    from landlab.components import OverlandFlow

    ring = lambda field: np.pad(field, 1, mode="edge").astype(float).ravel()
    grid = RasterModelGrid((case.rows + 2, case.columns + 2), xy_spacing=case.cell_m)
    grid.add_field("topographic__elevation", ring(case.bed), at="node")
    depth = grid.add_field("surface_water__depth", ring(case.depth), at="node")
    grid.set_closed_boundaries_at_grid_edges(True, True, True, True)
    model = OverlandFlow(grid, mannings_n=case.manning, h_init=1e-5, alpha=0.7, theta=0.8, steep_slopes=False)
    inlet = np.array([(row + 1) * (case.columns + 2) + column + 1 for row, column in case.inlet], int)
    clock = Clock(case)
    while clock.more():
        dt = min(model.calc_time_step(), case.end_s - clock.time_s, 60.0)
        if len(inlet):
            depth[inlet] += case.discharge(clock.time_s + dt / 2) * dt / (len(inlet) * case.cell_m**2)
        model.overland_flow(dt=dt)
        clock.step(dt)
    wall_s = clock.wall_s()
    return package.__version__, clock, wall_s, depth.reshape(case.rows + 2, case.columns + 2)[1:-1, 1:-1]


def anuga(case: Case):
    """Full shallow water, second order in space (DE0), two triangles a cell, its compiled time loop."""
    import anuga as package

    package.set_omp_num_threads(options.threads)
    width_m, height_m = case.columns * case.cell_m, case.rows * case.cell_m
    domain = package.Domain(*package.rectangular(case.columns, case.rows, width_m, height_m))
    domain.set_store(False)
    domain.set_flow_algorithm("DE0")
    domain.set_omp_num_threads(options.threads)
    centres = domain.get_centroid_coordinates() / case.cell_m
    column = np.clip(centres[:, 0].astype(int), 0, case.columns - 1)
    row = np.clip(centres[:, 1].astype(int), 0, case.rows - 1)
    domain.set_quantity("elevation", case.bed[row, column].astype(float), location="centroids")
    domain.set_quantity("friction", case.manning)
    domain.set_quantity("stage", (case.bed + case.depth)[row, column].astype(float), location="centroids")
    domain.set_boundary({tag: package.Reflective_boundary(domain) for tag in domain.get_boundary_tags()})
    if case.inlet:
        rows, columns = zip(*case.inlet)
        edge = 1e-3  # only triangles that lie inside these cells
        west, east = min(columns) * case.cell_m + edge, (max(columns) + 1) * case.cell_m - edge
        south, north = min(rows) * case.cell_m + edge, (max(rows) + 1) * case.cell_m - edge
        corners = [[west, south], [east, south], [east, north], [west, north]]
        package.Inlet_operator(domain, package.Region(domain, polygon=corners), Q=case.discharge)
    domain.set_multiprocessor_mode(2)
    clock = Clock(case)
    for reached_s in domain.evolve(yieldstep=case.end_s / 40, finaltime=case.end_s):
        clock.time_s = float(reached_s)
        clock.steps += int(domain.number_of_steps)
        if not clock.more():
            break
    wall_s = clock.wall_s()
    quantity = lambda name: domain.quantities[name].centroid_values
    volume, area = np.zeros(case.bed.shape), np.zeros(case.bed.shape)
    np.add.at(volume, (row, column), (quantity("stage") - quantity("elevation")) * domain.areas)
    np.add.at(area, (row, column), domain.areas)
    return package.__version__, clock, wall_s, volume / area


case = Case(options.folder)
# What the libraries say goes to standard error; standard output carries the one line of JSON.
told = os.dup(1)
os.dup2(2, 1)
version, clock, wall_s, depth = {"itzi": itzi, "landlab": landlab, "anuga": anuga}[options.model](case)
sys.stdout.flush()
line = {
    "model": options.model,
    "version": version,
    "cells": case.columns * case.rows,
    "threads": options.threads,
    "steps": clock.steps,
    "simulated_s": clock.time_s,
    "wall_s": wall_s,
    "volume_m3": float(np.sum(depth, dtype=float) * case.cell_m**2),
    "wet_cells": int(np.count_nonzero(depth > 0.01)),
}
os.write(told, (json.dumps(line) + "\n").encode())
