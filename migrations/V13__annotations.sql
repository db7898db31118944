-- Annotation layers, which a department's people draw on, and the photos of their marks.

-- Its features are marks, each with an author; every person of the owning department may add some.
alter table onemap.layer add column annotation boolean not null default false;

-- A photo of a mark, as it is given out: decoded and written anew, without anything that the camera noted. Kept in the database, so that
-- it comes and goes with its mark in one transaction.
create table onemap.mark_photo (
    id uuid primary key,
    layer_id text not null references onemap.layer on delete cascade,
    -- The mark's id in its layer.
    mark bigint not null,
    department_id text not null references onemap.department,
    width int not null,
    height int not null,
    picture bytea not null,
    thumbnail bytea not null,
    bytes bigint generated always as (octet_length(picture) + octet_length(thumbnail)) stored,
    created_by text not null,
    created_at timestamptz not null default now()
);
-- JPEG does not become smaller.
alter table onemap.mark_photo alter column picture set storage external, alter column thumbnail set storage external;
create index on onemap.mark_photo (layer_id, mark);
create index on onemap.mark_photo (department_id);
grant select, insert, delete on onemap.mark_photo to onemap_app, onemap_import;

-- What counts against a department's quota: uploads, files of addresses, photos.
create function onemap.kept_bytes(department text) returns bigint language sql stable set search_path = pg_catalog, pg_temp as $$
    select ((select coalesce(sum(size), 0) from onemap.upload where department_id = department)
        + (select coalesce(sum(bytes), 0) from onemap.address_file where department_id = department)
        + (select coalesce(sum(bytes), 0) from onemap.mark_photo where department_id = department))::bigint
$$;

-- A mark's photos go with it, also when it is removed by SQL.
create function onemap.forget_photos() returns trigger language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    layer constant text := (select layer_id from onemap.revision where id = substr(tg_table_name, 2)::bigint);
begin
    if tg_op = 'TRUNCATE' then
        delete from onemap.mark_photo where layer_id = layer;
    else
        delete from onemap.mark_photo p using old_rows o where p.layer_id = layer and p.mark = o.fid;
    end if;
    return null;
end $$;
revoke all on function onemap.forget_photos() from public;
grant execute on function onemap.forget_photos() to onemap_import;

-- Makes a revision's table one of marks: a mark has a place.
create function onemap.open_to_marks(id bigint) returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    target constant text := format('data.r%s', id);
begin
    execute format('alter table %s alter column geom set not null', target);
    execute format('create trigger marks_deleted after delete on %s referencing old table as old_rows
        for each statement execute function onemap.forget_photos()', target);
    execute format('create trigger marks_truncated after truncate on %s
        for each statement execute function onemap.forget_photos()', target);
end $$;
revoke all on function onemap.open_to_marks(bigint) from public;
grant execute on function onemap.open_to_marks(bigint) to onemap_import;
