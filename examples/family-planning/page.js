import { OneMap, tableOf, telling } from '/sdk/onemap.js';

const [theme, answer, figures, note, find] = ['theme', 'answer', 'figures', 'note', 'find'].map((id) => document.getElementById(id));

// 1 The map: with the key of this page's address (#key=…), or the visitor's session.
const onemap = new OneMap({ container: 'map', key: new URLSearchParams(location.hash.slice(1)).get('key') ?? undefined });

// 2, 3 A theme with its legend; its figures by district.
const show = telling(answer, async () => {
  await onemap.themes.show(theme.value, { opacity: 1, popup: false });
  const statistics = ['count', { min: 'value' }, { mean: 'value' }, { max: 'value' }];
  const { rows } = await onemap.statistics.summary({ layer: theme.value, zones: { divisions: 'district' }, statistics });
  figures.replaceChildren(tableOf(rows, { label: '区市', count: '街道', min_value: '最低', mean_value: '平均', max_value: '最高' }));
});

// 4 A click: what the theme says here, and which service stations are nearest.
onemap.map.on('click', telling(answer, async ({ lngLat: { lng, lat } }) => {
  const here = await onemap.query.identify([lng, lat], [theme.value]);
  const near = await onemap.query.nearest([[lng, lat]], ['fp-service-stations'], { k: 3, maxDistance: 20000 });
  const [streets, stations] = [here.flatMap((layer) => layer.features), near.results[0].layers[0].features];
  answer.replaceChildren(tableOf(streets, { name: '此处', value: '数值' }), tableOf(stations, { name: '最近服务站', distance: '米' }));
}));

// 5 Annotation: who is signed in draws a visit where the map is clicked. 6 Address matching.
const visits = await onemap.annotations.open('fp-visits').catch(() => null);
note.disabled = !visits?.writable;
note.onclick = telling(answer, () => visits.draw('point', { text: prompt('走访记录') || '走访', color: '#d1242f' }));
find.onsubmit = telling(answer, (event) => (event.preventDefault(), onemap.find(find.address.value)));

for (const { id, title } of await onemap.themes.list({ topic: 'family-planning' })) theme.add(new Option(title.zh, id));
theme.onchange = show;
await show();
document.body.dataset.ready = 'true';
