"use strict";
/* The pictures of a report. Everything that is drawn was computed beforehand and stands in the element "data". */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const config = { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d"] };
  const plain = { ...config, displayModeBar: false };
  const SHADES = [{ rest: "#000000", cycle: "#b2450e" }, { rest: "#00509e", cycle: "#00509e" }];
  const BROAD = { rest: "#8a8a8a", cycle: "#8a8a8a" };
  const several = data.layers.length > 1;
  const shade = (layer) => (several ? [BROAD, SHADES[1]][layer] : SHADES[0]);
  const colour = (layer, kind) => shade(layer)[kind === "periodic" ? "cycle" : "rest"];
  const dash = { stable: "solid", unstable: "dash", neutral: "dashdot", unknown: "dot" };
  const axis = (title, more) => ({ title: { text: title, standoff: 6 }, zeroline: false, showline: true, mirror: true, ...more });
  const base = { margin: { l: 64, r: 16, t: 12, b: 48 }, hovermode: "closest", showlegend: false,
    font: { family: "system-ui, sans-serif", size: 13 }, plot_bgcolor: "#fff", paper_bgcolor: "#fff" };

  function named(layer, kind, stability) {
    const what = kind === "periodic" ? `${stability} cycle` : stability;
    const word = what.replace("unknown", "stability not computed");
    return several ? `${data.layers[layer]}, ${word}` : word;
  }

  function diagram(show) {
    const seen = new Set(), traces = [];
    for (const c of data.curves) {
      if (c.show !== show) continue;
      const name = named(c.layer, c.kind, c.stability), width = several && c.layer === 0 ? 5 : 2;
      traces.push({ x: c.x, y: c.y, mode: "lines", hoverinfo: "skip", name, legendgroup: name,
        showlegend: !seen.has(name),
        line: { color: colour(c.layer, c.kind), width: c.kind === "periodic" ? width * 0.7 : width,
          dash: dash[c.stability] } });
      seen.add(name);
    }
    const points = { x: [], y: [], text: [], hovertext: [], customdata: [], mode: "markers+text", hoverinfo: "text",
      textposition: [], textfont: { size: 13 }, showlegend: false,
      marker: { size: [], color: [], opacity: 1, line: { width: 1.2, color: [] } } };
    data.points.forEach((p, k) => (p.y[show] || []).forEach((y, which) => {
      const c = colour(p.layer, p.kind);
      points.x.push(p.x); points.y.push(y); points.customdata.push(k);
      points.text.push(which === (p.y[show].length - 1) ? p.label : "");
      points.textposition.push(several && p.layer === 0 ? "bottom right" : "top right");
      points.hovertext.push(p.says.join("<br>"));
      points.marker.size.push(p.label ? 10 : p.kind === "periodic" ? 6 : 4);
      points.marker.color.push(p.stability === "stable" || p.label ? c : "#ffffff");
      points.marker.line.color.push(c);
    }));
    traces.push(points);
    return traces;
  }

  function draw(show) {
    const logical = { ...base, showlegend: true, hoverdistance: 40, legend: { orientation: "h", y: -0.13 },
      margin: { ...base.margin, t: 34, b: 84 }, xaxis: axis(data.parameter), yaxis: axis(show) };
    return Plotly.react("diagram", diagram(show), logical, config);
  }

  const stripes = ["solid", "dash", "dashdot", "dot"];
  function series(m) {
    const traces = m.x.map((x, k) => ({ x: m.t, y: x, mode: "lines", name: data.states[k],
      line: { color: ["#000000", "#b2450e", "#00509e", "#1b7837"][k], width: 1.8, dash: stripes[k] },
      yaxis: k === 1 && m.x.length === 2 ? "y2" : "y" }));
    const two = m.x.length === 2;
    const layout = { ...base, margin: { l: 64, r: two ? 64 : 16, t: 8, b: 76 }, showlegend: m.x.length > 1,
      legend: { orientation: "h", y: -0.32 }, xaxis: axis("time"),
      yaxis: axis(two || m.x.length === 1 ? data.states[0] : "states") };
    if (two) layout.yaxis2 = { ...axis(data.states[1]), overlaying: "y", side: "right", mirror: false, showgrid: false,
      tickmode: "auto", nticks: 6 };
    Plotly.react("series", traces, layout, plain);
  }

  function arrows(p) {
    const [du, dv] = p.arrows, [gx, gy] = p.grid, x = [], y = [];
    const sx = p.box[0][1] - p.box[0][0], sy = p.box[1][1] - p.box[1][0], long = 0.42 / gx.length;
    for (let k = 0; k < du.length; k++) {
      if (du[k] === null || dv[k] === null) continue;
      const at = [gx[k % gx.length], gy[Math.floor(k / gx.length)]];
      const put = (a, b) => { x.push(at[0] + a * sx * long); y.push(at[1] + b * sy * long); };
      put(-du[k], -dv[k]); put(du[k], dv[k]);
      put(0.4 * du[k] - 0.3 * dv[k], 0.4 * dv[k] + 0.3 * du[k]); put(du[k], dv[k]);
      put(0.4 * du[k] + 0.3 * dv[k], 0.4 * dv[k] - 0.3 * du[k]); x.push(null); y.push(null);
    }
    return { x, y, mode: "lines", hoverinfo: "skip", showlegend: false, line: { color: "#bdbdbd", width: 1 } };
  }

  function plane(m) {
    const p = m.plane, box = document.getElementById("plane");
    box.style.visibility = p ? "visible" : "hidden";
    if (!p) return;
    const traces = p.arrows ? [arrows(p)] : [];
    (p.nullclines || []).forEach((n, k) => n.lines.forEach((line, i) => traces.push({ x: line[0], y: line[1],
      mode: "lines", hoverinfo: "name", name: `${n.name}' = 0`, showlegend: i === 0,
      line: { color: ["#1b7837", "#762a83"][k], width: 1.5, dash: ["dashdot", "dot"][k] } })));
    p.cycles.forEach((c) => traces.push({ x: c.x[0], y: c.x[1], mode: "lines", hoverinfo: "name", showlegend: false,
      name: named(c.layer, "periodic", c.stability),
      line: { color: colour(c.layer, "periodic"), width: several && c.layer === 0 ? 4 : 2, dash: dash[c.stability] } }));
    traces.push({ x: m.x[0], y: m.x[1], mode: "lines", hoverinfo: "name", showlegend: false, name: "the time series",
      line: { color: "#2166ac", width: 1.2 } });
    p.rests.forEach((r) => traces.push({ x: [r.at[0]], y: [r.at[1]], mode: "markers", hoverinfo: "name",
      showlegend: false, name: `${named(r.layer, "equilibrium", r.stability)} equilibrium`,
      marker: { size: 10, color: r.stability === "stable" ? colour(r.layer, "equilibrium") : "#ffffff",
        line: { width: 1.6, color: colour(r.layer, "equilibrium") } } }));
    const range = (k) => (p.box ? { range: p.box[k] } : {});
    const layout = { ...base, showlegend: true, legend: { orientation: "h", y: -0.26 },
      margin: { l: 64, r: 16, t: 8, b: 76 }, xaxis: axis(data.states[0], range(0)),
      yaxis: axis(data.states[1], range(1)) };
    Plotly.react("plane", traces, layout, plain);
  }

  function choose(k) {
    const p = data.points[k], says = document.getElementById("moment");
    if (!p || !p.moment) { says.textContent = "for this point there is no time series"; return; }
    says.textContent = p.moment.title + (p.moment.message ? `; ${p.moment.message}` : "");
    series(p.moment); plane(p.moment);
    document.body.dataset.chosen = k;
  }

  function second() {
    const dashes = { fold: "solid", hopf: "dashdot" }, curves = data.second.filter((c) => c.kind !== "point");
    const points = data.second.filter((c) => c.kind === "point"), seen = new Set();
    const traces = curves.map((c) => { const name = c.kind.replaceAll("_", " "), first = !seen.has(name);
      seen.add(name); return { x: c.x, y: c.y, mode: "lines", name, legendgroup: name, showlegend: first,
        hoverinfo: "name", line: { color: "#000", width: 1.8, dash: dashes[c.kind] || "dash" } }; });
    traces.push({ x: points.map((p) => p.x), y: points.map((p) => p.y), text: points.map((p) => p.label),
      hovertext: points.map((p) => p.says.join("<br>")), hoverinfo: "text", mode: "markers+text",
      textposition: "top right", showlegend: false, marker: { size: 9, color: "#000" } });
    Plotly.newPlot("second", traces, { ...base, showlegend: true, xaxis: axis(data.parameter),
      yaxis: axis(data.secondName) }, config);
  }

  if (data.points) {
    const show = document.getElementById("show");
    draw(show.value).then((gd) => gd.on("plotly_click", (event) => {
      const hit = event.points.find((p) => p.customdata !== undefined);
      if (hit) choose(hit.customdata);
    }));
    show.addEventListener("change", () => draw(show.value));
    choose(data.first);
  }
  if (data.second && data.second.length) second();
  document.body.dataset.ready = "yes";
})();
