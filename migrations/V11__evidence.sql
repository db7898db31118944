-- Evidence of every access: records in partitions by month, blocks that chain them, seals, and the trail of writes joined to the chain.

-- An installation that writes a chain of its own. Its name was drawn by lot at its first start.
create table onemap.evidence_node (
    id int generated always as identity primary key,
    name text not null unique,
    -- SM2, the point uncompressed, in hexadecimal.
    public_key text not null,
    created_at timestamptz not null default now()
);

-- Blocks stay when their records are dropped: the chain is whole from its first block on.
create table onemap.evidence_block (
    node int not null references onemap.evidence_node,
    number bigint not null check (number > 0),
    at timestamptz not null,
    count int not null,
    -- SM3 of the records' digests, of the block before, of this block.
    records bytea not null,
    previous bytea not null,
    digest bytea not null,
    primary key (node, number)
);
create index on onemap.evidence_block (at);

create table onemap.evidence (
    -- When the record's block was closed: soon after `at`. Partitions go by it, so that a block lies in one of them.
    kept_at timestamptz not null,
    node int not null,
    block bigint not null,
    place int not null,
    -- The first 64 bits of the record's SM3: which record of a block was changed.
    digest_check bigint not null,
    at timestamptz not null,
    department text,
    who text not null,
    address text,
    origin text,
    operation text not null,
    layer text,
    owner text,
    revision int,
    grant_id bigint,
    purpose text,
    request text,
    status smallint not null,
    complete boolean not null,
    requests int not null,
    "rows" bigint not null,
    bytes bigint not null,
    -- West, south, east, north in EPSG:4490.
    extent double precision[],
    filter text,
    fields text[],
    features bigint[],
    tiles bytea,
    audit_id bigint,
    detail text
) partition by range (kept_at);
-- The lists of tiles hardly compress.
alter table onemap.evidence alter column tiles set storage external;

comment on table onemap.evidence is 'who saw or did what: written once; the bytes that a record is digested as stand in crates/evidence';
comment on column onemap.evidence.features is 'ids of the features that were given, ascending, when there were at most 1,000';
comment on column onemap.evidence.tiles is 'LEB128 numbers, five a tile: milliseconds after at, zoom, column, row, bytes';

-- A key for each feature of each layer, so that one index finds who saw a feature.
create function onemap.feature_keys(layer text, features bigint[]) returns bigint[]
    language sql immutable parallel safe
    return (select array_agg(hashtextextended(layer, f)) from unnest(features) f);

create index evidence_by_at on onemap.evidence (at);
create index evidence_by_layer on onemap.evidence (layer, at) where layer is not null;
create index evidence_by_department on onemap.evidence (department, at) where department is not null;
create index evidence_by_owner on onemap.evidence (owner, at) where owner is not null;
create index evidence_by_who on onemap.evidence (who, at);
create index evidence_by_operation on onemap.evidence (operation, at);
create index evidence_by_block on onemap.evidence (node, block);
-- Who changed a feature: the log of edits names it in its detail, and there are few edits beside many readings.
create index evidence_by_write on onemap.evidence (layer, at) where audit_id is not null and layer is not null;
create index evidence_by_feature on onemap.evidence using gin (onemap.feature_keys(layer, features)) where features is not null;

-- Figures of use, derived from the records as they are written. They are no evidence and can be made anew.
create table onemap.evidence_day (
    day date not null,
    node int not null,
    owner text not null,
    layer text not null,
    department text not null,
    operation text not null,
    requests bigint not null,
    refused bigint not null,
    "rows" bigint not null,
    bytes bigint not null,
    primary key (day, layer, department, operation, owner, node)
);

create table onemap.evidence_seal (
    node int not null references onemap.evidence_node,
    block bigint not null,
    records bigint not null,
    digest text not null,
    file text not null,
    at timestamptz not null default now(),
    primary key (node, block)
);

-- Months whose records were dropped by their age.
create table onemap.evidence_dropped (
    month date primary key,
    "rows" bigint not null,
    at timestamptz not null default now()
);

-- Rows of the trail of writes that no block has taken yet.
create table onemap.audit_pending (audit_id bigint primary key);
insert into onemap.audit_pending select id from onemap.audit;

create function onemap.audit_pending() returns trigger language plpgsql as $$
begin
    insert into onemap.audit_pending values (new.id);
    return null;
end $$;
create trigger chain after insert on onemap.audit for each row execute function onemap.audit_pending();

-- The second net below the roles' rights.
create function onemap.written_once() returns trigger language plpgsql as $$
begin
    raise exception '% is written once', tg_table_name using errcode = 'insufficient_privilege';
end $$;

do $$
declare
    one text;
begin
    foreach one in array array['evidence', 'evidence_block', 'evidence_node', 'evidence_seal', 'evidence_dropped', 'audit'] loop
        execute format('create trigger written_once before update or delete on onemap.%I for each row
            execute function onemap.written_once()', one);
        execute format('create trigger never_emptied before truncate on onemap.%I for each statement
            execute function onemap.written_once()', one);
    end loop;
end $$;

-- The partition of a month of China's calendar, made ahead by the owner. Triggers of single rows come along with a partition; those of
-- whole statements do not.
create function onemap.make_evidence_partition(month date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', month);
    name text := 'evidence_' || to_char(first, 'YYYYMM');
begin
    if to_regclass('onemap.' || name) is not null then
        return;
    end if;
    execute format('create table onemap.%I partition of onemap.evidence for values from (%L) to (%L)', name,
        first::timestamp at time zone 'Asia/Shanghai', (first + interval '1 month')::timestamp at time zone 'Asia/Shanghai');
    execute format('create trigger never_emptied before truncate on onemap.%I for each statement
        execute function onemap.written_once()', name);
    execute format('alter table onemap.%I set (autovacuum_vacuum_insert_scale_factor = 0.2)', name);
end $$;
revoke execute on function onemap.make_evidence_partition(date) from public;

grant select, insert on onemap.evidence, onemap.evidence_block, onemap.evidence_node, onemap.evidence_seal to onemap_app;
grant select on onemap.evidence_dropped to onemap_app;
grant select, insert, update on onemap.evidence_day to onemap_app;
-- Rows are locked while they are taken, which asks for the right to update.
grant select, insert, update, delete on onemap.audit_pending to onemap_app;
grant insert on onemap.audit_pending to onemap_import;
grant usage, select on all sequences in schema onemap to onemap_app, onemap_import;
