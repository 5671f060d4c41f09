'use strict';

// The parts that every page shares: text, elements, charts and the theme.

const data = JSON.parse(document.getElementById('data').textContent);
const main = document.getElementById('main');
const charts = [];

// Text.

const finite = value => value !== null && value !== undefined && Number.isFinite(value);

function number(value) {
  if (!finite(value)) return '–';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e15) return value.toLocaleString('en-US');
  if (size >= 1000) return value.toLocaleString('en-US', {maximumFractionDigits: 0});
  if (size >= 1e-3) return String(Number(value.toPrecision(4)));
  return Number(value.toPrecision(3)).toExponential();
}

function bytes(value) {
  if (!finite(value)) return '–';
  let unit = 0;
  while (value >= 1024 && unit < 4) {
    value /= 1024;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return Number(value.toFixed(digits)) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit];
}

function milliseconds(seconds) {
  return seconds < 1e-3 ? number(seconds * 1e6) + ' µs' : number(seconds * 1e3) + ' ms';
}

function duration(seconds) {
  if (!finite(seconds)) return '–';
  if (seconds < 1) return milliseconds(seconds);
  if (seconds < 60) return seconds.toFixed(1) + ' s';
  const whole = Math.round(seconds);
  const two = part => String(part).padStart(2, '0');
  return whole < 3600
      ? Math.floor(whole / 60) + ' min ' + two(whole % 60) + ' s'
      : Math.floor(whole / 3600) + ' h ' + two(Math.floor(whole / 60) % 60) + ' min';
}

const words = column => column.replace(/_/g, ' ');
const heading = column => words(column)[0].toUpperCase() + words(column).slice(1);
const sum = values => values.reduce((a, b) => a + (finite(b) ? b : 0), 0);
const largest = values => values.reduce((a, b) => (finite(b) && b > a ? b : a), 0);
const color = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

// Elements.

