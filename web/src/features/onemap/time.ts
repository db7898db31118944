import type { Field, LayerDetail } from '@/api/types';

/** Of which time a layer is shown, by which of its fields. */
export interface Time {
  layer: string;
  field: string;
  at: string;
  until: boolean;
}

/** The fields by which a layer can be shown time by time. */
export const dated = (layer: LayerDetail): Field[] => (layer.tiles_only ? [] : (layer.fields ?? []).filter((field) => field.readable !== false && (field.type === 'date' || field.type === 'timestamp')));
