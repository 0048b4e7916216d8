"""Reports as pages: what stands in them, and what a real browser shows when they are pointed at and clicked."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import bifrncrn as bf

pytest.importorskip("plotly", reason="needs the extra report")


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PROBE = """<script>
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.blockedURI));
</script>"""
HAND = """<script>
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
(async () => {
  await wait(500);
  const plot = document.getElementById("diagram"), pad = plot.querySelector(".nsewdrag"), out = {};
  const data = JSON.parse(document.getElementById("data").textContent);
  const traces = plot.querySelectorAll(".scatterlayer .trace");
  const marks = traces[traces.length - 1].querySelectorAll(".point");
  async function at(k) {
    const box = marks[k].getBoundingClientRect();
    const where = { bubbles: true, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2 };
    pad.dispatchEvent(new MouseEvent("mousemove", where)); await wait(300);
    const hover = plot.querySelector(".hoverlayer").textContent;
    pad.dispatchEvent(new MouseEvent("mousedown", where)); await wait(20);
    (document.querySelector(".dragcover") || pad).dispatchEvent(new MouseEvent("mouseup", where)); await wait(300);
    return { hover, moment: document.getElementById("moment").textContent, chosen: document.body.dataset.chosen };
  }
  out.hopf = await at(data.points.findIndex((p) => p.label === "HB"));
  out.before = document.querySelectorAll("#plane .scatterlayer .trace").length;
  out.cycle = await at(marks.length - 5);
  out.series = document.querySelectorAll("#series .scatterlayer .trace, #series .overplot .trace").length;
  out.resources = performance.getEntriesByType("resource").map((entry) => entry.name);
  out.violations = window.violations;
  const pre = document.createElement("pre");
  pre.id = "found"; pre.textContent = JSON.stringify(out); document.body.append(pre);
})();
</script>"""


@pytest.fixture(scope="module")
def tank():
    return bf.with_orbits(bf.diagram(bf.library.get("ab_reaction"), parameter="D", bounds=(0, 0.16)))


def data_of(page):
    text = page.read_text(encoding="utf-8")
    return text, json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])


def test_the_page_holds_everything(tank, tmp_path):
    page = tmp_path / "tank.html"
    bf.save_report(tank, page, command="bifrncrn diagram ab_reaction")
    text, data = data_of(page)
    assert page.stat().st_size < 6_000_000
    own = text[: text.index("<script>")]
    assert "http://www.w3.org" in own and not re.search(r'(src|href)="(?!data:)', own)  # loads nothing
    for words in (
        "oscillates for 0.10574",
        "0.13090004482",
        "-0.38895",
        "bifrncrn diagram ab_reaction",
        "a homoclinic",
    ):
        assert words in own
    assert r"= -u_{1} + D \, \left(1 - u_{1}\right) \, e^{u_{2}}" in own
    assert all(point["moment"] for point in data["points"])
    hopf = next(point for point in data["points"] if point["label"] == "HB")
    assert "4.0078i" in " ".join(hopf["says"])  # the pair of eigenvalues, omega as published


def test_cycles_in_the_phase_plane_are_those_of_the_parameter_value(tmp_path):
    """Of the Hopf normal form: r = sqrt(lam), of period 2 pi; a departing trajectory comes to it."""
    model = bf.System.from_equations(
        {"x": "lam*x - y - x*(x^2 + y^2)", "y": "x + lam*y - y*(x^2 + y^2)"}, {"lam": -1.0}, {"x": 0, "y": 0}
    )
    page = tmp_path / "hopf.html"
    bf.save_report(bf.with_orbits(bf.diagram(model, bounds=(-1, 1))), page)
    _, data = data_of(page)
    seen = 0
    for point in data["points"]:
        lam, moment = point["x"], point["moment"]
        if lam < 0.1:
            continue
        for cycle in moment["plane"]["cycles"]:
            radius = [(x * x + y * y) ** 0.5 for x, y in zip(*cycle["x"], strict=True)]
            assert max(abs(r - lam**0.5) for r in radius) < 0.01
            seen += 1
        if point["kind"] == "equilibrium":
            x, y = (states[-1] for states in moment["x"])
            assert (x * x + y * y) ** 0.5 == pytest.approx(lam**0.5, abs=1e-2)
        else:
            assert moment["t"][-1] == pytest.approx(4 * np.pi, abs=1e-3)  # two periods, as written to a thousandth
    assert seen > 10


def test_a_comparison_and_names_that_are_markup(tmp_path):
    first = bf.System.from_equations({"x": "lam - x^2"}, {"lam": 1.0}, {"x": 1.0}, title="<script>alert(1)</script>")
    second = bf.System.from_equations({"x": "lam - x^2 + 0.3"}, {"lam": 1.0}, {"x": 1.1}, title="</script><b>")
    page = tmp_path / "two.html"
    bf.save_report(bf.compare(first, second, bounds=(-1, 1)), page)
    text, data = data_of(page)
    assert "<script>alert" not in text and "&lt;script&gt;alert" in text and "</script><b>" not in text
    assert data["layers"] == ["first", "second"] and "differ" in text


def test_what_cannot_be_written_is_said(tank, tmp_path):
    with pytest.raises(bf.InputError, match="html"):
        bf.save_report(tank, tmp_path / "tank.pdf")
    with pytest.raises(bf.InputError, match="a diagram, a comparison or a fit"):
        bf.save_report(3, tmp_path / "tank.html")


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_in_a_browser(tank, tmp_path):
    page = tmp_path / "tank.html"
    bf.save_report(tank, page)
    text = page.read_text(encoding="utf-8").replace("<body>", f"<body>{PROBE}").replace("</body>", f"{HAND}</body>")
    page.write_text(text, encoding="utf-8")
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1250,1500", "--dump-dom",
        "--virtual-time-budget=20000", f"--user-data-dir={tmp_path / 'profile'}", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    match = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert match, done.stderr[-2000:]
    found = json.loads(match[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    assert found["resources"] == [] and found["violations"] == []
    assert "Hopf point" in found["hopf"]["hover"] and "eigenvalues" in found["hopf"]["hover"]
    assert "multipliers" in found["cycle"]["hover"] and "the cycle at D" in found["cycle"]["moment"]
    assert found["hopf"]["chosen"] != found["cycle"]["chosen"] and found["series"] == 2


def test_the_command_line_writes_it(tmp_path, capsys):

    page = tmp_path / "fold.html"
    assert bf.main(["diagram", "ab_reaction", "--parameter", "D", "--range", "0", "0.16", "--report", str(page)]) == 0
    assert f"wrote {page}" in capsys.readouterr().out and page.stat().st_size > 1_000_000
    assert bf.main(["diagram", "ab_reaction", "--parameter", "D", "--range", "0", "0.16", "--report", "fold.txt"]) == 2
    assert ".html" in capsys.readouterr().err


@pytest.mark.slow
def test_of_a_trained_network(tmp_path):

    page = tmp_path / "fit.html"
    assert bf.main(["train", "hopf", "--perceptrons", "5", "--seeds", "1", "--report", str(page)]) == 0
    text, data = data_of(page)
    assert data["layers"] == ["target", "learned"] and data["points"]
    assert "Compared with the target" in text and "loss" in text and "alpha" in text


def test_of_a_trained_classifier(tmp_path):
    page = tmp_path / "classifier.html"
    assert bf.main(["train", "step_classifier", "--seeds", "1", "--jobs", "1", "--report", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "classifier 1-3-1" in text and "output_layer" in text
