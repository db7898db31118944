-- Records are found by clues of some thousand of them, not by indexes over each: what is written of a record does not grow with the ways
-- of searching. Clues are no evidence; whoever empties both tables has them made anew.

-- Blocks of a chain, one after the other, that are searched together.
create table onemap.evidence_stretch (
    id bigint generated always as identity primary key,
    node int not null references onemap.evidence_node,
    "first" bigint not null,
    "last" bigint not null check ("last" >= "first"),
    -- When its first and its last block were closed: in one month.
    kept_since timestamptz not null,
    kept_until timestamptz not null,
    -- The times of its records; "until" is not before kept_until.
    since timestamptz not null,
    until timestamptz not null,
    unique (node, "last")
);
create index on onemap.evidence_stretch using gist (tstzrange(since, until, '[]'));

-- A hash of what some of a stretch's records have (src/evidence/clues.rs).
create table onemap.evidence_clue (
    key bigint not null,
    -- The stretch's.
    until timestamptz not null,
    stretch bigint not null,
    primary key (key, until, stretch)
) partition by range (until);

create or replace function onemap.make_evidence_partition(month date) returns void language plpgsql as $$
declare
    first date := date_trunc('month', month);
    since timestamptz := first::timestamp at time zone 'Asia/Shanghai';
    until timestamptz := (first + interval '1 month')::timestamp at time zone 'Asia/Shanghai';
    records text := 'evidence_' || to_char(first, 'YYYYMM');
    clues text := 'evidence_clue_' || to_char(first, 'YYYYMM');
begin
    if to_regclass('onemap.' || records) is null then
        execute format('create table onemap.%I partition of onemap.evidence for values from (%L) to (%L)', records, since, until);
        execute format('create trigger never_emptied before truncate on onemap.%I for each statement
            execute function onemap.written_once()', records);
        execute format('alter table onemap.%I set (autovacuum_vacuum_insert_scale_factor = 0.2)', records);
    end if;
    if to_regclass('onemap.' || clues) is null then
        execute format('create table onemap.%I partition of onemap.evidence_clue for values from (%L) to (%L)', clues, since, until);
        execute format('alter table onemap.%I set (autovacuum_vacuum_insert_scale_factor = 0.2)', clues);
    end if;
end $$;

do $$
declare
    one text;
begin
    for one in select right(c.relname, 6) from pg_inherits i join pg_class c on c.oid = i.inhrelid
               where i.inhparent = 'onemap.evidence'::regclass and c.relname ~ '^evidence_[0-9]{6}$' loop
        perform onemap.make_evidence_partition(to_date(one, 'YYYYMM'));
    end loop;
end $$;

drop index onemap.evidence_by_at;
drop index onemap.evidence_by_layer;
drop index onemap.evidence_by_department;
drop index onemap.evidence_by_owner;
drop index onemap.evidence_by_who;
drop index onemap.evidence_by_operation;
drop index onemap.evidence_by_write;
drop index onemap.evidence_by_feature;
drop function onemap.feature_keys(text, bigint[]);

-- When chains were read again, and what came of it: a notice for people, no proof.
create table onemap.evidence_verification (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    by text not null,
    -- All of the chains, or those of a time.
    whole boolean not null,
    chains bigint not null,
    blocks bigint not null,
    records bigint not null,
    seals bigint not null,
    faults bigint not null
);
create index on onemap.evidence_verification (whole, at desc);
create trigger written_once before update or delete on onemap.evidence_verification for each row
    execute function onemap.written_once();

grant select, insert on onemap.evidence_stretch, onemap.evidence_clue, onemap.evidence_verification to onemap_app;
grant usage, select on all sequences in schema onemap to onemap_app;
