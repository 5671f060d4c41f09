// The page of blasbench.

// The palette of Okabe and Ito, which colour-blind readers can tell apart, in shades that show on both themes.
const shades = ['#0b7fc0', '#d55e00', '#00966d', '#b8629a', '#b98300', '#3a9ad0', '#8a6d5a'];
const symbols = ['circle', 'triangle', 'rect', 'diamond', 'pin', 'arrow'];
const libraries = data.libraries.map(library => library.name);
const shade = library => shades[libraries.indexOf(library) % shades.length];
const threads = [...new Set(data.results.map(result => result.threads))];
const threadsText = n => n + (n === 1 ? ' thread' : ' threads');
const variant = r => r.variant + (r.batch > 1 ? '×' + r.batch : '');
const html = text => echarts.format.encodeHTML(text);

function decimal(x) {
  return x === undefined ? '' : x >= 100 ? x.toFixed(0) : x >= 1 ? x.toFixed(2) : x.toFixed(4);
}

function isSquare(r) {
  return r.routine.startsWith('gemm') ? r.m === r.n && r.n === r.k
    : r.routine === 'syrk' ? r.n === r.k
      : ['gemv', 'ger', 'trsm', 'geqrf', 'gesdd'].includes(r.routine) ? r.m === r.n : true;
}

// The unit of a chart's vertical axis: a copy computes nothing, nor does packing.
const moves = routine => ['copy', 'gemm_pack'].includes(routine);
const unit = routine => moves(routine) ? 'GB/s' : 'GFLOP/s';
const rate = (r, times) => moves(r.routine) ? times.gbs : times.gflops;

function tip(r, times, how) {
  return `<b>${r.routine} ${variant(r)} ${r.dtype} ${r.m}×${r.n}×${r.k}</b><br>${html(how)}<br>`
    + `${decimal(times.median_us)} µs (${decimal(times.p10_us)} to ${decimal(times.p90_us)})<br>`
    + `${decimal(times.gflops)} GFLOP/s, ${decimal(times.gbs)} GB/s`;
}

const pointTooltip = () => itemTooltip(point => point.data.tip || html(point.seriesName));

function curves(results, library, count, kind) {
  const chosen = results.filter(r => r.library === library && r.threads === count && r[kind]);
  const how = `${library}, ${threadsText(count)}${kind === 'pool' ? ", toydiff's pool" : ''}`;
  const point = r => ({value: [r.edge, rate(r, r[kind])], tip: tip(r, r[kind], how)});
  const name = library + (kind === 'pool' ? ', pool' : '');
  const squares = chosen.filter(isSquare).sort((a, b) => a.edge - b.edge);
  const others = chosen.filter(r => !isSquare(r));
  const style = {symbol: kind === 'pool' ? 'triangle' : 'circle', symbolSize: 7};
  const stroke = {width: 2, color: shade(library), type: kind === 'pool' ? 'dotted' : 'solid'};
  return [
    ...(squares.length ? [line(name, squares.map(point), shade(library), {...style, lineStyle: stroke})] : []),
    ...(others.length ? [{...style, name, type: 'scatter', itemStyle: {color: shade(library)}, data: others.map(point)}] : []),
  ];
}

function peak(results) {
  const {dtype, threads: count} = results[0];
  const one = data.roofs.find(r => r.threads === count);
  const y = dtype === 'float' ? one.floatGflops : one.doubleGflops;
  const edges = results.map(r => r.edge);
  return line('peak', [[Math.min(...edges), y], [Math.max(...edges), y]], 'rest', {symbol: 'none', lineStyle: {width: 1.5, color: color('rest')}});
}

/// A legend that shows the dashes of lines and the symbols of points.
function detailedLegend(series) {
  const named = series.filter((one, i) => series.findIndex(other => other.name === one.name) === i);
  const names = named.map(one => (one.type === 'scatter' ? {name: one.name, icon: one.symbol} : one.name));
  return {...legend(names), icon: 'inherit', itemWidth: 26, itemHeight: 9};
}

const binary = x => x >= 2 ** 20 ? x / 2 ** 20 + 'Mi' : x >= 2 ** 14 ? x / 2 ** 10 + 'Ki' : String(x);
const summaryOf = (results, name) => results.filter(r => r.own).map(r =>
    `${r.library}, ${threadsText(r.threads)}, size ${number(Number(r.edge.toPrecision(4)))}: ${decimal(rate(r, r.own))} ${name}`).join('; ') + '.';

