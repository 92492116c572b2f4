'use strict';

const refreshMilliseconds = 10_000;
const firstRows = 50;
const mostRows = 1000;
const graphParts = ['graph-section', 'top-section', 'tools', 'crumbs', 'keys'];
const kindNames = {
  kernel: 'Kernel', native: 'Program', library: 'Library', go: 'Go', python: 'Python', jit: 'JIT and scripts', unknown: 'Unknown', sum: 'Other',
};

const byId = id => document.getElementById(id);
const view = new FlameView(byId('canvas'), byId('graph'));
const embedded = byId('document-data');

const state = {
  service: null,        // null: all services
  minutes: 15,          // null: from and until
  from: 0, until: 0,    // Unix milliseconds
  live: true,
  search: '', selected: null, // the selected frame
  sort: 'self', descending: true, rows: firstRows,
  services: [],
};

/** An element with a class and text. Whatever a name holds, it is shown as text. */
function element(tag, className, text) {
  const created = document.createElement(tag);
  if (className) created.className = className;
  if (text !== undefined) created.textContent = text;
  return created;
}

function button(className, text, act) {
  const created = element('button', className, text);
  created.type = 'button';
  created.addEventListener('click', act);
  return created;
}

function seconds(nanos) {
  const value = nanos / 1e9;
  if (value === 0) return '0 s';
  if (value < 0.001) return `${(value * 1e6).toPrecision(2)} µs`;
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 100) return `${value.toPrecision(3)} s`;
  return `${Math.round(value).toLocaleString('en')} s`;
}

function percent(part, whole) {
  const share = whole > 0 ? part / whole * 100 : 0;
  return `${share === 0 || share >= 99.95 ? share.toFixed(0) : share < 0.01 ? '<0.01' : share < 10 ? share.toFixed(2) : share.toFixed(1)} %`;
}

// ---- what is shown of a graph

function showGraph(graph) {
  const tree = new CallTree(graph);
  const selected = state.selected;
  state.selected = selected && (tree.frames.find(frame => sameFrame(frame, selected)) ?? null);
  view.show(tree);
  showSummary(graph, tree);
  showLegend(tree);
  showMarks();
  for (const id of graphParts) byId(id).hidden = false;
  byId('message').hidden = true;
}

function showSummary(graph, tree) {
  const covered = (graph.untilNanos - graph.fromNanos) / 1e9;
  const facts = [['CPU time', seconds(tree.total[0])]];
  if (covered > 0) facts.push(['on average', `${(tree.total[0] / 1e9 / covered).toPrecision(2)} cores`]);
  if (!embedded) facts.push(['from', `${graph.profiles} profile${graph.profiles === 1 ? '' : 's'} of ${graph.series} series`]);
  if (covered > 0) facts.push(['over', seconds(covered * 1e9)]);
  if (graph.cutNodes > 0) facts.push(['cut', `${graph.cutNodes.toLocaleString('en')} small nodes, ${percent(graph.cutNanos, tree.total[0])} under (other)`]);
  if (graph.unreadable > 0) facts.push(['unreadable', `${graph.unreadable} profiles left out`]);
  byId('summary').replaceChildren(...facts.map(([name, value]) => {
    const pair = element('div');
    pair.append(element('dt', '', name), element('dd', '', value));
    return pair;
  }));
}

function showLegend(tree) {
  const byKind = new Map();
  tree.frames.forEach((frame, index) => byKind.set(frame.kind, (byKind.get(frame.kind) ?? 0) + tree.frameSelf[index]));
  const kinds = [...byKind].filter(([, time]) => time > 0).sort((left, right) => right[1] - left[1]);
  byId('legend').replaceChildren(...kinds.map(([kind, time]) => {
    const item = element('li');
    const swatch = element('i');
    swatch.dataset.kind = kind;
    item.append(swatch, `${kindNames[kind] ?? kind} ${percent(time, tree.total[0])}`);
    return item;
  }));
}

function showCrumbs(node) {
  const path = view.tree.path(node);
  const shown = path.length > 7 ? [path[0], -1, ...path.slice(-5)] : path;
  const parts = [];
  for (const at of shown) {
    if (parts.length > 0) parts.push(element('span', '', '›'));
    if (at < 0) { parts.push(element('span', '', '…')); continue; }
    const crumb = button('', at === 0 ? 'All' : view.tree.frame(at).name, () => view.zoom(at));
    crumb.title = at === 0 ? 'Reset the zoom (Esc)' : view.tree.frame(at).name;
    if (at === node) crumb.setAttribute('aria-current', 'true');
    parts.push(crumb);
  }
  byId('crumbs').replaceChildren(...parts);
}