function element(parent, tag, type, text) {
  const made = document.createElement(tag);
  if (type) made.className = type;
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

function button(parent, text, label, press) {
  const made = element(parent, 'button', '', text);
  made.type = 'button';
  made.setAttribute('aria-label', label);
  made.title = label;
  made.addEventListener('click', press);
  return made;
}

function section(title) {
  element(main, 'h2', '', title);
  return element(main, 'div', 'grid');
}

function card(parent, title, note, wide) {
  const made = element(parent, 'section', wide ? 'card wide' : 'card');
  if (title) element(element(made, 'div', 'head'), 'h3', '', title);
  if (note) element(made, 'p', 'note', note);
  return made;
}

/// A part that scrolls by itself if it is too wide, and that the keyboard can reach for that.
function scroller(parent, label) {
  const made = element(parent, 'div', 'scroll');
  made.tabIndex = 0;
  made.setAttribute('role', 'group');
  made.setAttribute('aria-label', label);
  return made;
}

/// A table whose first column heads its rows. Cells are texts, or {text, type, title}.
function table(parent, label, head, rows, best) {
  const made = element(scroller(parent, label), 'table');
  const heads = element(element(made, 'thead'), 'tr');
  const parts = cell => (cell !== null && typeof cell === 'object' ? cell : {text: cell});
  head.map(parts).forEach(({text, type}) => element(heads, 'th', type, text).scope = 'col');
  const body = element(made, 'tbody');
  rows.forEach((row, i) => {
    const line = element(body, 'tr', i === best ? 'best' : '');
    row.forEach((cell, j) => {
      const {text, type, title} = parts(cell);
      const made = element(line, j === 0 ? 'th' : 'td', type, text);
      if (j === 0) made.scope = 'row';
      if (title) made.title = title;
    });
  });
}

function factsTable(parent, facts) {
  const body = element(element(parent, 'table', 'facts'), 'tbody');
  facts.forEach(([name, value]) => {
    const row = element(body, 'tr');
    element(row, 'th', '', name).scope = 'row';
    element(row, 'td', '', value);
  });
}

/// A row of figures, each with its name and a note.
function figureCards() {
  const cards = element(main, 'div', 'cards');
  return (name, value, note) => {
    const made = element(cards, 'div', 'card figure');
    element(made, 'div', 'name', name);
    element(made, 'div', 'value', value);
    element(made, 'div', 'note', note || '\u00a0');
  };
}

// Charts. An option is built again whenever the theme, the scale or the smoothing changes.

let smoothing = 0;

/// Adds a chart with its tools to a card.
///
/// @param option returns the option of ECharts; a series with `averaged` follows the smoothing
/// @param tools `log`: whether the scale can be logarithmic; `zoom`: whether it can be zoomed, by default yes;
///     `label`: a text in place of the summary of its lines
function chart(parent, height, option, {log = false, zoom = true, label} = {}) {
  const one = {option, zoom, label, title: parent.querySelector('h3').textContent, log: false, range: [0, 100]};
  addTools(one, parent.querySelector('.head'), log);
  one.plot = element(parent, 'div', 'plot');
  one.plot.style.height = height + 'px';
  one.plot.setAttribute('role', 'img');
  one.plot.addEventListener('dblclick', () => zoomTo(one, 0, 100));
  charts.push(one);
}

function addTools(one, head, log) {
  const tools = element(head, 'div', 'tools');
  tools.setAttribute('role', 'group');
  tools.setAttribute('aria-label', 'Tools of ' + one.title);
  if (log) {
    const scale = button(tools, 'Log', 'Log scale of ' + one.title, () => {
      one.log = !one.log;
      scale.setAttribute('aria-pressed', one.log);
      draw(one);
    });
    scale.setAttribute('aria-pressed', false);
  }
  if (one.zoom) {
    button(tools, '−', 'Zoom out of ' + one.title, () => zoomBy(one, 2));
    button(tools, '+', 'Zoom into ' + one.title + '; arrow keys move', () => zoomBy(one, .5));
    one.reset = button(tools, 'Reset', 'Reset the zoom of ' + one.title, () => zoomTo(one, 0, 100));
    one.reset.disabled = true;
    tools.addEventListener('keydown', event => {
      const way = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (way) move(one, way);
    });
  }
  button(tools, 'PNG', 'Save ' + one.title + ' as PNG', () => save(one));
}

function zoomTo(one, start, end) {
  if (one.zoom) one.drawn.dispatchAction({type: 'dataZoom', dataZoomIndex: 0, start, end});
}

function zoomBy(one, factor) {
  const [start, end] = one.range;
  const width = Math.min(100, (end - start) * factor);
  const left = Math.min(Math.max(0, (start + end - width) / 2), 100 - width);
  zoomTo(one, left, left + width);
}

function move(one, way) {
  const [start, end] = one.range;
  const by = Math.min(Math.max(way * (end - start) / 4, -start), 100 - end);
  zoomTo(one, start + by, end + by);
}

function save(one) {
  const caption = one.drawn.getOption().title[0].text;
  one.drawn.setOption({title: {text: caption ? one.title + ': ' + caption : one.title}});
  const link = document.createElement('a');
  link.href = one.drawn.getDataURL({type: 'png', pixelRatio: 2, backgroundColor: color('card')});
  link.download = one.title.toLowerCase().replace(/[^a-z0-9]+/g, '-') + '.png';
  link.click();
  one.drawn.setOption({title: {text: caption}});
}

function draw(one) {
  if (!one.drawn) {
    one.drawn = echarts.init(one.plot);
    if (one.zoom) one.drawn.on('datazoom', () => noteRange(one));
  }
  const option = Object.assign(basis(), one.option());
  if (one.log) useLogScale(option);
  option.series = option.series.flatMap(series => (series.averaged && smoothing > 0 ? [averaged(series), faint(series)] : [series]));
  option.title = {
    text: option.yAxis.caption || '', left: 0, top: option.legend ? 20 : 0,
    textStyle: {color: color('soft'), fontSize: 12, fontWeight: 'normal'},
  };
  if (one.zoom) addZoom(option, one.range);
  one.drawn.setOption(option, true);
  // Touch keeps its gestures for scrolling the page.
  if (one.zoom && !matchMedia('(pointer: coarse)').matches) {
    one.drawn.dispatchAction({type: 'takeGlobalCursor', key: 'dataZoomSelect', dataZoomSelectActive: true});
  }
  one.plot.setAttribute('aria-label', one.title + '. ' + (one.label || summary(option)));
}

function noteRange(one) {
  const {start, end} = one.drawn.getOption().dataZoom[0];
  one.range = [start, end];
  one.reset.disabled = end - start > 99.99;
}

/// Dragging selects a range by the toolbox's tool, which is always on; its icons have no size, because the tools of the
/// card are buttons that the keyboard reaches.
function addZoom(option, [start, end]) {
  const inside = {type: 'inside', start, end, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: false, moveOnMouseWheel: false, preventDefaultMouseMove: false};
  option.dataZoom = [inside].concat((option.dataZoom || []).map(slider => ({...slider, start, end})));
  option.toolbox = {
    itemSize: 0, showTitle: false, left: -20,
    feature: {dataZoom: {yAxisIndex: 'none', brushStyle: {color: color('shade'), borderColor: color('train'), borderWidth: 1}}},
  };
}

/// Makes the vertical axis logarithmic, with powers of 2 where there are fewer than two decades.
function useLogScale(option) {
  option.series.forEach(series => {
    series.data = series.data.map(([x, y]) => [x, y > 0 ? y : null]);
    if (series.areaStyle) series.areaStyle.origin = 'start';
  });
  const values = option.series.flatMap(series => series.data.map(([, y]) => y)).filter(finite);
  const ratio = values.reduce((a, b) => Math.max(a, b), 0) / values.reduce((a, b) => Math.min(a, b), Infinity);
  Object.assign(option.yAxis, {type: 'log', logBase: ratio < 100 ? 2 : 10, min: null, max: null});
}

function faint(series) {
  return {
    ...series,
    id: 'raw ' + series.name,
    z: 1,
    markLine: undefined,
    lineStyle: {...series.lineStyle, width: 1, opacity: .3},
    itemStyle: {...series.itemStyle, opacity: .3},
  };
}

/// The exponential moving average, divided by the sum of its weights as in Adam (Kingma and Ba, 2015).
function averaged(series) {
  let mean = 0;
  let weight = 0;
  const points = series.data.map(([x, y]) => {
    if (!finite(y)) return [x, null];
    mean = smoothing * mean + (1 - smoothing) * y;
    weight = smoothing * weight + 1 - smoothing;
    return [x, mean / weight];
  });
  return {...series, data: points, symbol: 'none', lineStyle: {...series.lineStyle, width: 2, opacity: 1}, itemStyle: {...series.itemStyle, opacity: 1}};
}

/// Describes the first and the last point of each line.
function summary(option) {
  const lines = option.series.filter(series => series.type === 'line' && !String(series.id).startsWith('raw ')).map(series => {
    const points = series.data.filter(([, y]) => finite(y));
    if (points.length === 0) return series.name + ': no values';
    const [[from, first], [to, last]] = [points[0], points[points.length - 1]];
    return series.name + ': ' + number(first) + ' at ' + number(from) + ', ' + number(last) + ' at ' + number(to);
  });
  return (option.yAxis.caption || '') + ' over ' + option.xAxis.name + '. ' + lines.join('; ') + '.';
}

/// Adds a slider that smooths the curves of all charts.
function smoothingControl(parent) {
  const box = element(parent, 'div', 'controls');
  const label = element(box, 'label', '', 'Smoothing ');
  const slider = element(label, 'input');
  Object.assign(slider, {type: 'range', min: 0, max: .99, step: .01, value: 0});
  const shown = element(label, 'output', '', '0');
  slider.addEventListener('input', () => {
    smoothing = Number(slider.value);
    shown.textContent = slider.value;
    charts.forEach(draw);
  });
  element(box, 'span', 'note', 'An exponential moving average; the values themselves stay visible faintly.'
      + ' Drag across a chart to zoom, or turn the wheel with Ctrl; a double click shows all.');
}

// Parts of options.

function basis() {
  return {
    animation: false,
    textStyle: {fontFamily: getComputedStyle(document.body).fontFamily, color: color('text')},
    grid: {left: 8, right: 24, top: 52, bottom: 32, containLabel: true},
  };
}

function axis(name, format, more) {
  const vertical = more && more.vertical;
  return Object.assign({
    type: 'value',
    name: vertical ? '' : name,
    caption: name,
    nameLocation: 'middle',
    nameGap: 26,
    nameTextStyle: {color: color('soft')},
    axisLabel: {color: color('soft'), formatter: format, hideOverlap: true},
    axisLine: {show: !vertical, onZero: false, lineStyle: {color: color('line')}},
    axisTick: {show: false},
    splitLine: {show: Boolean(vertical), lineStyle: {color: color('grid')}},
    scale: true,
  }, more);
}

/// No labels at the ends of an axis, where they would be no round numbers.
function inner() {
  return {axisLabel: {color: color('soft'), formatter: number, hideOverlap: true, showMinLabel: false, showMaxLabel: false}};
}

function tooltipBox() {
  return {
    confine: true,
    backgroundColor: color('card'),
    borderColor: color('line'),
    textStyle: {color: color('text'), fontSize: 12.5},
  };
}

function tooltip(format, title) {
  return {
    ...tooltipBox(),
    trigger: 'axis',
    axisPointer: {lineStyle: {color: color('soft')}},
    formatter: shown => {
      const lines = shown.filter(one => finite(one.value[1])).map(one => one.marker + ' '
          + echarts.format.encodeHTML(one.seriesName) + (one.seriesId.startsWith('raw ') ? ', raw' : '')
          + ' <b>' + format(one.value[1]) + '</b>');
      return lines.length ? title(shown[0].value[0]) + '<br>' + lines.join('<br>') : '';
    },
  };
}

function itemTooltip(formatter) {
  return {...tooltipBox(), trigger: 'item', formatter};
}

function legend(names) {
  return {
    type: 'scroll', data: [...new Set(names)], top: 0, left: 0, padding: [0, 5], icon: 'roundRect', itemWidth: 14, itemHeight: 4,
    textStyle: {color: color('soft')}, inactiveColor: color('line'), pageTextStyle: {color: color('soft')},
    pageIconColor: color('soft'), pageIconInactiveColor: color('line'),
  };
}

function line(name, points, colorName, more) {
  const stroke = color(colorName) || colorName;
  return Object.assign({
    name,
    type: 'line',
    data: points,
    symbol: points.length > 40 ? 'none' : 'circle',
    // By default undefined, which ECharts (5.3.1) warns of when it draws a point under the pointer.
    zlevel: 0,
    z: 2,
    symbolSize: 6,
    lineStyle: {width: 2, color: stroke},
    itemStyle: {color: stroke},
  }, more);
}

function pairs(xs, ys) {
  return xs.map((x, i) => [x, finite(ys[i]) ? ys[i] : null]);
}

// The theme: the system's until someone chooses.

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  document.getElementById('theme').setAttribute('aria-pressed', name === 'dark');
  charts.forEach(draw);
}

/// Draws the charts, once all of them are added.
function show() {
  const dark = matchMedia('(prefers-color-scheme: dark)');
  setTheme(dark.matches ? 'dark' : 'light');
  dark.addEventListener('change', event => setTheme(event.matches ? 'dark' : 'light'));
  document.getElementById('theme').addEventListener('click', () =>
      setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
  addEventListener('resize', () => charts.forEach(one => one.drawn.resize()));
}
