-- Thematic layers, and layers whose small counts are not told.

alter table onemap.layer
    -- {"k", "zones", "zone_code", "code", "field"}: what is counted from this layer for others is counted over one fixed table, and
    -- counts below k are withheld together with what would give them away.
    add column suppression jsonb,
    add column suppression_k int generated always as ((suppression ->> 'k')::int) stored
        check (suppression_k between 2 and 1000);
comment on column onemap.layer.suppression_k is 'counts from this layer above zero and below k are not published; null: all are';

-- What a thematic layer is made of. Its rows are the layer's, what was worked out for them (classes, legend, histogram, report) stands in
-- the report of each revision.
create table onemap.thematic_layer (
    layer_id text primary key references onemap.layer on delete cascade,
    definition jsonb not null check (jsonb_typeof(definition) = 'object'),
    -- Of the newest computation.
    job uuid,
    created_by text not null,
    created_at timestamptz not null default now(),
    updated_by text not null,
    updated_at timestamptz not null default now()
);
comment on table onemap.thematic_layer is 'layers that are worked out of a table and zones';
grant select, insert, update, delete on onemap.thematic_layer to onemap_app, onemap_import;
