// Curves of histories, for the report of one run and for the comparison of several.

const bookkeeping = ['epoch', 'step', 'examples', 'loss', 'gradient_norm', 'learning_rate', 'skipped_steps', 'seconds', 'wait_seconds',
  'validation_seconds', 'examples_per_second', 'live_bytes', 'peak_bytes', 'gc_count', 'gc_seconds'];

const metricsOf = epochs => Object.keys(epochs).filter(name => !bookkeeping.includes(name) && !name.startsWith('validation_'));
const rowsOf = columns => Object.values(columns).reduce((most, column) => Math.max(most, column.length), 0);
const epochNumbersOf = run => run.epochs.epoch || Array.from({length: rowsOf(run.epochs)}, (_, i) => i + 1);
const stepNumbersOf = run => run.steps.step || Array.from({length: rowsOf(run.steps)}, (_, i) => (i + 1) * run.stepGroup);

/// Where each step lies between the ends of the epochs.
function stepPositions(steps) {
  const first = new Map();
  const last = new Map();
  steps.epoch.forEach((epoch, i) => {
    if (!first.has(epoch)) first.set(epoch, i);
    last.set(epoch, i);
  });
  return steps.epoch.map((epoch, i) =>
      epoch - 1 + (i - first.get(epoch) + 1) / (last.get(epoch) - first.get(epoch) + 1));
}

const epochAxis = last => axis('epoch', number, {min: 0, max: last, minInterval: 1, scale: false});
const stepAxis = () => axis('step', number, {min: 'dataMin', max: 'dataMax'});

/// A curve that the smoothing applies to.
function curve(name, xs, ys, colorName, more) {
  return line(name, pairs(xs, ys), colorName, {averaged: true, ...more});
}

/// A thin curve with a value for each step.
function stepCurve(name, xs, ys, colorName, more) {
  const stroke = color(colorName) || colorName;
  return curve(name, xs, ys, colorName, {showSymbol: ys.length === 1, lineStyle: {width: 1, color: stroke}, ...more});
}

function epochChart(parent, column, height, last, series, zeroBased) {
  chart(parent, height, () => {
    const lines = series();
    return {
      legend: lines.length > 1 ? legend(lines.map(one => one.name)) : undefined,
      tooltip: tooltip(number, x => 'epoch ' + number(Number(x.toFixed(3)))),
      xAxis: epochAxis(last),
      yAxis: axis(words(column), number, {vertical: true, scale: !zeroBased}),
      series: lines,
    };
  }, {log: true});
}

function stepChart(parent, column, height, series) {
  chart(parent, height, () => {
    const lines = series();
    return {
      legend: lines.length > 1 ? legend(lines.map(one => one.name)) : undefined,
      tooltip: tooltip(number, x => 'step ' + number(x)),
      xAxis: stepAxis(),
      yAxis: axis(words(column), number, {vertical: true, scale: false}),
      series: lines,
    };
  }, {log: true});
}