function overSize() {
  const groups = new Map();
  for (const r of data.results) {
    const name = `${r.routine}${r.variant === '-' ? '' : ' ' + variant(r)} ${r.dtype}, ${threadsText(r.threads)}`;
    groups.set(name, [...(groups.get(name) || []), r]);
  }
  const several = [...groups].filter(([, results]) => new Set(results.map(r => r.edge)).size > 1);
  const shown = several.length ? several : [...groups];
  if (shown.length === 0) return;
  element(main, 'h2', '', 'GFLOP/s over size');
  element(main, 'p', 'note text', 'The size is the edge of a square problem with as much work. A solid line is the library’s own'
    + ' threading, a dotted line (“pool”) is toydiff’s threads over the library confined to one, and the grey line is the measured'
    + ' peak of multiply-adds. Points without a line are shapes that are not square. Point at one for its percentiles; drag to zoom,'
    + ' or turn the wheel with Ctrl.');
  const grid = element(main, 'div', 'grid');
  for (const [name, results] of shown) {
    const {routine, dtype, threads: count} = results[0];
    chart(card(grid, name), 330, () => {
      const all = libraries.flatMap(library => ['own', 'pool'].flatMap(kind => curves(results, library, count, kind)))
        .concat(routine.startsWith('gemm') && !moves(routine) && dtype !== 'bfloat16' ? [peak(results)] : []);
      return {
        legend: detailedLegend(all),
        tooltip: pointTooltip(),
        xAxis: axis('size', binary, {
          type: 'log', logBase: 2, minorSplitLine: {show: false},
          min: edges => 2 ** Math.floor(Math.log2(edges.min)), max: edges => 2 ** Math.ceil(Math.log2(edges.max)),
        }),
        yAxis: axis(unit(routine), number, {vertical: true, scale: false, min: 0}),
        series: all,
      };
    }, {label: summaryOf(results, unit(routine))});
  }
}

function roof(one, dtype, gbs, broken) {
  const most = dtype === 'float' ? one.floatGflops : one.doubleGflops;
  const ridge = most / gbs;
  const xs = [.02, .05, .1, .25, .5, 1, 2, 5, 10, 50, 100, 500, 1000].filter(x => broken ? x <= ridge : true).concat(ridge);
  const stroke = color(dtype === 'float' ? 'text' : 'rest');
  return line(`roof ${dtype}, ${threadsText(one.threads)}${broken ? ', first cache' : ''}`,
    xs.sort((a, b) => a - b).map(x => [x, Math.min(most, gbs * x)]), stroke, {
      symbol: 'none',
      lineStyle: {color: stroke, width: one.threads === threads[0] ? 1 : 2, type: broken ? 'dashed' : 'solid'},
    });
}

function roofline() {
  if (data.results.length === 0) return;
  element(main, 'h2', '', 'Roofline');
  const dtypes = [...new Set(data.results.map(r => (r.dtype === 'double' ? 'double' : 'float')))];
  const note = 'The lines are the limits set by multiply-adds and memory, measured in the same run; dashed lines are those of the first'
    + ' cache. Each point is a problem, placed by its arithmetic per byte that must move.'
    + (data.results.some(r => r.dtype === 'bfloat16') ? ' The limit of bfloat16 is not measured.' : '');
  chart(card(element(main, 'div', 'grid'), 'GFLOP/s over flops per byte', note, true), 460, () => {
    const lines = data.roofs.flatMap(one => dtypes.flatMap(dtype => [
      roof(one, dtype, one.bandwidth.at(-1).gbs, false),
      roof(one, dtype, Math.max(...one.bandwidth.map(b => b.gbs)), true),
    ]));
    const points = libraries.flatMap(library => threads.map(count => ({
      name: `${library}, ${threadsText(count)}`,
      type: 'scatter',
      symbol: symbols[threads.indexOf(count) % symbols.length],
      symbolSize: 9,
      itemStyle: {color: shade(library), opacity: .8},
      data: data.results.filter(r => r.library === library && r.threads === count && r.own && r.intensity > 0).map(r => ({
        value: [r.intensity, r.own.gflops],
        tip: tip(r, r.own, `${library}, ${threadsText(count)}`
          + (r.roof_percent === undefined ? '' : `, ${decimal(r.roof_percent)} % of the roof`)),
      })),
    })));
    return {
      legend: detailedLegend([...points, ...lines]),
      tooltip: pointTooltip(),
      xAxis: axis('flops per byte', number, {type: 'log', min: .02, max: 1000}),
      yAxis: axis('GFLOP/s', number, {vertical: true, type: 'log'}),
      series: [...lines, ...points],
    };
  }, {label: data.results.length + ' results below the limits of arithmetic and memory; the table has their numbers.'});
}

