import { post } from './client';
import { list, number, object, saying, text } from './read';
import type { Right } from './terms';
import type { Said } from './types';

/** A question to the rules, about somebody who need not be there. */
export interface Question {
  /** Empty is nobody signed in. */
  department: string;
  /** Empty is an application key. */
  role: string;
  layer: string;
  action: Right;
  field: string;
  feature: string;
  /** `zoom/column/row` */
  tile: string;
}

/** The rule that decided, in words. */
export interface Rule {
  name: string;
  text: Said | null;
  grant: string;
}

/** What was asked of one part: the layer, then the field, the feature, the tile. */
export interface Step {
  of: string;
  allowed: boolean;
  rule: Rule;
}

export interface Decision {
  allowed: boolean;
  steps: Step[];
}

function ruleOf(value: unknown): Rule {
  const said = object(value);
  return { name: text(said.name), text: saying(said.text), grant: text(said.grant) };
}

const given = (fields: Record<string, unknown>): Record<string, unknown> => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== null));
const count = (typed: string): number | null => (typed === '' ? null : Number(typed));

export async function decide(question: Question): Promise<Decision> {
  const { department, role, layer, action, field, feature, tile } = question;
  const body = object(
    await post<unknown>('/api/v1/simulation', {
      principal: given({ department, role }),
      ...given({ layer, action, field, feature: count(feature), tile: tile === '' ? null : tile.split('/').map(Number) }),
    }),
  );
  return {
    allowed: body.allowed === true,
    steps: list(body.steps).map((one) => {
      const said = object(one);
      return { of: text(said.of), allowed: said.allowed === true, rule: ruleOf(said.rule) };
    }),
  };
}

/** Who sees something, and by which rule; no department is the public. */
export interface Viewer {
  department: string;
  partial: boolean;
  rule: Rule;
}

export const viewers = (layer: string, action: Right, field: string, feature: string) =>
  post<unknown>('/api/v1/simulation/viewers', given({ layer, action, field, feature: count(feature) })).then((body) =>
    list(object(body).viewers).map((one): Viewer => {
      const said = object(one);
      return { department: text(said.department), partial: said.partial === true, rule: ruleOf(said.rule) };
    }),
  );

/** A grant that is not there yet. */
export interface Plan {
  layer: string;
  department: string;
  rights: Right[];
  fields: string[] | null;
  filter: string | null;
  area: GeoJSON.Geometry | null;
  divisions?: string[];
}

export interface Opened {
  features: number | null;
  of: number | null;
  fields: number;
  areaKm2: number | null;
}

export const wouldOpen = (plan: Plan) =>
  post<unknown>('/api/v1/simulation/grant', { ...plan, filter: plan.filter || null }).then((body): Opened => {
    const said = object(body);
    return { features: number(said.features), of: number(said.of), fields: list(said.fields).length, areaKm2: number(said.area_km2) };
  });
