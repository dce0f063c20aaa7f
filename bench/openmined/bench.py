"""Sluis and OpenMined PSI on one machine in one run, in CPU time: see README.md beside this file.

Both sides of OpenMined run in this process with its Python package, a wheel around its C++ library; ours is the example
`voprf_speed` of the crate `matching`, in a process of its own. They take turns, so that both meet the same machine.
"""

import argparse
import subprocess
import sys
import time

import private_set_intersection.python as psi


def ours(program, size, customers, hits):
    """CPU seconds of each step, by side and step."""
    done = subprocess.run([program, str(size), str(customers), str(hits)], check=True, capture_output=True, text=True)
    steps = {}
    for line in done.stdout.splitlines():
        side, step, spent, speed = line.split("\t")
        steps[side, step] = (float(spent), float(speed))
    return steps


def theirs(size, customers, hits, structure, rate):
    """CPU seconds of each step of OpenMined, on tokens like ours."""
    listed = [f"name-{n:09}.example" for n in range(size)]
    asked = [f"name-{n if n < min(hits, size) else size + n:09}.example" for n in range(customers)]
    steps = {}

    def step(side, name, work, tokens=customers):
        before = time.process_time()
        result = work()
        spent = time.process_time() - before
        steps[side, name] = (spent, tokens / max(spent, 1e-9))
        return result

    server = psi.server.CreateWithNewKey(True)
    client = psi.client.CreateWithNewKey(True)
    setup = step("holder", "publish", lambda: server.CreateSetupMessage(rate, customers, listed, structure), size)
    request = step("provider", "blind", lambda: client.CreateRequest(asked))
    response = step("holder", "evaluate", lambda: server.ProcessRequest(request))
    found = step("provider", "intersect", lambda: client.GetIntersection(setup, response))
    for side in ("provider", "holder"):
        spent = sum(cost for (of, name), (cost, _) in steps.items() if of == side and name != "publish")
        steps[side, "all for customers"] = (spent, customers / spent)
    steps["result", "hits"] = (len(found), min(hits, size, customers))
    return steps


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("program", help="target/release/examples/voprf_speed")
    arguments.add_argument("--list", type=int, default=100_000, help="tokens of the list")
    arguments.add_argument("--customers", type=int, default=100_000, help="tokens of the provider")
    arguments.add_argument("--hits", type=int, default=1_000, help="tokens of the provider that are on the list")
    arguments.add_argument("--structure", choices=["raw", "gcs"], default="raw", help="how OpenMined sends its list")
    arguments.add_argument("--runs", type=int, default=3, help="turns; the fastest of each step counts")
    given = arguments.parse_args()
    structure = {"raw": psi.DataStructure.RAW, "gcs": psi.DataStructure.GCS}[given.structure]
    names = ("Sluis, with proofs", "OpenMined PSI, without")
    best = {name: {} for name in names}
    for run in range(given.runs):
        for name, measure in zip(
            names,
            (
                lambda: ours(given.program, given.list, given.customers, given.hits),
                lambda: theirs(given.list, given.customers, given.hits, structure, 1e-6),
            ),
        ):
            for step, (spent, speed) in measure().items():
                if step[0] == "result":
                    if spent != speed:
                        sys.exit(f"{name}: {spent:.0f} hits instead of {speed:.0f}")
                elif step not in best[name] or spent < best[name][step][0]:
                    best[name][step] = (spent, speed)
        print(f"run {run + 1} of {given.runs} done", file=sys.stderr)
    print(f"{given.list} list tokens x {given.customers} customer tokens, CPU time of one core, fastest of {given.runs}\n")
    print("| | side | step | CPU s | us a token | tokens/s |")
    print("|---|---|---|---|---|---|")
    for name, steps in best.items():
        for (side, step), (spent, speed) in sorted(steps.items(), reverse=True):
            print(f"| {name} | {side} | {step} | {spent:.2f} | {1e6 / speed:.1f} | {speed:,.0f} |")


if __name__ == "__main__":
    main()