function results() {
  if (data.results.length === 0) return;
  element(main, 'h2', '', 'All results');
  const word = text => ({text, type: 'word'});
  const slower = 'slower on several of toydiff’s threads than on one';
  const rows = data.results.map(r => {
    const call = [r.routine, word(variant(r)), word(r.dtype), r.m, r.n, r.k, word(r.library), r.threads];
    if (!r.own) {
      return [...call, r.status === 'n/a' ? {text: '–', title: r.detail} : {text: r.status, type: 'bad', title: r.detail},
        ...Array(8).fill('')];
    }
    const times = [r.own.median_us, r.own.p10_us, r.own.p90_us, r.own.gflops || undefined, r.own.gbs, r.roof_percent, r.c && r.c.median_us];
    const pool = decimal(r.pool && r.pool.median_us);
    return [...call, ...times.map(decimal), r.jvm_c_ratio === undefined ? '' : r.jvm_c_ratio.toFixed(3),
      r.pool_slower_than_one_thread ? {text: pool + '*', type: 'bad', title: slower} : pool];
  });
  const lacking = libraries.map(library => [library, data.results.filter(r => r.library === library && r.status === 'n/a')])
    .filter(([, results]) => results.length)
    .map(([library, results]) => ` ${library} has no ${[...new Set(results.map(r => r.lacks))].join(', ')}.`);
  table(card(element(main, 'div', 'grid'), 'Times in microseconds', 'JVM/C is the C median over the JVM’s: below 1 the JVM is slower.'
    + ' “Pool” is Tensor.matmul on toydiff’s threads.'
    + (data.results.some(r => r.pool_slower_than_one_thread) ? ` A star marks times that are ${slower}.` : '')
    + (lacking.length ? ' A dash stands for a routine that a library lacks.' + lacking.join('') : ''), true), 'All results',
    ['routine', word('variant'), word('dtype'), 'm', 'n', 'k', word('library'), 'threads', 'median', 'p10', 'p90', 'GFLOP/s', 'GB/s',
      'roof %', 'C', 'JVM/C', 'pool'], rows);
}

function machine() {
  const facts = Object.entries(data.machine);
  for (const l of data.libraries) {
    facts.push([`Library ${l.name}`, `${l.version}${l.core === 'unknown' ? '' : ', kernels for ' + l.core}, ${l.path}`]);
  }
  for (const one of data.roofs) {
    facts.push([`Roof, ${threadsText(one.threads)}`, `${decimal(one.floatGflops)} GFLOP/s float, ${decimal(one.doubleGflops)} double; `
      + one.bandwidth.map(b => `${decimal(b.gbs)} GB/s in ${bytes(b.bytes)}`).join(', ')]);
  }
  for (const one of data.call_overhead.filter(o => o.overhead_ns !== undefined)) {
    facts.push([`A call to ${one.library}`, `${one.overhead_ns.toFixed(1)} ns more than from C: ${one.routine} of one element`]);
  }
  factsTable(card(section('Machine'), 'Facts', '', true), facts);
}

function notes() {
  if (data.notes.length === 0) return;
  const box = element(main, 'div', 'card warnings');
  element(box, 'strong', '', 'To know before reading the numbers');
  const list = element(box, 'ul');
  data.notes.forEach(note => element(list, 'li', '', note));
}

document.getElementById('subtitle').textContent =
  `${data.machine.Processor}, ${data.machine.Cores} cores, ${data.machine.JDK}, ${data.machine.Date}`;
notes();
overSize();
roofline();
results();
machine();
show();
