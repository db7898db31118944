-- Layers whose rows are addresses: which field holds which element, and which source comes first.

create table onemap.address_source (
    layer_id text primary key references onemap.layer on delete cascade,
    -- {"road": "field", …}: elements of an address by their names, and full, alias, key.
    mapping jsonb not null check (jsonb_typeof(mapping) = 'object'),
    priority int not null default 100 check (priority between 0 and 255),
    updated_by text not null,
    updated_at timestamptz not null default now()
);
comment on table onemap.address_source is 'layers that address matching searches; each node keeps an index of each of them';
comment on column onemap.address_source.priority is 'of two equally good answers the one of the smaller number comes first';

create trigger catalog_changed after insert or update or delete on onemap.address_source
    for each statement execute function onemap.notify_catalog();
grant select, insert, update, delete on onemap.address_source to onemap_app, onemap_import;