function describe(node) {
  const tree = view.tree;
  const frame = tree.frame(node);
  return `${frame.name}${frame.module ? ` in ${frame.module}` : ''}: total ${seconds(tree.total[node])} (${percent(tree.total[node], tree.total[0])}), self ${seconds(tree.self[node])} (${percent(tree.self[node], tree.total[0])})`;
}

function showTooltip({ node, x, y }) {
  const tooltip = byId('tooltip');
  tooltip.hidden = node < 0;
  if (node < 0) return;
  const tree = view.tree;
  const frame = tree.frame(node);
  const times = element('dl');
  for (const [name, time] of [['Total', tree.total[node]], ['Self', tree.self[node]]]) {
    times.append(element('dt', '', name), element('dd', '', seconds(time)), element('dd', '', percent(time, tree.total[0])));
  }
  if (view.zoomed > 0) times.append(element('dt', '', 'Of zoom'), element('dd', '', ''), element('dd', '', percent(Math.min(tree.total[node], tree.total[view.zoomed]), tree.total[view.zoomed])));
  tooltip.replaceChildren(element('b', '', frame.name), ...[frame.module, frame.file].filter(Boolean).map(text => element('small', '', text)), times);
  const box = tooltip.getBoundingClientRect();
  tooltip.style.left = `${Math.max(12, Math.min(x + 14, innerWidth - box.width - 12))}px`;
  tooltip.style.top = `${y + 18 + box.height < innerHeight ? y + 18 : Math.max(8, y - box.height - 12)}px`;
}

// ---- search, selection and the table

function marks() {
  const tree = view.tree;
  const search = state.search.toLowerCase();
  if (state.selected) return Uint8Array.from(tree.frames, frame => frame === state.selected ? 1 : 0);
  if (!search) return null;
  return Uint8Array.from(tree.frames, frame => frame.kind !== 'sum' && `${frame.name}\n${frame.module}\n${frame.file}`.toLowerCase().includes(search) ? 1 : 0);
}

function showMarks() {
  const marked = marks();
  view.mark(marked);
  const result = byId('search-result');
  result.replaceChildren();
  if (marked) {
    const time = view.tree.markedTime(marked);
    const what = state.selected ? `${shortened(state.selected.name)}: ` : '';
    result.append(`${what}${percent(time, view.tree.total[0])} · ${seconds(time)}`, button('button', 'Clear', clearMarks));
  }
  showTable(state.selected ? null : marked);
}

function shortened(name) {
  return name.length <= 60 ? name : `${name.slice(0, 59)}…`;
}

function clearMarks() {
  state.search = byId('search').value = '';
  state.selected = null;
  remember();
  if (view.tree) showMarks();
}

function select(frame) {
  state.selected = state.selected === frame ? null : frame;
  showMarks();
}

function showTable(marked) {
  const tree = view.tree;
  const values = { self: tree.frameSelf, total: tree.frameTotal };
  const order = [...tree.frames.keys()].filter(index => tree.frames[index].kind !== 'sum' && tree.frameTotal[index] > 0 && (!marked || marked[index]));
  const direction = state.descending ? -1 : 1;
  const names = (left, right) => tree.frames[left].name < tree.frames[right].name ? -1 : tree.frames[left].name > tree.frames[right].name ? 1 : 0;
  order.sort((left, right) => direction * (state.sort === 'name' ? names(left, right) : values[state.sort][left] - values[state.sort][right]) || names(left, right));
  byId('top-rows').replaceChildren(...order.slice(0, state.rows).map(index => tableRow(tree, index)));
  byId('top-count').textContent = `${order.length.toLocaleString('en')}`;
  const more = byId('more');
  more.hidden = order.length <= state.rows || state.rows >= mostRows;
  more.textContent = `Show ${Math.min(order.length, mostRows).toLocaleString('en')}`;
}

function tableRow(tree, index) {
  const frame = tree.frames[index];
  const row = element('tr', frame === state.selected ? 'on' : '');
  const name = element('td', 'function');
  const pick = button('', undefined, () => select(frame));
  pick.setAttribute('aria-pressed', String(frame === state.selected));
  pick.title = [frame.name, frame.module, frame.file].filter(Boolean).join('\n');
  pick.append(element('span', 'name', frame.name), element('span', 'module', frame.module.split('/').pop() || frame.file));
  name.append(pick);
  row.append(name);
  for (const time of [tree.frameSelf[index], tree.frameTotal[index]]) {
    const cell = element('td', 'number', seconds(time));
    const bar = element('i');
    bar.style.width = `${time / tree.total[0] * 100}%`;
    cell.append(element('span', 'percent', percent(time, tree.total[0])), bar);
    row.append(cell);
  }
  return row;
}

