"""Files: .mat layouts, JSON, SBML, Antimony, TOML, and converting between them."""

import dataclasses
import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat
from test_network import ARRAYS, classifier, example, networks

import bifrncrn as bf

within_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
DAMAGE = st.sampled_from([*'{}[]",:0e-. ', "", "null", "é", "\0"])
TOML = """
title = "two variables"
[variables]
u = 0.1
v = 2.0
[parameters]
r = 0.30000000000000004
[definitions]
w = "u**2 - r/3"
[equations]
u = "-(u - v)*w + log(2 + cos(v)^2)"
v = "u - v**-2 + sqrt(abs(r))*1e-3"
"""


def same(a, b):
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert (a.mu, a.title, a.training) == (b.mu, b.title, b.training)


# -- .mat -------------------------------------------------------------------------------------------------------


@within_one_folder
@given(net=networks())
def test_mat_layout_two_keeps_every_digit(tmp_path, net):
    bf.write_model(net, tmp_path / "net.mat")
    same(bf.read_model(tmp_path / "net.mat"), net)


@within_one_folder
@given(net=networks())
def test_mat_layout_one_keeps_every_digit(tmp_path, net):
    net = dataclasses.replace(net, beta=net.beta[0], gamma=net.gamma[0], tau=net.tau[0])
    bf.write_model(net, tmp_path / "net.mat", layout=1)
    same(bf.read_model(tmp_path / "net.mat"), net)


def test_mat_layout_three(tmp_path):
    model = classifier(mu=0.5, title="été")
    bf.write_model(model, tmp_path / "c.mat")
    assert bf.read_model(tmp_path / "c.mat").to_json() == model.to_json()


def test_mat_layouts_hold_what_the_authors_expect(tmp_path):
    net = example(1, beta=2.0, gamma=3.0, tau=4.0)
    bf.write_model(net, tmp_path / "one.mat", layout=1)
    one = loadmat(tmp_path / "one.mat")
    assert one["first_layer_weights"].shape == (3, 3)
    assert one["first_layer_weights"][:, 1].tolist() == [0.0, 2.0, 0.5]
    assert one["first_layer_biases"].shape == (1, 3)
    assert one["output_layer_weights"].shape == (3, 2)
    assert [one[key].item() for key in ("gamma", "beta", "alpha")] == [3.0, 2.0, 4.0]
    bf.write_model(net, tmp_path / "two.mat")
    two = loadmat(tmp_path / "two.mat")
    shapes = {"alpha_mat": (2, 3), "omega_mat": (3, 2), "static_omega_mat": (3, 1), "bias_vec": (3, 1), "beta": (2, 1)}
    assert {key: two[key].shape for key in shapes} == shapes
    assert two["gamma"].shape == two["tau"].shape == (3, 1)


def test_older_mat_layouts(tmp_path):
    first = {
        "first_layer_weights": np.array([[1.5, 2.5], [0.1, 0.2]], dtype=np.float32),
        "first_layer_biases": np.array([[1, -2]], dtype=np.int32),
        "output_layer_weights": np.array([[0.1], [0.2]], dtype=np.float32),
    }
    savemat(tmp_path / "bare.mat", first)
    bare = bf.read_model(tmp_path / "bare.mat")
    assert bare.sizes == (1, 2, 1)
    assert [bare.beta.tolist(), bare.gamma.tolist(), bare.tau.tolist()] == [[0.0], [1.0, 1.0], [1.0, 1.0]]
    assert [bare.state.tolist(), bare.lam.tolist(), bare.mu] == [[1.0], [1.0], None]
    assert bare.alpha[0, 0] == float(np.float32(0.1))
    savemat(tmp_path / "betas.mat", {**first, "betas": 7, "gamma": 2, "alpha": 3})
    betas = bf.read_model(tmp_path / "betas.mat")
    assert [betas.beta.tolist(), betas.gamma.tolist(), betas.tau.tolist()] == [[7.0], [2.0, 2.0], [3.0, 3.0]]
    second = {"alpha_mat": [[1.0, 2.0]], "omega_mat": [[1.0], [2.0]], "bias_vec": [[0.0], [1.0]]}
    savemat(tmp_path / "second.mat", second)
    assert bf.read_model(tmp_path / "second.mat").tau.tolist() == [1.0, 1.0]
    savemat(tmp_path / "clue.mat", {**second, "loss": 0.25, "loss_type": "MSE"})
    assert bf.read_model(tmp_path / "clue.mat").training == {"loss": 0.25, "loss_type": "MSE"}


