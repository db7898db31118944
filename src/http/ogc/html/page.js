// What the pages of the OGC endpoints do beyond being read: maps, a search in lists, copying. Without it every page still says all it has.
'use strict';
(() => {
  const own = (url) => {
    if (/^(?:blob|data):/.test(url)) return { url };
    const { pathname, search } = new URL(url, location.origin);
    return { url: location.origin + pathname + search };
  };
  const json = (url) => fetch(own(url).url, { headers: { accept: 'application/json, application/geo+json' } })
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))));
  const chinese = document.documentElement.lang.startsWith('zh');

  // The base map, or calm ground where there is none.
  const ground = (url) => json(url).catch(() => ({
    version: 8, sources: {},
    layers: [{ id: 'ground', type: 'background', paint: { 'background-color': '#eef1f4' } }],
  }));

  const extent = (collection) => {
    const box = [Infinity, Infinity, -Infinity, -Infinity];
    const walk = (c) => {
      if (typeof c[0] !== 'number') { c.forEach(walk); return; }
      box[0] = Math.min(box[0], c[0]); box[1] = Math.min(box[1], c[1]);
      box[2] = Math.max(box[2], c[0]); box[3] = Math.max(box[3], c[1]);
    };
    const shape = (g) => { if (g) { if (g.geometries) g.geometries.forEach(shape); else walk(g.coordinates); } };
    (collection.features || [collection]).forEach((f) => shape(f.geometry));
    return Number.isFinite(box[0]) ? box : null;
  };

  const drawFeatures = (map, data) => {
    map.addSource('features', { type: 'geojson', data, promoteId: undefined });
    const lit = ['boolean', ['feature-state', 'lit'], false];
    const colour = ['case', lit, '#d9480f', '#1a5fb4'];
    const kind = (name) => ['==', ['geometry-type'], name];
    map.addLayer({ id: 'f-area', type: 'fill', source: 'features', filter: kind('Polygon'), paint: { 'fill-color': colour, 'fill-opacity': 0.25 } });
    map.addLayer({ id: 'f-line', type: 'line', source: 'features', filter: ['!=', ['geometry-type'], 'Point'], paint: { 'line-color': colour, 'line-width': ['case', lit, 4, 2] } });
    map.addLayer({ id: 'f-point', type: 'circle', source: 'features', filter: kind('Point'), paint: { 'circle-color': colour, 'circle-radius': ['case', lit, 8, 5], 'circle-stroke-color': '#fff', 'circle-stroke-width': 1.5 } });
  };

  // The row under the pointer is lit on the map, and the feature under it in the table.
  const link = (map) => {
    const rows = new Map([...document.querySelectorAll('tr[data-feature]')].map((row) => [Number(row.dataset.feature), row]));
    const light = (id, on) => {
      map.setFeatureState({ source: 'features', id }, { lit: on });
      rows.get(id)?.classList.toggle('lit', on);
    };
    rows.forEach((row, id) => {
      row.addEventListener('mouseenter', () => light(id, true));
      row.addEventListener('mouseleave', () => light(id, false));
    });
    let over = null;
    const leave = () => { if (over !== null) light(over, false); over = null; map.getCanvas().style.cursor = ''; };
    ['f-area', 'f-line', 'f-point'].forEach((layer) => {
      map.on('mousemove', layer, (event) => {
        const { id } = event.features[0];
        if (id === over) return;
        leave(); over = id; light(id, true); map.getCanvas().style.cursor = 'pointer';
      });
      map.on('mouseleave', layer, leave);
      map.on('click', layer, (event) => {
        const anchor = rows.get(event.features[0].id)?.querySelector('a');
        if (anchor) location.assign(anchor.href);
      });
    });
  };

  const overlay = (map, style) => {
    Object.entries(style.sources).forEach(([id, source]) => { if (!map.getSource(id)) map.addSource(id, source); });
    style.layers.filter((layer) => layer.type !== 'background' && !map.getLayer(layer.id)).forEach((layer) => map.addLayer(layer));
  };

  const draw = async (place) => {
    const { base, style, features, bbox } = place.dataset;
    const [ground_, data, over] = await Promise.all([ground(base), features ? json(features) : null, style ? json(style) : null]);
    const box = bbox ? JSON.parse(bbox) : data && extent(data);
    const map = new maplibregl.Map({
      container: place, style: { ...ground_, glyphs: ground_.glyphs || over?.glyphs, sprite: ground_.sprite || over?.sprite },
      transformRequest: own, center: [120.4, 36.2], zoom: 8, attributionControl: { compact: true }, cooperativeGestures: false,
    });
    if (box) map.fitBounds([[box[0], box[1]], [box[2], box[3]]], { padding: 30, maxZoom: 16, animate: false });
    map.addControl(new maplibregl.NavigationControl({ showCompass: false }), 'top-right');
    map.addControl(new maplibregl.ScaleControl({}), 'bottom-left');
    await new Promise((done) => map.once('load', done));
    if (over) overlay(map, over);
    if (data) { drawFeatures(map, data); link(map); }
    place.dataset.ready = 'yes';
  };

  const maps = [...document.querySelectorAll('[data-base]')];
  maps.forEach((place) => {
    const fails = () => { place.textContent = chinese ? '地图无法显示' : 'The map cannot be shown'; place.classList.add('card'); };
    if (!window.maplibregl) fails(); else draw(place).catch(fails);
  });

  document.querySelectorAll('input[data-search]').forEach((box) => {
    const department = document.querySelector('select[data-department]');
    const apply = () => {
      const wanted = box.value.trim().toLowerCase();
      document.querySelectorAll('[data-text]').forEach((row) => {
        const meets = row.dataset.text.toLowerCase().includes(wanted) && (!department?.value || row.dataset.of === department.value);
        row.hidden = !meets;
      });
      document.querySelectorAll('[data-group]').forEach((group) => { group.hidden = !group.querySelector('[data-text]:not([hidden])'); });
    };
    box.addEventListener('input', apply);
    department?.addEventListener('change', apply);
    apply();
  });

  document.querySelectorAll('button[data-copy]').forEach((button) => {
    button.hidden = false;
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const said = button.textContent;
      button.textContent = chinese ? '已复制' : 'Copied';
      setTimeout(() => { button.textContent = said; }, 1500);
    });
  });
})();
