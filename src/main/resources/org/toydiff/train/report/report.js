// The report of one run.

const epochs = data.epochs;
const steps = data.steps;
const epochCount = rowsOf(epochs);
const epochNumbers = epochNumbersOf(data);
const stepNumbers = stepNumbersOf(data);
const metrics = metricsOf(epochs);
const grouped = data.stepGroup > 1 ? ' Each point stands for ' + data.stepGroup + ' steps.' : '';
const at = (column, row) => (epochs[column] ? epochs[column][row] : undefined);

/// A vertical axis of bytes from 0, with ticks at round powers of two.
function byteAxis(most) {
  const interval = 2 ** Math.ceil(Math.log2(Math.max(most, 64) / 6));
  return axis('bytes', bytes, {vertical: true, scale: false, min: 0, max: Math.ceil(most / interval) * interval, interval});
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

function figures() {
  const figure = figureCards();
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
  element(main, 'h2', '', 'Learning');
  smoothingControl(main);
  const grid = element(main, 'div', 'grid');
  const last = Math.max(...epochNumbers);
  if (epochs.loss) {
    const eachStep = steps.loss && steps.epoch;
    const note = eachStep ? 'Mean over each epoch; the thin line is each step’s.' + grouped : 'Mean over each epoch.';
    epochChart(card(grid, 'Loss', note, metrics.length % 2 === 0), 'loss', 300, last, () => {
      const thin = {lineStyle: {width: 1, opacity: .35, color: color('train')}, itemStyle: {opacity: .35, color: color('train')}, z: 1};
      const series = eachStep ? [stepCurve('each step', stepPositions(steps), steps.loss, 'train', thin)] : [];
      return series.concat(trainingAndValidation('loss'));
    });
  }
  metrics.forEach(name => {
    epochChart(card(grid, heading(name), 'Over each epoch.'), name, 300, last, () => trainingAndValidation(name));
  });
  if (steps.learning_rate) {
    stepChart(card(grid, 'Learning rate', 'With which each step was made.'), 'learning_rate', 240, () =>
        [line('learning rate', pairs(stepNumbers, steps.learning_rate), 'train', {step: 'end', showSymbol: stepNumbers.length === 1})]);
  }
  if (steps.gradient_norm) {
    stepChart(card(grid, 'Gradient norm', 'Of all gradients together, before it was bounded.' + grouped), 'gradient_norm', 240, () =>
        [stepCurve('gradient norm', stepNumbers, steps.gradient_norm, 'train')]);
  }
  if (epochs.examples_per_second) {
    epochChart(card(grid, 'Throughput', 'Training examples per second, waiting for data included.'), 'examples_per_second', 240, last, () =>
        [curve('examples per second', epochNumbers, epochs.examples_per_second, 'train')], true);
  }
}

function trainingAndValidation(column) {
  const series = [curve('training', epochNumbers, epochs[column], 'train', bestMark())];
  const validation = epochs['validation_' + column];
  if (validation) series.push(curve('validation', epochNumbers, validation, 'validation'));
  return series;
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
      tooltip: itemTooltip(one => {
        const from = number(Number(((times.low + one.value[2] * width) * scale).toPrecision(4)));
        const to = number(Number(((times.low + (one.value[2] + 1) * width) * scale).toPrecision(4)));
        const last = one.value[2] === times.counts.length - 1 && times.max > times.high;
        return (last ? 'from ' + from : from + ' to ' + to) + ' ' + unit + '<br><b>' + number(one.value[1]) + '</b> steps';
      }),
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
  }, {zoom: false, label: 'Histogram of the time of a step. ' + note});
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
      xAxis: stepAxis(),
      yAxis: axis(unit, number, {vertical: true, scale: false, max: cut ? Math.ceil(cut * scale) : null}),
      series,
    };
  }, {log: true});
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
        xAxis: stepAxis(),
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
      tooltip: itemTooltip(shown => {
        const block = plan.blocks[shown.value[3]];
        if (!block) return '';
        return '<b>' + echarts.format.encodeHTML(block[4]) + '</b> ' + block[3] + ' ' + echarts.format.encodeHTML(block[5])
            + '<br>' + bytes(block[2]) + ' (' + number(block[2]) + ' B)<br>made in step ' + block[0]
            + (block[1] > plan.steps ? ', kept' : ', freed after step ' + block[1]);
      }),
      grid: {left: 12, right: 24, top: 52, bottom: 68, containLabel: true},
      dataZoom: [{
        type: 'slider', height: 18, bottom: 8, borderColor: color('line'), fillerColor: color('shade'),
        textStyle: {color: color('soft')}, brushSelect: false, labelFormatter: value => 'step ' + Math.round(value),
      }],
      xAxis: axis('step of forward (below 0) and backward', number, {min: first, max: last, minInterval: 1, ...inner()}),
      yAxis: byteAxis(plan.peak * 1.02),
      series,
    };
  }, {label: 'Blocks of memory over the steps of forward and backward, ' + plan.blocks.length + ' of them; the predicted peak is '
      + bytes(plan.peak) + '.'});
}