def test_other_variables_beside_a_network_are_passed_over(tmp_path):
    second = {"alpha_mat": [[1.0, 2.0]], "omega_mat": [[1.0], [2.0]], "bias_vec": [[0.0], [1.0]]}
    others = {"a": {"field": 1}, "b": np.array([[1j]]), "c": np.array([[{}]]), "d": "text", "e": ["two", "rows"]}
    savemat(tmp_path / "mixed.mat", {**others, **second}, do_compression=True)
    assert bf.read_model(tmp_path / "mixed.mat").sizes == (1, 2, 0)
    savemat(tmp_path / "struct.mat", {**second, "alpha_mat": {"field": 1}})
    with pytest.raises(bf.InputError, match="alpha_mat is not an array of real numbers"):
        bf.read_model(tmp_path / "struct.mat")


def test_mat_files_of_the_other_byte_order(tmp_path):
    def element(kind, data):
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    def variable(name, rows, columns, values):
        head = element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", rows, columns))
        return element(14, head + element(1, name) + element(9, struct.pack(f">{len(values)}d", *values)))

    body = variable(b"alpha_mat", 1, 2, (0.1, 0.2)) + variable(b"omega_mat", 2, 1, (3.0, 4.0))
    header = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x01\x00MI"
    (tmp_path / "big.mat").write_bytes(header + body + variable(b"bias_vec", 2, 1, (5.0, 6.0)))
    net = bf.read_model(tmp_path / "big.mat")
    assert (net.alpha.tolist(), net.theta.tolist()) == ([[0.1, 0.2]], [5.0, 6.0])


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"x": 1.0, "y": 2.0}, "holds x, y, which is none of the layouts .1. first_layer_weights"),
        ({}, "holds nothing, which is none of the layouts"),
        ({"alpha_mat": [[1.0]], "omega_mat": [[1.0]]}, "lacks bias_vec; it holds alpha_mat, omega_mat"),
        ({"alpha_mat": [[1.0]], "omega_mat": [[1.0, 2.0]], "bias_vec": 1.0}, "omega has shape"),
        ({"alpha_mat": "text", "omega_mat": [[1.0]], "bias_vec": 1.0}, "alpha_mat is not an array of real numbers"),
        ({"alpha_mat": np.ones((1, 1, 2)), "omega_mat": 1.0, "bias_vec": 1.0}, r"alpha_mat has shape \(1, 1, 2\)"),
        ({"alpha_mat": 1.0, "omega_mat": 1.0, "bias_vec": np.ones((2, 2))}, "bias_vec has shape .2, 2. but must be"),
        ({"alpha_mat": 1.0, "omega_mat": 1.0, "bias_vec": np.nan}, "theta holds nan"),
        ({"alpha_mat": 1.0, "omega_mat": 1.0, "bias_vec": 1.0, "mu": [1.0, 2.0]}, "mu has shape"),
        ({"alpha_mat": 1.0, "omega_mat": 1.0, "bias_vec": 1.0, "title": 1.0}, "title is not a text"),
        ({"alpha_mat": 1.0, "omega_mat": 1.0, "bias_vec": 1.0, "training": "[1]"}, "training is '.1.', which is not"),
        (
            {
                "first_layer_weights": np.ones((1, 2)),
                "first_layer_biases": [1.0, 2.0],
                "output_layer_weights": np.ones((2, 2)),
            },
            "first_layer_weights has shape .1, 2. but output_layer_weights",
        ),
    ],
)
def test_mat_of_another_kind(tmp_path, variables, message):
    savemat(tmp_path / "other.mat", variables)
    with pytest.raises(bf.InputError, match=f"other.mat: {message}"):
        bf.read_model(tmp_path / "other.mat")


