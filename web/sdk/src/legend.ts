import type { IControl, Map as Canvas } from 'maplibre-gl';
import type { Client } from './client';
import type { LegendEntry, Said } from './types';

interface Section {
  title: Said;
  entries: LegendEntry[];
}

/** The legends of what is on the map, in a corner of it. */
export class Legend implements IControl {
  private readonly box = document.createElement('section');
  private readonly sections = new Map<string, Section>();

  constructor(private readonly client: Client) {
    this.box.className = 'maplibregl-ctrl onemap-legend';
    this.box.setAttribute('aria-label', client.say('图例', 'Legend'));
    Object.assign(this.box.style, {
      background: '#fff',
      borderRadius: '4px',
      boxShadow: '0 0 0 2px rgb(0 0 0 / 10%)',
      font: '12px/1.5 system-ui, sans-serif',
      maxHeight: '45vh',
      overflow: 'auto',
      padding: '6px 10px',
    });
  }

  onAdd(_map: Canvas): HTMLElement {
    this.draw();
    return this.box;
  }

  onRemove(): void {
    this.box.remove();
  }

  set(id: string, section: Section | null): void {
    if (section) this.sections.set(id, section);
    else this.sections.delete(id);
    this.draw();
  }

  private draw(): void {
    this.box.hidden = this.sections.size === 0;
    this.box.replaceChildren(...[...this.sections.values()].flatMap(({ title, entries }) => [this.heading(title), ...entries.map((entry) => this.row(entry))]));
  }

  private heading(title: Said): HTMLElement {
    const heading = document.createElement('strong');
    heading.textContent = this.client.say(title.zh, title.en || title.zh);
    heading.style.display = 'block';
    return heading;
  }

  private row({ label, kind, color, outline }: LegendEntry): HTMLElement {
    const row = document.createElement('div');
    const sign = document.createElement('span');
    Object.assign(sign.style, {
      background: color,
      border: outline ? `1px solid ${outline}` : '0',
      borderRadius: kind === 'circle' ? '50%' : '2px',
      display: 'inline-block',
      height: kind === 'line' ? '3px' : '11px',
      marginRight: '6px',
      verticalAlign: kind === 'line' ? '3px' : '-1px',
      width: kind === 'circle' ? '11px' : '18px',
    });
    row.append(sign, this.client.say(label.zh, label.en || label.zh));
    return row;
  }
}
