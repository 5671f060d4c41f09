'use strict';

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
const sum = values => values.reduce((a, b) => a + (finite(b) ? b : 0), 0);
const largest = values => values.reduce((a, b) => (finite(b) && b > a ? b : a), 0);
const color = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim();

// The page.

function element(parent, tag, type, text) {
  const made = document.createElement(tag);
  if (type) made.className = type;
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

function section(title) {
  element(main, 'h2', '', title);
  return element(main, 'div', 'grid');
}

function card(parent, title, note, wide) {
  const made = element(parent, 'section', wide ? 'card wide' : 'card');
  if (title) element(made, 'h3', '', title);
  if (note) element(made, 'p', 'note', note);
  return made;
}

function table(parent, head, rows, best) {
  const made = element(element(parent, 'div', 'scroll'), 'table');
  const heads = element(element(made, 'thead'), 'tr');
  head.forEach(text => element(heads, 'th', '', text));
  const body = element(made, 'tbody');
  rows.forEach((row, i) => {
    const line = element(body, 'tr', i === best ? 'best' : '');
    row.forEach(text => element(line, 'td', '', text));
  });
}

/// A chart, drawn anew when the theme changes.
function chart(parent, height, option) {
  const plot = element(parent, 'div', 'plot');
  plot.style.height = height + 'px';
  charts.push({plot, option, drawn: null});
}

function draw() {
  for (const one of charts) {
    if (one.drawn) one.drawn.dispose();
    one.drawn = echarts.init(one.plot);
    const option = Object.assign(basis(), one.option());
    option.title = {
      text: option.yAxis.caption || '', left: 0, top: 0,
      textStyle: {color: color('soft'), fontSize: 12, fontWeight: 'normal'},
    };
    one.drawn.setOption(option);
  }
}

function basis() {
  return {
    animation: false,
    aria: {enabled: true},
    textStyle: {fontFamily: getComputedStyle(document.body).fontFamily, color: color('text')},
    grid: {left: 8, right: 24, top: 44, bottom: 32, containLabel: true},
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

/// A vertical axis of bytes from 0, with ticks at round powers of two.
function byteAxis(most) {
  const interval = 2 ** Math.ceil(Math.log2(Math.max(most, 64) / 6));
  return axis('bytes', bytes, {vertical: true, scale: false, min: 0, max: Math.ceil(most / interval) * interval, interval});
}

function tooltip(format, title) {
  return {
    trigger: 'axis',
    confine: true,
    backgroundColor: color('card'),
    borderColor: color('line'),
    textStyle: {color: color('text'), fontSize: 12.5},
    axisPointer: {lineStyle: {color: color('soft')}},
    formatter: shown => {
      const lines = shown.filter(one => finite(one.value[1]))
          .map(one => one.marker + ' ' + one.seriesName + ' <b>' + format(one.value[1]) + '</b>');
      return lines.length ? title(shown[0].value[0]) + '<br>' + lines.join('<br>') : '';
    },
  };
}

function legend(names) {
  return {data: names, top: 0, right: 8, icon: 'roundRect', itemWidth: 14, itemHeight: 4, textStyle: {color: color('soft')}};
}

function line(name, points, colorName, more) {
  return Object.assign({
    name,
    type: 'line',
    data: points,
    symbol: 'circle',
    symbolSize: points.length > 40 ? 0 : 6,
    showSymbol: points.length <= 40,
    lineStyle: {width: 2, color: color(colorName)},
    itemStyle: {color: color(colorName)},
  }, more);
}

function pairs(xs, ys) {
  return xs.map((x, i) => [x, finite(ys[i]) ? ys[i] : null]);
}

/// A vertical line where the best epoch is.
function bestMark() {
  if (data.best === undefined) return {};
  return {
    markLine: {
      silent: true,
      symbol: 'none',
      animation: false,
      lineStyle: {color: color('good'), type: 'dashed', width: 1.2},
      label: {formatter: 'best', color: color('good'), position: 'end', distance: 2},
      data: [{xAxis: epochNumbers[data.best]}],
    },
  };
}

// What is drawn.

const epochs = data.epochs;
const steps = data.steps;
const epochCount = Object.values(epochs).reduce((most, column) => Math.max(most, column.length), 0);
const epochNumbers = epochs.epoch || Array.from({length: epochCount}, (_, i) => i + 1);
const stepNumbers = steps.step || (steps.loss || []).map((_, i) => (i + 1) * data.stepGroup);
const bookkeeping = ['epoch', 'step', 'examples', 'loss', 'gradient_norm', 'skipped_steps', 'learning_rate', 'seconds', 'wait_seconds', 'validation_seconds',
  'examples_per_second', 'live_bytes', 'peak_bytes', 'gc_count', 'gc_seconds'];
const metrics = Object.keys(epochs).filter(name => !bookkeeping.includes(name) && !name.startsWith('validation_'));
const grouped = data.stepGroup > 1 ? ' Each point stands for ' + data.stepGroup + ' steps.' : '';
const at = (column, row) => (epochs[column] ? epochs[column][row] : undefined);

/// Where each step lies between the ends of the epochs.
function stepPositions() {
  const first = new Map();
  const last = new Map();
  steps.epoch.forEach((epoch, i) => {
    if (!first.has(epoch)) first.set(epoch, i);
    last.set(epoch, i);
  });
  return steps.epoch.map((epoch, i) =>
      epoch - 1 + (i - first.get(epoch) + 1) / (last.get(epoch) - first.get(epoch) + 1));
}

function figures() {
  const cards = element(main, 'div', 'cards');
  const figure = (name, value, note) => {
    const made = element(cards, 'div', 'card figure');
    element(made, 'div', 'name', name);
    element(made, 'div', 'value', value);
    element(made, 'div', 'note', note || '\u00a0');
  };
  const row = data.best === undefined ? epochCount - 1 : data.best;
  if (epochCount > 0) {
    if (data.best !== undefined) {
      figure('Best epoch', number(epochNumbers[row]) + ' of ' + number(epochCount), 'by ' + words(data.bestColumn));
    }
    ['loss'].concat(metrics).slice(0, 3).forEach(name => {
      const validated = finite(at('validation_' + name, row));
      const value = validated ? at('validation_' + name, row) : at(name, row);
      if (value === undefined) return;
      const shown = validated ? 'Validation ' + words(name) : 'Training ' + words(name);
      figure(shown, number(value), validated && finite(at(name, row)) ? 'training ' + number(at(name, row)) : '');
    });
  }
  if (epochs.seconds) {
    const total = sum(epochs.seconds);
    const rates = (epochs.examples_per_second || []).filter(finite).sort((a, b) => a - b);
    figure('Duration', duration(total), number(data.stepCount) + ' steps');
    if (rates.length) figure('Examples/s', number(Math.round(rates[Math.floor(rates.length / 2)])), 'median epoch');
  }
  if (epochs.peak_bytes) figure('Off-heap peak', bytes(largest(epochs.peak_bytes)), 'limit ' + bytes(data.limit));
  if (epochs.skipped_steps) figure('Skipped steps', number(sum(epochs.skipped_steps)), 'loss or gradient not finite');
  if (epochs.gc_count) {
    figure('Garbage collections', number(sum(epochs.gc_count)), duration(sum(epochs.gc_seconds || [])) + ' in all');
  }
}

function learning() {
  if (epochCount === 0) return;
  const grid = section('Learning');
  const epochAxis = () => axis('epoch', number, {min: 0, max: Math.max(...epochNumbers), minInterval: 1, scale: false});
  if (epochs.loss) {
    const lone = metrics.length % 2 === 0;
    const note = 'Mean over each epoch; the thin line is each step’s.' + grouped;
    const inCard = card(grid, 'Loss', steps.loss && steps.epoch ? note : 'Mean over each epoch.', lone);
    chart(inCard, 300, () => {
      const series = [];
      if (steps.loss && steps.epoch) {
        series.push(line('each step', pairs(stepPositions(), steps.loss), 'train',
            {showSymbol: steps.loss.length === 1, lineStyle: {width: 1, opacity: .35, color: color('train')}, itemStyle: {opacity: .35, color: color('train')}, z: 1}));
      }
      series.push(line('training', pairs(epochNumbers, epochs.loss), 'train', bestMark()));
      if (epochs.validation_loss) series.push(line('validation', pairs(epochNumbers, epochs.validation_loss), 'validation'));
      return {
        legend: legend(series.map(one => one.name)),
        tooltip: tooltip(number, x => 'epoch ' + number(x)),
        xAxis: epochAxis(),
        yAxis: axis('loss', number, {vertical: true}),
        series,
      };
    });
  }
  metrics.forEach(name => {
    chart(card(grid, words(name)[0].toUpperCase() + words(name).slice(1), 'Over each epoch.'), 300, () => {
      const series = [line('training', pairs(epochNumbers, epochs[name]), 'train', bestMark())];
      const validation = epochs['validation_' + name];
      if (validation) series.push(line('validation', pairs(epochNumbers, validation), 'validation'));
      return {
        legend: legend(series.map(one => one.name)),
        tooltip: tooltip(number, x => 'epoch ' + number(x)),
        xAxis: epochAxis(),
        yAxis: axis(words(name), number, {vertical: true}),
        series,
      };
    });
  });
  if (steps.learning_rate) {
    chart(card(grid, 'Learning rate', 'With which each step was made.'), 240, () => ({
      tooltip: tooltip(number, x => 'step ' + number(x)),
      xAxis: axis('step', number, {scale: true, min: 'dataMin', max: 'dataMax'}),
      yAxis: axis('learning rate', number, {vertical: true, scale: false}),
      series: [line('learning rate', pairs(stepNumbers, steps.learning_rate), 'train', {step: 'end', showSymbol: steps.learning_rate.length === 1})],
    }));
  }
  if (steps.gradient_norm) {
    chart(card(grid, 'Gradient norm', 'Of all gradients together, before it was bounded.' + grouped), 240, () => ({
      tooltip: tooltip(number, x => 'step ' + number(x)),
      xAxis: axis('step', number, {min: 'dataMin', max: 'dataMax'}),
      yAxis: axis('norm', number, {vertical: true, scale: false}),
      series: [line('gradient norm', pairs(stepNumbers, steps.gradient_norm), 'train', {lineStyle: {width: 1, color: color('train')}, showSymbol: stepNumbers.length === 1})],
    }));
  }
  if (epochs.examples_per_second) {
    chart(card(grid, 'Throughput', 'Training examples per second, waiting for data included.'), 240, () => ({
      tooltip: tooltip(value => number(value) + ' examples/s', x => 'epoch ' + number(x)),
      xAxis: epochAxis(),
      yAxis: axis('examples/s', number, {vertical: true, scale: false}),
      series: [line('throughput', pairs(epochNumbers, epochs.examples_per_second), 'train')],
    }));
  }
}

function time() {
  const times = data.stepTimes;
  if (!times) return;
  const grid = section('Time');
  const note = 'Median ' + milliseconds(times.p50) + ', 95th percentile ' + milliseconds(times.p95) + ', 99th '
      + milliseconds(times.p99) + ', longest ' + milliseconds(times.max) + '.';
  const scale = times.high < 1e-3 ? 1e6 : 1e3;
  const unit = times.high < 1e-3 ? 'µs' : 'ms';
  chart(card(grid, 'Step time, distribution', note), 260, () => {
    const width = (times.high - times.low) / times.counts.length;
    const bars = times.counts.map((count, i) => [(times.low + (i + .5) * width) * scale, count, i]);
    const mark = (name, value) => ({name, xAxis: value * scale});
    return {
      tooltip: {
        ...tooltip(number, number),
        trigger: 'item',
        formatter: one => {
          const from = number(Number(((times.low + one.value[2] * width) * scale).toPrecision(4)));
          const to = number(Number(((times.low + (one.value[2] + 1) * width) * scale).toPrecision(4)));
          const last = one.value[2] === times.counts.length - 1 && times.max > times.high;
          return (last ? 'from ' + from : from + ' to ' + to) + ' ' + unit + '<br><b>' + number(one.value[1]) + '</b> steps';
        },
      },
      xAxis: axis('step time (' + unit + ')', number, {min: times.low * scale, max: times.high * scale, ...inner()}),
      yAxis: axis('steps', number, {vertical: true, minInterval: 1}),
      series: [{
        type: 'custom',
        data: bars,
        itemStyle: {color: color('train')},
        renderItem: (params, api) => {
          const [left, top] = api.coord([api.value(0) - width * scale / 2, api.value(1)]);
          const [right, bottom] = api.coord([api.value(0) + width * scale / 2, 0]);
          return {
            type: 'rect',
            shape: {x: left + .5, y: top, width: Math.max(1, right - left - 1), height: bottom - top},
            style: {fill: color('train')},
          };
        },
        markLine: {
          silent: true,
          symbol: 'none',
          lineStyle: {color: color('validation'), type: 'dashed'},
          label: {color: color('validation'), formatter: '{b}'},
          data: times.p95 - times.p50 > (times.high - times.low) * .06
              ? [mark('median', times.p50), mark('95%', times.p95)] : [mark('median', times.p50)],
        },
      }],
    };
  });
  const waits = steps.wait_seconds;
  const cut = times.max > 4 * times.p99 ? 2 * times.p99 : null;
  const cutNote = cut ? ' Longer ones, up to ' + milliseconds(times.max) + ', are cut off.' : '';
  chart(card(grid, 'Step time over the run', 'Computing' + (waits ? ', and with waiting for the batch' : '') + '.'
      + grouped + cutNote), 260, () => {
    const area = (name, values, colorName) => line(name, pairs(stepNumbers, values.map(value => value * scale)), colorName, {
      showSymbol: values.length === 1,
      lineStyle: {width: 1, color: color(colorName)},
      areaStyle: {color: color(colorName), opacity: .3},
    });
    const series = [area('computing', steps.seconds, 'train')];
    if (waits) series.unshift(area('with waiting', steps.seconds.map((value, i) => value + waits[i]), 'validation'));
    return {
      legend: legend(series.map(one => one.name)),
      tooltip: tooltip(value => number(value) + ' ' + unit, x => 'step ' + number(x)),
      xAxis: axis('step', number, {min: 'dataMin', max: 'dataMax'}),
      yAxis: axis(unit, number, {vertical: true, scale: false, max: cut ? Math.ceil(cut * scale) : null}),
      series,
    };
  });
}

function memory() {
  const timeline = steps.live_bytes && steps.live_bytes.length > 0;
  if (!timeline && !data.schedule) return;
  const grid = section('Off-heap memory');
  if (timeline) {
    const most = largest(steps.peak_bytes || steps.live_bytes);
    const near = data.limit <= 2 * most;
    chart(card(grid, 'Live and peak bytes over the run', 'After each step, and the most while it ran; the limit is '
        + bytes(data.limit) + '.' + grouped, true), 260, () => {
      const series = [line('live', pairs(stepNumbers, steps.live_bytes), 'train',
          {step: 'end', showSymbol: stepNumbers.length === 1, areaStyle: {color: color('train'), opacity: .18}})];
      if (steps.peak_bytes) {
        series.push(line('peak', pairs(stepNumbers, steps.peak_bytes), 'validation', {step: 'end', showSymbol: stepNumbers.length === 1}));
      }
      if (near) series[0].markLine = horizontal('limit', data.limit);
      return {
        legend: legend(series.map(one => one.name)),
        tooltip: tooltip(bytes, x => 'step ' + number(x)),
        xAxis: axis('step', number, {min: 'dataMin', max: 'dataMax'}),
        yAxis: byteAxis((near ? data.limit : most) * 1.02),
        series,
      };
    });
  }
  if (data.schedule) schedule(grid);
}

function horizontal(name, value) {
  return {
    silent: true,
    symbol: 'none',
    lineStyle: {color: color('peak'), type: 'dashed', width: 1.4},
    label: {formatter: name + ' ' + bytes(value), color: color('peak'), position: 'insideEndTop'},
    data: [{yAxis: value}],
  };
}

/// For each block the stretches [from, to, bottom] in which it lies at one height, older blocks below younger ones.
function stacked(plan) {
  const stretches = plan.blocks.map(() => []);
  for (let i = 0; i + 1 < plan.times.length; i++) {
    const from = plan.times[i];
    const to = plan.times[i + 1];
    let bottom = plan.others[i];
    plan.blocks.forEach(([made, freed, size], block) => {
      if (made > from || from >= freed) return;
      const own = stretches[block];
      const before = own[own.length - 1];
      if (before && before[2] === bottom) before[1] = to;
      else own.push([from, to, bottom]);
      bottom += size;
    });
  }
  return stretches;
}

function schedule(grid) {
  const plan = data.schedule;
  const stretches = stacked(plan);
  const first = plan.times[0];
  const last = plan.times[plan.times.length - 1];
  const rest = plan.others.some(value => value > 0) ? ' Smaller ones lie together at the bottom.' : '';
  const note = 'Which block lives when: forward from the left, backward from step 0 on, each block freed right after its'
      + ' last reader.' + rest + ' Parameters, their gradients and the batch are not part of it.';
  const kinds = [['values', 'value'], ['gradients', 'gradient']];
  chart(card(grid, 'One step’s blocks', note, true), 440, () => {
    const blocksOf = kind => plan.blocks
        .map((block, i) => ({value: [block[0], block[2], block[1], i], i}))
        .filter(one => plan.blocks[one.i][3] === kind);
    const drawBlock = (params, api, kind) => {
      const index = api.value(3);
      const size = plan.blocks[index][2];
      const lower = [];
      const upper = [];
      let widest = [0, 0, 0];
      for (const [from, to, bottom] of stretches[index]) {
        const [left, low] = api.coord([from, bottom]);
        const [right, high] = api.coord([to, bottom + size]);
        lower.push([left, low], [right, low]);
        upper.unshift([right, high], [left, high]);
        if (right - left > widest[1] - widest[0]) widest = [left, right, (low + high) / 2, low - high];
      }
      const label = plan.blocks[index][4];
      const fits = widest[1] - widest[0] > label.length * 7 + 10 && widest[3] > 14;
      return {
        type: 'group',
        children: [{
          type: 'polygon',
          shape: {points: lower.concat(upper)},
          style: {fill: color(kind), opacity: index % 2 ? .78 : .95, stroke: color('card'), lineWidth: widest[3] > 4 ? .8 : 0},
          emphasis: {style: {opacity: .55}},
        }].concat(fits ? [{
          type: 'text',
          silent: true,
          style: {text: label, x: (widest[0] + widest[1]) / 2, y: widest[2], fill: '#fff', align: 'center',
            verticalAlign: 'middle', fontSize: 11},
        }] : []),
      };
    };
    const series = kinds.map(([name, kind]) => ({
      name,
      type: 'custom',
      clip: true,
      itemStyle: {color: color(kind)},
      data: blocksOf(kind),
      renderItem: (params, api) => drawBlock(params, api, kind),
    }));
    if (rest) {
      series.push(line('smaller blocks', pairs(plan.times, plan.others), 'rest',
          {step: 'end', showSymbol: false, lineStyle: {width: 0}, areaStyle: {color: color('rest'), opacity: .8}}));
    }
    series.push(line('live bytes', pairs(plan.times, plan.live), 'text', {
      step: 'end',
      showSymbol: false,
      silent: true,
      lineStyle: {width: 1.6, color: color('text')},
      markLine: {
        ...horizontal('predicted peak', plan.peak),
        data: [
          {yAxis: plan.peak},
          {
            xAxis: 0,
            lineStyle: {color: color('soft'), type: 'solid', width: 1},
            label: {formatter: 'backward →', color: color('soft'), position: 'insideEndTop', rotate: 0, align: 'left', padding: [0, 0, 0, 6]},
          },
        ],
      },
    }));
    return {
      legend: {...legend(series.map(one => one.name)), itemHeight: 10},
      tooltip: {
        ...tooltip(bytes, number),
        trigger: 'item',
        formatter: shown => {
          const block = plan.blocks[shown.value[3]];
          if (!block) return '';
          return '<b>' + echarts.format.encodeHTML(block[4]) + '</b> ' + block[3] + ' ' + echarts.format.encodeHTML(block[5])
              + '<br>' + bytes(block[2]) + ' (' + number(block[2]) + ' B)<br>made in step ' + block[0]
              + (block[1] > plan.steps ? ', kept' : ', freed after step ' + block[1]);
        },
      },
      grid: {left: 12, right: 24, top: 44, bottom: 68, containLabel: true},
      dataZoom: [{
        type: 'slider', height: 18, bottom: 8, borderColor: color('line'), fillerColor: color('shade'),
        textStyle: {color: color('soft')}, brushSelect: false, labelFormatter: value => 'step ' + Math.round(value),
      }],
      xAxis: axis('step of forward (below 0) and backward', number, {min: first, max: last, minInterval: 1, ...inner()}),
      yAxis: byteAxis(plan.peak * 1.02),
      series,
    };
  });
}

function results() {
  if (epochCount === 0) return;
  const grid = section('Results');
  const last = epochCount - 1;
  const best = data.best;
  const validated = name => epochs['validation_' + name] !== undefined;
  const head = [''];
  const columns = [];
  const column = (title, prefix, row) => {
    head.push(title);
    columns.push(name => number(at(prefix + name, row)));
  };
  const any = ['loss'].concat(metrics).some(validated);
  if (best !== undefined && best !== last) {
    column('training, best epoch', '', best);
    if (any) column('validation, best epoch', 'validation_', best);
  }
  column('training, last epoch', '', last);
  if (any) column('validation, last epoch', 'validation_', last);
  const names = ['loss'].concat(metrics).filter(name => epochs[name]);
  table(card(grid, 'Losses and metrics', '', true), head, names.map(name => [words(name)].concat(columns.map(one => one(name)))));
  if (data.confusion) confusion(grid);
  const details = element(card(grid, '', '', true), 'details');
  element(details, 'summary', '', 'Every epoch');
  const shown = Object.keys(epochs).filter(name => name !== 'step' && name !== 'examples');
  const format = name => (name.endsWith('bytes') ? bytes : name.endsWith('seconds') ? duration : number);
  table(details, shown.map(words), epochNumbers.map((_, row) => shown.map(name => format(name)(epochs[name][row]))), best);
}

function confusion(grid) {
  const {of, labels, counts, scores} = data.confusion;
  const size = labels.length;
  const wide = size > 12;
  const total = sum(counts.map(sum));
  const height = Math.min(760, Math.max(320, 90 + size * 26));
  const note = number(total) + ' examples of ' + of + ', shaded by the share of each label’s.';
  chart(card(grid, 'Confusion matrix', note, wide), height, () => {
    const cells = [];
    counts.forEach((row, label) => {
      const support = sum(row);
      row.forEach((count, predicted) => {
        const share = support ? count / support : 0;
        cells.push({value: [predicted, label, share, count], label: {color: share > .5 ? color('card') : color('text')}});
      });
    });
    const names = {color: color('soft'), hideOverlap: true};
    const kind = name => ({
      type: 'category', data: labels, name, nameLocation: 'middle', nameTextStyle: {color: color('soft')},
      axisLabel: names, axisLine: {show: false}, axisTick: {show: false}, splitArea: {show: false},
    });
    return {
      grid: {left: 28, right: 16, top: 12, bottom: 34, containLabel: true},
      tooltip: {
        ...tooltip(number, number),
        trigger: 'item',
        formatter: one => 'label <b>' + echarts.format.encodeHTML(labels[one.value[1]]) + '</b>, predicted <b>'
            + echarts.format.encodeHTML(labels[one.value[0]]) + '</b><br>' + number(one.value[3]) + ' examples, '
            + number(100 * one.value[2]) + ' % of the label',
      },
      xAxis: {...kind('predicted'), nameGap: 24},
      yAxis: {...kind('label'), inverse: true, nameGap: 14 + 7 * labels.reduce((most, text) => Math.max(most, text.length), 0)},
      visualMap: {show: false, min: 0, max: 1, dimension: 2, inRange: {color: [color('card'), color('train')]}},
      series: [{
        type: 'heatmap',
        data: cells,
        itemStyle: {borderColor: color('grid'), borderWidth: size > 40 ? 0 : 1},
        label: {
          show: size <= 20,
          formatter: one => (one.value[3] ? String(one.value[3]) : ''),
          fontSize: 11,
        },
        emphasis: {itemStyle: {borderColor: color('text')}},
      }],
    };
  });
  const rows = labels.map((label, i) => [label].concat(scores[i].map(number)));
  const inCard = card(grid, 'Each class', '', wide);
  if (size <= 24) {
    table(inCard, ['class', 'precision', 'recall', 'F1', 'examples'], rows);
  } else {
    const details = element(inCard, 'details');
    element(details, 'summary', '', size + ' classes');
    table(details, ['class', 'precision', 'recall', 'F1', 'examples'], rows);
  }
}

function run() {
  const grid = section('The run');
  const facts = card(grid, '', '', !data.model);
  const lines = element(element(facts, 'table', 'facts'), 'tbody');
  Object.entries(data.facts).forEach(([name, value]) => {
    const row = element(lines, 'tr');
    element(row, 'td', '', name);
    element(row, 'td', '', value);
  });
  if (!data.model) return;
  const model = card(grid, 'Model', number(sum(data.model.parameters.map(row => row[2]))) + ' parameters');
  element(model, 'pre', '', data.model.text);
  const details = element(model, 'details');
  element(details, 'summary', '', 'Every parameter');
  table(details, ['name', 'shape', 'elements'], data.model.parameters.map(([name, shape, size]) => [name, shape, number(size)]));
}

// The theme: the system's until someone chooses.

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  draw();
}

document.getElementById('subtitle').textContent = data.facts.Finished || '';
figures();
learning();
time();
memory();
results();
run();
const dark = matchMedia('(prefers-color-scheme: dark)');
setTheme(dark.matches ? 'dark' : 'light');
dark.addEventListener('change', event => setTheme(event.matches ? 'dark' : 'light'));
document.getElementById('theme').addEventListener('click', () =>
    setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
addEventListener('resize', () => charts.forEach(one => one.drawn.resize()));
