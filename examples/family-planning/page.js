import { OneMap } from '/sdk/onemap.js';

// The nine themes: a field in classes, or places with their own signs.
const THEMES = {
  'fp-married-women': 'married_women', 'fp-births': 'births', 'fp-floating-population': 'moved_in', 'fp-only-children': 'one_child_families', 'fp-checkups': 'couples_checked',
  'fp-service-stations': null, 'fp-contraceptive-points': null, 'fp-nurseries': null, 'fp-special-support': null,
};
const $ = (id) => document.getElementById(id);
const rows = (head, list) => {
  const table = document.createElement('table');
  for (const cells of [head, ...list]) { const row = table.insertRow(); for (const cell of cells) row.insertCell().textContent = cell ?? ''; }
  return table;
};
const told = (work) => (...all) => work(...all).catch((problem) => { $('answer').textContent = `${problem.message} ${problem.hint ?? ''}`; });

// 1 The map: with the key of this page's address (#key=…), or the visitor's session.
const onemap = new OneMap({ container: 'map', key: new URLSearchParams(location.hash.slice(1)).get('key') ?? undefined });

// 2, 3 A theme with its legend; its figures by district.
const show = told(async (id) => {
  Object.keys(THEMES).forEach((other) => onemap.layers.remove(other));
  const field = THEMES[id];
  await (field ? onemap.themes.color(id, { field, classes: 5, opacity: 1 }) : onemap.themes.add(id));
  const statistics = field ? ['count', { sum: field }] : ['count'];
  const { rows: found } = await onemap.statistics.summary({ layer: id, zones: { divisions: 'district' }, statistics });
  $('figures').replaceChildren(rows(['区市', '数量', field && '合计'], found.map((r) => [r.label, r.count, r[`sum_${field}`]])));
});

// 4 A click: what is here of the theme, and which service stations are nearest.
onemap.map.on('click', told(async ({ lngLat: { lng, lat } }) => {
  const [here] = await onemap.query.identify([lng, lat], [$('theme').value]);
  const near = await onemap.query.nearest([[lng, lat]], ['fp-service-stations'], { k: 3, maxDistance: 20000 });
  const stations = near.results[0].layers[0].features;
  $('answer').replaceChildren(
    rows(['此处', ''], (here?.features ?? []).map((f) => [f.properties.name, f.properties[THEMES[$('theme').value]]])),
    rows(['最近服务站', '米'], stations.map((f) => [f.properties.name, Math.round(f.distance)])),
  );
}));

// 5 Annotation: who is signed in draws a visit where the map is clicked.
const visits = await onemap.annotations.open('fp-visits').catch(() => null);
$('note').onclick = told(async () => visits.draw('point', { text: prompt('走访记录') || '走访', color: '#d1242f' }));
$('note').disabled = !visits?.writable;

// 6 Address matching.
$('find').onsubmit = (event) => { event.preventDefault(); told(async () => onemap.goTo((await onemap.address.search(event.target.address.value)).features[0]))(); };

for (const { id, title } of await onemap.layers.list({ theme: 'family-planning' })) if (id in THEMES) $('theme').add(new Option(title.zh, id));
$('theme').onchange = () => show($('theme').value);
await show($('theme').value);
document.body.dataset.ready = 'true';