def test_files_that_are_no_mat(tmp_path):
    path = tmp_path / "a.mat"
    with pytest.raises(bf.InputError, match=r"a\.mat: cannot be read \(No such file"):
        bf.read_model(path)
    header = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512) + b"\x89HDF\r\n\x1a\n"
    for content, message in ((b"", "not a MATLAB version 5"), (b"hello", "not a MATLAB"), (header, "-v7")):
        path.write_bytes(content)
        with pytest.raises(bf.InputError, match=message):
            bf.read_model(path)
    bf.write_model(example(), path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(bf.InputError, match="corrupt"):
        bf.read_model(path)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_mat_files_give_a_model_or_one_sentence(tmp_path, data):
    path = tmp_path / "damaged.mat"
    bf.write_model(example(1, training={"a": 1}, mu=0.5), path)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 5))):
        raw[data.draw(st.integers(116, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(raw[: data.draw(st.sampled_from([len(raw), len(raw) // 2, 136]))])
    try:
        bf.read_model(path)
    except bf.InputError as error:
        assert "\n" not in str(error)


def test_a_name_with_a_line_end_out_of_a_damaged_file_stays_in_one_line(tmp_path):
    bf.write_model(example(1), tmp_path / "a.mat")
    raw = (tmp_path / "a.mat").read_bytes()
    assert raw.count(b"omega_mat") >= 1
    (tmp_path / "a.mat").write_bytes(raw.replace(b"omega_mat", b"\nmega_mat", 1))
    with pytest.raises(bf.InputError) as caught:
        bf.read_model(tmp_path / "a.mat")
    assert "\n" not in str(caught.value) and r"\nmega_mat" in str(caught.value)


def test_layouts_that_do_not_fit(tmp_path):
    for model, layout, message in (
        (example(), 3, "layout 3 does not hold a network; choose from 1, 2"),
        (classifier(), 1, "layout 1 does not hold a classifier; choose from 3"),
        (example(beta=3.0), 1, r"gamma is \[1.0, 0.5, 2.0\] but layout 1 holds one value for all; choose layout 2"),
        (example(training={"a": {1}}), 2, "training record cannot be written"),
    ):
        with pytest.raises(bf.InputError, match=message):
            bf.write_model(model, tmp_path / "a.mat", layout=layout)
    assert not list(tmp_path.iterdir())


def test_published_mat_files_keep_single_precision_values(reference, tmp_path):
    raw = loadmat(reference / "networks/hopf.mat")
    net = bf.read_model(reference / "networks/hopf.mat")
    assert net.alpha.dtype == np.float64
    np.testing.assert_array_equal(net.alpha, raw["output_layer_weights"].T)
    np.testing.assert_array_equal(net.psi[:, 0], raw["first_layer_weights"][2])
    for name in ("hopf", "homoclinic", "circle", "heart", "eqcycle", "oscillatory"):
        net = bf.read_model(reference / f"networks/{name}.mat")
        for layout in (2,) if name in ("circle", "heart", "eqcycle") else (1, 2):
            bf.write_model(net, tmp_path / "again.mat", layout=layout)
            same(bf.read_model(tmp_path / "again.mat"), net)


# -- JSON -------------------------------------------------------------------------------------------------------


def changed(change):
    data = example(1, mu=0.5).to_json()
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1: not JSON"),
        ("[]", "has the schema None, which is no network; give one of bifrncrn.network/1"),
        ('{"schema": "bifrncrn.diagram/1"}', "has the schema 'bifrncrn.diagram/1'"),
        ('{"schema": ["a"]}', "has the schema"),
        ('{"schema": 1, "schema": 2}', "holds the key 'schema' twice"),
        ("[" * 100_000, "nested too deeply"),
        ('{"schema": ' + "1" * 5000 + "}", "cannot be read"),
        (changed(lambda d: d.pop("weights")), "the network lacks the key 'weights'"),
        (changed(lambda d: d["weights"].pop("omega")), "weights lacks the key 'omega'"),
        (changed(lambda d: d.update(extra=1)), "the network holds the unknown key 'extra'; known are lam, mu"),
        (changed(lambda d: d["weights"].update(omga={})), "weights holds the unknown key 'omga'"),
        (changed(lambda d: d["weights"]["tau"].update(unit="m")), "the unit of tau is 'm' but weights are read in"),
        (changed(lambda d: d["weights"]["tau"].update(values=[1.0])), r"tau has shape \(1,\) but must have"),
        (changed(lambda d: d["weights"]["tau"].update(values=1.0)), "tau is 1.0 where a list of numbers is expected"),
        (changed(lambda d: d["weights"]["tau"].update(values=[1.0, "2", 3.0])), r"tau\[1\] is '2', which is not"),
        (changed(lambda d: d["weights"]["tau"].update(values=[1.0, True, 3.0])), r"tau\[1\] is True"),
        (changed(lambda d: d["weights"]["tau"].update(values=[1.0, float("nan"), 3.0])), "holds NaN, which is no"),
        (changed(lambda d: d["weights"].update(tau=[])), "weights.tau is .. where a JSON object"),
        (changed(lambda d: d.update(mu="a")), "mu is 'a'"),
        (changed(lambda d: d.update(title=None)), "title is None where a text"),
        (changed(lambda d: d.update(training=[])), "training is .. where a JSON object"),
        (changed(lambda d: d.update(state=[-1.0, 1.0])), r"state\[0\] is -1.0"),
        (changed(lambda d: d.update(lam=[10**400])), "which is not finite"),
    ],
)
def test_bad_json(tmp_path, text, message):
    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(bf.InputError, match=message) as caught:
        bf.load_model(path)
    assert "net.json" in str(caught.value)
    assert "\n" not in str(caught.value)


@within_one_folder
@given(data=st.data())
def test_damaged_json_gives_a_model_or_one_sentence(tmp_path, data):
    text = list(json.dumps(bf.ControlledNetwork(classifier(), example(1)).to_json()))
    for _ in range(data.draw(st.integers(1, 3))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(DAMAGE)
    path = tmp_path / "damaged.json"
    path.write_text("".join(text), encoding="utf-8")
    try:
        bf.load_model(path)
    except bf.InputError as error:
        assert "\n" not in str(error)


def test_json_that_is_no_text(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(bf.InputError, match="not a UTF-8 text file"):
        bf.Network.load(tmp_path / "a.json")
    with pytest.raises(
        bf.InputError, match=r"the schema is 'bifrncrn\.network/1' but 'bifrncrn.controlled/1' is needed"
    ):
        bf.ControlledNetwork.from_json({"schema": "bifrncrn.network/1", "classifier": {}, "network": {}})


# -- load_model -------------------------------------------------------------------------------------------------


def test_load_model_of_every_kind(tmp_path):
    net = example(1, mu=0.02)
    net.save(tmp_path / "net.json")
    (tmp_path / "net.txt").write_text(net.reactions().to_text())
    bf.write_model(net, tmp_path / "net.mat")
    (tmp_path / "model.toml").write_text(TOML)
    for name in ("net.json", "net.mat"):
        assert bf.load_model(tmp_path / name).variables == ("x1", "x2")
        assert bf.load_model(str(tmp_path / name), mu=0.5).variables == ("x1", "x2", "y1", "y2", "y3")
    assert bf.load_model(tmp_path / "net.txt").parameters[:2] == ("lam", "k1")
    rescaled = bf.load_model(tmp_path / "net.txt", mu=0.5)
    x = np.linspace(0.5, 1.5, 5)
    np.testing.assert_allclose(rescaled.rhs(x), net.full(0.5).rhs(x), rtol=1e-12)
    assert bf.load_model(tmp_path / "model.toml").title == "two variables"
    assert bf.load_model(tmp_path / "net.json").title == "net"
    assert bf.load_model("hopf").variables == ("x1", "x2")


@pytest.mark.parametrize(
    ("name", "mu", "message"),
    [
        ("hopff", None, "did you mean 'hopf'.*or name a file: .toml"),
        ("hopf", 0.1, "has no time-scale mu to set"),
        ("missing.json", None, "missing.json: cannot be read"),
        ("missing.mat", None, "missing.mat: cannot be read"),
        ("missing.txt", None, "missing.txt: cannot be read"),
        ("missing.toml", None, "missing.toml"),
        ("folder/model.csv", None, "files ending in .csv are not read; give one of .toml"),
        ("folder/model", None, "files ending in nothing are not read"),
        ("", None, "no system called ''"),
        ("a\0b.json", None, "check the name"),
        ("a\0b.mat", None, "check the name"),
    ],
)
def test_models_that_are_not_there(name, mu, message):
    with pytest.raises(bf.InputError, match=message):
        bf.load_model(name, mu)


def test_a_time_scale_needs_a_network(tmp_path):
    (tmp_path / "model.toml").write_text(TOML)
    (tmp_path / "decay.txt").write_text("A->,1")
    bf.ControlledNetwork(classifier(), example(1)).save(tmp_path / "both.json")
    bf.write_model(classifier(), tmp_path / "c.mat")
    with pytest.raises(bf.InputError, match=r"model\.toml: mu was given, but a model of equations"):
        bf.load_model(tmp_path / "model.toml", mu=0.1)
    with pytest.raises(bf.InputError, match=r"decay\.txt: the species A has no place here"):
        bf.load_model(tmp_path / "decay.txt", mu=0.1)
    with pytest.raises(bf.InputError, match=r"c\.mat: the classifier records no time-scale"):
        bf.load_model(tmp_path / "c.mat")
    assert bf.load_model(tmp_path / "both.json").variables == ("x1", "x2")
    assert len(bf.load_model(tmp_path / "both.json", mu=0.1).variables) == 9


# -- convert ----------------------------------------------------------------------------------------------------


def test_every_conversion_of_a_network(tmp_path):
    pytest.importorskip("libsbml", reason="python-libsbml is not installed")
    pytest.importorskip("antimony", reason="antimony is not installed")
    net = example(1, mu=0.02)
    x = np.linspace(0.5, 1.5, 5)
    reduced, full = net.reduced().rhs(x[:2]), net.full().rhs(x)
    suffixes = (".json", ".mat", ".txt", ".xml", ".ant")
    net.save(tmp_path / "start.json")
    for suffix in suffixes:
        bf.convert(tmp_path / "start.json", tmp_path / f"one{suffix}")
    for before in suffixes:
        for after in suffixes:
            path = tmp_path / f"two{before[1:]}{after}"
            bf.convert(tmp_path / f"one{before}", path)
            digits = 1e-13 if ".ant" in (before, after) else 1e-14
            again = bf.load_model(path, mu=0.02)
            assert again.variables == ("x1", "x2", "y1", "y2", "y3")
            np.testing.assert_allclose(again.rhs(x), full, rtol=100 * digits, atol=1e-11)
            if after in (".json", ".mat"):
                np.testing.assert_allclose(bf.load_model(path).rhs(x[:2]), reduced, rtol=100 * digits)
        bf.convert(tmp_path / f"one{before}", tmp_path / "reduced.toml")
        model = bf.load_model(tmp_path / "reduced.toml")
        if before in (".json", ".mat"):
            np.testing.assert_array_equal(model.rhs(x[:2]), reduced)
        else:
            np.testing.assert_allclose(model.rhs(x), full, rtol=1e-11, atol=1e-11)


def test_convert_with_a_time_scale(tmp_path):
    example(1).save(tmp_path / "net.json")
    with pytest.raises(bf.InputError, match=r"net\.json: the network records no time-scale"):
        bf.convert(tmp_path / "net.json", tmp_path / "net.txt")
    bf.convert(tmp_path / "net.json", tmp_path / "net.txt", mu=0.25)
    assert bf.Network.from_reactions(bf.read_model(tmp_path / "net.txt")).mu == 0.25
    bf.convert(tmp_path / "net.txt", tmp_path / "slower.txt", mu=0.5)
    assert bf.read_model(tmp_path / "slower.txt").mu == 0.5
    bf.convert(tmp_path / "net.json", tmp_path / "full.toml", mu=0.5)
    assert len(bf.load_model(tmp_path / "full.toml").variables) == 5
    bf.convert(tmp_path / "net.json", tmp_path / "named.json", mu=0.5)
    assert bf.Network.load(tmp_path / "named.json").mu == 0.5


def test_convert_classifiers_and_controlled_networks(tmp_path):
    both = bf.ControlledNetwork(classifier(mu=0.1), example(1, mu=0.1))
    both.save(tmp_path / "both.json")
    bf.write_model(classifier(mu=0.1), tmp_path / "c.mat")
    bf.convert(tmp_path / "both.json", tmp_path / "both.txt")
    bf.convert(tmp_path / "both.txt", tmp_path / "again.json", mu=0.1)
    assert isinstance(bf.read_model(tmp_path / "again.json"), bf.ControlledNetwork)
    bf.convert(tmp_path / "c.mat", tmp_path / "c.json", mu=0.2)
    assert bf.read_model(tmp_path / "c.json").mu == 0.2
    bf.convert(tmp_path / "c.json", tmp_path / "c.txt")
    bf.convert(tmp_path / "c.txt", tmp_path / "d.mat")
    assert isinstance(bf.read_model(tmp_path / "d.mat"), bf.Classifier)
    with pytest.raises(bf.InputError, match="a network or a classifier but not both"):
        bf.convert(tmp_path / "both.json", tmp_path / "both.mat")


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("model.toml", "net.json", r"model\.toml: differential equations are no network and cannot become .json"),
        ("model.toml", "net.mat", "cannot become .mat; write .toml, .xml or .ant"),
        ("model.toml", "net.txt", "have no reactions and cannot become .txt"),
        ("model.toml", "net.csv", "files ending in .csv are not written"),
        ("decay.txt", "net.json", "the species A has no place here"),
        ("decay.txt", "no/folder.toml", "cannot write"),
    ],
)
def test_conversions_that_cannot_be(tmp_path, source, target, message):
    (tmp_path / "model.toml").write_text(TOML)
    (tmp_path / "decay.txt").write_text("A->,1")
    with pytest.raises(bf.InputError, match=message):
        bf.convert(tmp_path / source, tmp_path / target)
    with pytest.raises(bf.InputError, match="files have one; leave it out"):
        bf.convert(tmp_path / source, tmp_path / "a.json", layout=2)


def test_a_file_is_not_converted_onto_itself(tmp_path):
    path = tmp_path / "model.toml"
    path.write_text(f"# a note that would be lost\n{TOML}")
    with pytest.raises(bf.InputError, match="is the file that is read"):
        bf.convert(path, tmp_path / "." / "model.toml", force=True)
    assert path.read_text().startswith("# a note")


def test_no_plain_text_is_written_under_the_name_of_a_packed_file(tmp_path):
    (tmp_path / "model.toml").write_text(TOML)
    with pytest.raises(bf.InputError, match=r"ending in \.gz are not written; give one of [^(]*\(") as caught:
        bf.convert(tmp_path / "model.toml", tmp_path / "model.xml.gz")
    assert ".gz (" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("suffix", "text"), [(".toml", None), (".ode", "par a=2\nx'=a-x\ninit x=2\ndone\n")])
def test_text_with_a_byte_order_mark_is_read(tmp_path, encoding, suffix, text):
    path = tmp_path / f"model{suffix}"
    path.write_text(
        text or '[variables]\nx = 2.0\n[parameters]\na = 2.0\n[equations]\nx = "a - x"\n', encoding=encoding
    )
    assert bf.load_model(path).rhs([0.5]) == [1.5]


def test_a_long_name_is_shown_by_its_ends():
    with pytest.raises(bf.InputError, match=r"no system called 'qqq.*\.\.\.q+'") as caught:
        bf.load_model("q" * 5000)
    assert "q" * 200 not in str(caught.value)


def test_a_library_system_can_be_converted(tmp_path):
    bf.convert("hopf", tmp_path / "hopf.toml")
    x = [4.0, 6.0]
    np.testing.assert_array_equal(bf.load_model(tmp_path / "hopf.toml").rhs(x), bf.load_model("hopf").rhs(x))


def test_nothing_heavy_is_imported_for_a_network():
    heavy = ("sympy", "scipy", "numba", "llvmlite", "matplotlib", "pandas", "libsbml")
    modules = "bifrncrn.library.formats, bifrncrn.chemistry.networks.mat"
    code = f"import sys, {modules}; print([m for m in {heavy} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