function compiledStep() {
  const plan = data.plan;
  if (!plan) return;
  const grid = section('Compiled step');
  const note = 'Its temporaries lie in one block of ' + bytes(plan.planned) + ' (' + number(plan.planned) + ' B); no plan needs less than '
      + bytes(plan.lowerBound) + ' (' + number(plan.lowerBound) + ' B). ' + number(plan.launches.length) + ' launches, '
      + number(plan.fused) + ' of them loops of several ops.';
  const made = card(grid, 'Planned memory', note, true);
  const picture = document.importNode(new DOMParser().parseFromString(plan.svg, 'image/svg+xml').documentElement, true);
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', 'Blocks of the planned memory over the launches of the step.');
  const scroll = scroller(made, 'Planned memory');
  scroll.classList.add('plan');
  scroll.appendChild(picture);
  const details = element(made, 'details');
  element(details, 'summary', '', 'Every launch');
  element(scroller(details, 'Every launch'), 'pre', '', plan.launches.join('\n'));
}

function results() {
  if (epochCount === 0) return;
  const grid = section('Results');
  const last = epochCount - 1;
  const best = data.best;
  const validated = name => epochs['validation_' + name] !== undefined;
  const head = ['name'];
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
  table(card(grid, 'Losses and metrics', '', true), 'Losses and metrics', head, names.map(name => [words(name)].concat(columns.map(one => one(name)))));
  if (data.confusion) confusion(grid);
  const details = element(card(grid, '', '', true), 'details');
  element(details, 'summary', '', 'Every epoch');
  const shown = Object.keys(epochs).filter(name => name !== 'step' && name !== 'examples');
  const format = name => (name.endsWith('bytes') ? bytes : name.endsWith('seconds') ? duration : number);
  table(details, 'Every epoch', shown.map(words), epochNumbers.map((_, row) => shown.map(name => format(name)(epochs[name][row]))), best);
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
      tooltip: itemTooltip(one => 'label <b>' + echarts.format.encodeHTML(labels[one.value[1]]) + '</b>, predicted <b>'
          + echarts.format.encodeHTML(labels[one.value[0]]) + '</b><br>' + number(one.value[3]) + ' examples, '
          + number(100 * one.value[2]) + ' % of the label'),
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
  }, {zoom: false, label: 'Matrix of labels and predictions, ' + size + ' classes; ' + number(sum(counts.map((row, i) => row[i])))
      + ' of ' + number(total) + ' examples are predicted rightly.'});
  const rows = labels.map((label, i) => [label].concat(scores[i].map(number)));
  const inCard = card(grid, 'Each class', '', wide);
  if (size <= 24) {
    table(inCard, 'Each class', ['class', 'precision', 'recall', 'F1', 'examples'], rows);
  } else {
    const details = element(inCard, 'details');
    element(details, 'summary', '', size + ' classes');
    table(details, 'Each class', ['class', 'precision', 'recall', 'F1', 'examples'], rows);
  }
}

function run() {
  const grid = section('The run');
  const facts = card(grid, 'Facts', '', !data.model);
  factsTable(facts, Object.entries(data.facts));
  if (!data.model) return;
  const model = card(grid, 'Model', number(sum(data.model.parameters.map(row => row[2]))) + ' parameters');
  element(scroller(model, 'Model'), 'pre', '', data.model.text);
  const details = element(model, 'details');
  element(details, 'summary', '', 'Every parameter');
  table(details, 'Every parameter', ['name', 'shape', 'elements'], data.model.parameters.map(([name, shape, size]) => [name, shape, number(size)]));
}

document.getElementById('subtitle').textContent = data.facts.Finished || '';
figures();
learning();
time();
memory();
compiledStep();
results();
run();
show();