function sortBy(column) {
  state.descending = state.sort === column ? !state.descending : column !== 'name';
  state.sort = column;
  for (const header of document.querySelectorAll('#top th')) {
    const on = header.firstElementChild.dataset.sort === column;
    header.setAttribute('aria-sort', on ? (state.descending ? 'descending' : 'ascending') : 'none');
  }
  if (view.tree) showMarks();
}

// ---- services and time range

function showServices() {
  const filter = byId('service-filter').value.toLowerCase();
  const all = state.services.reduce((sum, service) => sum + service.cpuSeconds, 0);
  const rows = state.services.filter(service => service.name.toLowerCase().includes(filter)).map(service => serviceRow(service.name, service.name || '(no service name)', service.cpuSeconds, all));
  if (!filter && state.services.length > 1) rows.unshift(serviceRow(null, 'All services', all, all));
  byId('services').replaceChildren(...rows);
  byId('chosen').textContent = byId('subject').textContent = state.service === null ? 'All services' : state.service || '(no service name)';
}

function serviceRow(name, text, cpuSeconds, all) {
  const item = element('li');
  const pick = button('', undefined, () => choose({ service: name }));
  const track = element('span', 'track');
  const bar = element('i');
  bar.style.width = `${all > 0 ? cpuSeconds / all * 100 : 0}%`;
  track.append(bar);
  pick.title = `${text}: ${seconds(cpuSeconds * 1e9)} of CPU time`;
  pick.append(element('span', 'name', text), element('span', 'share', percent(cpuSeconds, all)), track);
  if (name === state.service) pick.setAttribute('aria-current', 'true');
  item.append(pick);
  return item;
}

function showStore(answer) {
  const { store, maxAgeSeconds } = answer;
  const dropped = store.droppedByBytes > 0 ? ` ${store.droppedByBytes.toLocaleString('en')} were dropped early to save memory.` : '';
  byId('store').textContent = `Kept here: ${store.profiles.toLocaleString('en')} profiles, ${(store.bytes / 1048576).toFixed(1)} MiB, at most ${Math.round(maxAgeSeconds / 60)} min.${dropped}`;
}

function showControls() {
  for (const range of byId('ranges').children) {
    range.setAttribute('aria-pressed', String(range.dataset.minutes === String(state.minutes ?? 'custom')));
  }
  byId('live').setAttribute('aria-pressed', String(state.live));
}

function range() {
  return state.minutes === null ? { from: String(state.from), until: String(state.until) } : { from: `now-${state.minutes}m`, until: 'now' };
}

function address(path) {
  const query = new URLSearchParams(range());
  if (state.service !== null) query.set('service', state.service);
  return `${path}?${query}`;
}

// The choices are in the address, so that it can be kept and sent on.
function remember() {
  if (embedded) return;
  const hash = new URLSearchParams(state.minutes === null ? { from: state.from, until: state.until } : { minutes: state.minutes });
  if (state.service !== null) hash.set('service', state.service);
  if (state.search) hash.set('search', state.search);
  history.replaceState(null, '', `#${hash}`);
}

function recall() {
  const hash = new URLSearchParams(location.hash.slice(1));
  const [from, until, minutes] = ['from', 'until', 'minutes'].map(name => Number(hash.get(name)));
  if (from > 0 && until > from) Object.assign(state, { minutes: null, from, until, live: false });
  else if (minutes > 0) state.minutes = minutes;
  state.service = hash.get('service');
  state.search = byId('search').value = hash.get('search') ?? '';
}

function choose(change) {
  Object.assign(state, change);
  if ('service' in change) {
    state.selected = null;
    if (matchMedia('(max-width: 860px)').matches) byId('services-details').open = false;
  }
  remember();
  showControls();
  load();
}

// ---- loading

let timer = 0;
let loading = null;

async function fetchJson(path, signal) {
  const response = await fetch(path, { signal });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? `HTTP ${response.status}`);
  return answer;
}

async function load() {
  clearTimeout(timer);
  loading?.abort();
  const { signal } = loading = new AbortController();
  try {
    const services = await fetchJson(`/api/v1/services?${new URLSearchParams(range())}`, signal);
    state.services = services.services;
    if (state.service === null && services.services.length === 1) state.service = services.services[0].name;
    showServices();
    showStore(services);
    const graph = await fetchJson(address('/api/v1/flamegraph'), signal);
    showAnswer(graph, services.store);
  } catch (problem) {
    if (problem.name === 'AbortError') return;
    showMessage('The profiles could not be read', [`${problem.message}.`, 'Is the server still running? This page tries again every 10 seconds.'], true);
  }
  schedule();
}

function schedule() {
  clearTimeout(timer);
  if (state.live) timer = setTimeout(() => document.hidden ? schedule() : load(), refreshMilliseconds);
}

