-- Styles that departments keep; jobs as processes show them; edits by SQL in the audit trail.

-- Numbers of the states of styles. Never given again: a style that was deleted and made anew is another.
create sequence onemap.style_version;
grant usage on sequence onemap.style_version to onemap_app, onemap_import;

create table onemap.style (
    id text primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    department_id text not null references onemap.department,
    -- A MapLibre style over layers of the platform. Its sources, glyphs and sprite are written anew whenever it is served.
    document jsonb not null,
    -- What is said of it: title, description, keywords, pointOfContact, license.
    metadata jsonb not null default '{}',
    -- The layers it draws.
    layers text[] not null,
    -- Another with each change: nodes read anew what has another one.
    version bigint not null default nextval('onemap.style_version'),
    created_by text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index on onemap.style (department_id);
create trigger catalog_changed after insert or update or delete on onemap.style
    for each statement execute function onemap.notify_catalog();
grant select, insert, update, delete on onemap.style to onemap_app, onemap_import;

-- The style that shows a layer to whoever did not choose one.
alter table onemap.layer add column default_style text references onemap.style on delete set null;

-- A job that is over and that somebody dismissed is no longer listed among the processes' jobs.
alter table onemap.job add column dismissed_at timestamptz;
create index on onemap.job (department_id, created_at);

-- As before, and a row in the audit trail for edits by SQL: who, which statement, how many features and which. What the platform
-- itself writes, under its own two roles, has rows that name the person. Nobody else can take these roles on.
create or replace function onemap.log_edit() returns trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
declare
    -- With more changes than this a tile index is made anew sooner than brought up to date.
    most constant bigint := 20000;
    -- More ids than this are only counted in the audit trail.
    most_named constant int := 1000;
    this_revision constant bigint := substr(tg_table_name, 2)::bigint;
    touched bigint;
    change bigint := 0;
    named bigint[];
    extent public.box3d;
begin
    if tg_op = 'TRUNCATE' then
        change := null;
    elsif tg_op = 'DELETE' then
        select count(*), -count(*) into touched, change from old_rows;
        if touched <= most then
            select array_agg(fid) into named from old_rows;
        end if;
    else
        select count(*) into touched from new_rows;
        if tg_op = 'INSERT' then
            change := touched;
            if touched <= most then
                select array_agg(fid) into named from new_rows;
            end if;
        elsif touched <= most then
            select array_agg(fid) into named from (select fid from old_rows union select fid from new_rows) both_rows;
        end if;
        if tg_argv[0] = 'geom' then
            select public.st_extent(geom)::public.box3d into extent from new_rows;
        end if;
    end if;
    -- A statement that found nothing changed nothing.
    if touched = 0 then
        return null;
    end if;
    insert into onemap.edit (revision, fids, added, box)
    values (this_revision, named, change, case when extent is not null then
        array[public.st_xmin(extent), public.st_ymin(extent), public.st_xmax(extent), public.st_ymax(extent)] end);
    if current_setting('role') not in ('onemap_app', 'onemap_import') then
        insert into onemap.audit (principal, action, object_kind, object_id, detail)
        select 'sql:' || session_user, lower(tg_op), 'layer', r.layer_id, jsonb_build_object('revision', r.number,
            'features', touched, 'ids', case when cardinality(named) <= most_named then to_jsonb(named) end)
        from onemap.revision r where r.id = this_revision;
    end if;
    perform pg_notify('onemap_edit', substr(tg_table_name, 2));
    return null;
end $$;
