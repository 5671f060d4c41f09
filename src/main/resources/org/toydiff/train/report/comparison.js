// The comparison of several runs.

// The palette of Okabe and Ito, which colour-blind readers can tell apart, in shades that show on both themes.
const shades = ['#0b7fc0', '#d55e00', '#00966d', '#b8629a', '#b98300', '#3a9ad0', '#8a6d5a', '#7d7d7d'];
const runs = data.runs.map((run, i) => ({
  ...run,
  shade: shades[i % shades.length],
  // Beyond the palette, runs of one shade differ by their dashes.
  dash: ['solid', 'dashed', 'dotted'][Math.floor(i / shades.length) % 3],
}));
const columns = [...new Set(runs.flatMap(run => ['loss'].concat(metricsOf(run.epochs))
    .flatMap(name => [name, 'validation_' + name]).filter(name => run.epochs[name])))];
const lastEpoch = runs.reduce((last, run) => Math.max(last, ...epochNumbersOf(run)), 0);

const withColumn = (table, column) => runs.filter(run => run[table][column] && rowsOf(run[table]) > 0);

function styled(run, width) {
  return {lineStyle: {width, color: run.shade, type: run.dash}, itemStyle: {color: run.shade}};
}

function epochCurves(grid, column, title) {
  const shown = withColumn('epochs', column);
  if (shown.length === 0) return;
  epochChart(card(grid, title, 'Over each epoch.'), column, 300, lastEpoch, () =>
      shown.map(run => curve(run.name, epochNumbersOf(run), run.epochs[column], run.shade, styled(run, 2))));
}

function stepCurves(grid, column, title, more) {
  const shown = withColumn('steps', column);
  if (shown.length === 0) return;
  const groups = Math.max(...shown.map(run => run.stepGroup));
  const note = 'Of each step.' + (groups > 1 ? ' Each point stands for up to ' + groups + ' steps.' : '');
  stepChart(card(grid, title, note), column, 300, () =>
      shown.map(run => stepCurve(run.name, stepNumbersOf(run), run.steps[column], run.shade, {...styled(run, 1), ...more})));
}

/// A table of each run's values in one row of its epochs.
function valuesAt(grid, title, note, rowOf, best) {
  const rows = runs.map(run => {
    const row = rowOf(run);
    const value = column => (run.epochs[column] ? run.epochs[column][row] : undefined);
    return [run.name, row < 0 ? '–' : number(epochNumbersOf(run)[row])].concat(columns.map(column => number(value(column))));
  });
  table(card(grid, title, note, true), title, ['run', 'epoch'].concat(columns.map(words)), rows, best);
}

function costs(grid) {
  const head = ['run', 'epochs', 'steps', 'duration', 'median examples/s', 'off-heap peak'];
  const rows = runs.map(run => {
    const rates = (run.epochs.examples_per_second || []).filter(finite).sort((a, b) => a - b);
    return [run.name, number(rowsOf(run.epochs)), number(run.stepCount), run.epochs.seconds ? duration(sum(run.epochs.seconds)) : '–',
      rates.length ? number(Math.round(rates[Math.floor(rates.length / 2)])) : '–',
      run.epochs.peak_bytes ? bytes(largest(run.epochs.peak_bytes)) : '–'];
  });
  table(card(grid, 'Time and memory', '', true), 'Time and memory', head, rows);
}

document.getElementById('subtitle').textContent = runs.length + ' runs';
const tables = section('Runs');
if (data.bestColumn) {
  valuesAt(tables, 'Best epochs', 'By ' + words(data.bestColumn) + '; the best run is marked.', run => run.best, data.bestRun);
}
valuesAt(tables, 'Last epochs', '', run => rowsOf(run.epochs) - 1);
costs(tables);
element(main, 'h2', '', 'Curves');
smoothingControl(main);
const curves = element(main, 'div', 'grid');
columns.forEach(column => epochCurves(curves, column, column.startsWith('validation_') ? heading(column) : 'Training ' + words(column)));
stepCurves(curves, 'loss', 'Loss of each step');
stepCurves(curves, 'learning_rate', 'Learning rate', {step: 'end', averaged: false});
stepCurves(curves, 'gradient_norm', 'Gradient norm');
epochCurves(curves, 'examples_per_second', 'Throughput');
if (Object.keys(data.facts).length > 0) factsTable(card(section('The runs'), 'Facts', '', true), Object.entries(data.facts));
show();