function showAnswer(graph, store) {
  const empty = graph.profiles === 0;
  const download = byId('download');
  download.setAttribute('aria-disabled', String(empty));
  if (empty) download.removeAttribute('href');
  else download.href = address('/api/v1/pprof');
  if (!empty) {
    showGraph(graph);
  } else if (store.profiles === 0) {
    showWaiting();
  } else {
    const wider = state.minutes === 60 ? [] : [button('button', 'Show the last 60 minutes', () => choose({ minutes: 60, live: true }))];
    showMessage('No profile in this time range', ['Nothing was recorded for this choice: widen the range or choose another service.'], false, wider);
  }
}

function showWaiting() {
  const hint = element('p');
  hint.append('Still nothing after a minute? ', element('code', '', 'actorprofiler doctor'), ' checks this host, ', element('code', '', 'actorprofiler explain PID'), ' says why a process is not profiled.');
  showMessage('Waiting for the first profile', ['It comes one window (15 seconds unless configured otherwise) after the first samples. This page shows it by itself.'], false, [hint]);
}

function showMessage(title, lines, isProblem, more = []) {
  const message = byId('message');
  message.classList.toggle('problem-box', isProblem);
  message.replaceChildren(element('strong', '', title), ...lines.map(line => element('p', '', line)), ...more);
  message.hidden = false;
  byId('summary').replaceChildren();
  byId('tooltip').hidden = true;
  for (const id of graphParts) byId(id).hidden = true;
}

// ---- start

function localTime(milliseconds) {
  const date = new Date(milliseconds - new Date(milliseconds).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 19);
}

function toggleCustom() {
  const form = byId('custom');
  form.hidden = !form.hidden;
  byId('ranges').lastElementChild.setAttribute('aria-expanded', String(!form.hidden));
  if (form.hidden) return;
  byId('until').value = localTime(state.minutes === null ? state.until : Date.now());
  byId('from').value = localTime(state.minutes === null ? state.from : Date.now() - state.minutes * 60_000);
  byId('from').focus();
}

function applyCustom(event) {
  event.preventDefault();
  const [from, until] = [new Date(byId('from').value).getTime(), new Date(byId('until').value).getTime()];
  byId('custom-problem').textContent = from < until ? '' : 'From must be before until.';
  if (from < until) choose({ minutes: null, from, until, live: false });
}

function onKey(event) {
  const typing = event.target instanceof HTMLInputElement;
  if (event.key === '/' && !typing && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    byId('search').focus();
    byId('search').select();
  } else if (event.key === 'Escape' && event.target !== byId('service-filter') && view.tree) {
    clearMarks();
    view.zoom(0);
    if (typing) event.target.blur();
  }
}

function startServer() {
  byId('service-filter').addEventListener('input', showServices);
  byId('ranges').addEventListener('click', event => {
    const minutes = event.target.dataset.minutes;
    if (minutes === 'custom') return toggleCustom();
    if (minutes) {
      if (!byId('custom').hidden) toggleCustom();
      choose({ minutes: Number(minutes), live: true });
    }
  });
  byId('custom').addEventListener('submit', applyCustom);
  byId('live').addEventListener('click', () => choose(state.live ? { live: false } : { live: true, minutes: state.minutes ?? 15 }));
  addEventListener('hashchange', () => { recall(); showControls(); load(); });
  if (matchMedia('(max-width: 860px)').matches) byId('services-details').open = false;
  recall();
  showControls();
  showServices();
  load();
}

function startDocument() {
  const { title, graph, facts } = JSON.parse(embedded.textContent);
  for (const id of ['controls', 'services-panel']) byId(id).hidden = true;
  document.querySelector('.layout').classList.add('single');
  byId('subject').textContent = title;
  byId('facts-section').hidden = facts.length === 0;
  byId('facts').replaceChildren(...facts.map(({ key, value }) => {
    const row = element('tr');
    row.append(element('td', '', key), element('td', '', value));
    return row;
  }));
  if (graph.totalNanos > 0) showGraph(graph);
  else showMessage('No samples were recorded', ['The processes may have been idle: record for longer, or choose a busy process.'], false);
}

view.addEventListener('hover', event => showTooltip(event.detail));
view.addEventListener('focus', event => { byId('status').textContent = describe(event.detail.node); });
view.addEventListener('zoom', event => {
  showCrumbs(event.detail.node);
  byId('status').textContent = event.detail.node > 0 ? describe(event.detail.node) : '';
});
byId('search').addEventListener('input', event => { Object.assign(state, { search: event.target.value, selected: null }); remember(); showMarks(); });
byId('top').tHead.addEventListener('click', event => { if (event.target.dataset.sort) sortBy(event.target.dataset.sort); });
byId('more').addEventListener('click', () => { state.rows = mostRows; showMarks(); });
document.addEventListener('keydown', onKey);
if (embedded) startDocument(); else startServer();
