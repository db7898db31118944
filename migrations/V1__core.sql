-- The platform's own tables (schema onemap), the revisions' tables (schema data) and the stable views (schema map).

create extension if not exists postgis;

create schema onemap;
create schema data;
create schema map;

comment on schema onemap is 'the platform: departments, people, keys, layers, grants, audit, jobs';
comment on schema data is 'one table per layer revision, immutable once published';
comment on schema map is 'one view per layer: its published revision, under a stable name';

-- Three roles: the owner (who migrates), the application, the importer. Cluster-wide, so they may exist already.
do $$ begin create role onemap_app nologin; exception when duplicate_object or unique_violation then null; end $$;
do $$ begin create role onemap_import nologin; exception when duplicate_object or unique_violation then null; end $$;
grant onemap_app, onemap_import to current_user;

create table onemap.theme (
    id text primary key,
    position int not null,
    title_zh text not null,
    title_en text not null
);

create table onemap.department (
    id text primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    code text not null default '',
    title_zh text not null,
    title_en text not null,
    quota_bytes bigint,
    created_at timestamptz not null default now()
);

create table onemap.person (
    id bigint generated always as identity primary key,
    login text not null unique check (length(login) between 1 and 100),
    name text not null,
    department_id text not null references onemap.department,
    role text not null check (role in ('platform_administrator', 'department_administrator', 'publisher', 'user', 'auditor')),
    password_hash text not null,
    active boolean not null default true,
    failures int not null default 0,
    locked_until timestamptz,
    created_at timestamptz not null default now()
);

create table onemap.session (
    token_hash bytea primary key,
    person_id bigint not null references onemap.person on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);
create index on onemap.session (expires_at);

-- A department's application keys. Only the SHA-256 is kept: a key has 190 random bits, so a slow hash adds nothing.
create table onemap.app_key (
    id uuid primary key,
    department_id text not null references onemap.department,
    label text not null,
    prefix text not null,
    key_hash bytea not null unique,
    created_by text not null,
    created_at timestamptz not null default now(),
    expires_at timestamptz,
    revoked_at timestamptz
);

create table onemap.layer (
    id text primary key check (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
    department_id text not null references onemap.department,
    theme_id text references onemap.theme,
    title_zh text not null,
    title_en text not null,
    abstract_zh text not null default '',
    abstract_en text not null default '',
    share_class text not null check (share_class in ('unconditional', 'conditional', 'not_shared')),
    anonymous boolean not null default false,
    style text,
    source text not null default '',
    synthetic boolean not null default false,
    -- Null for a layer of revisions; for a table or view shared as it stands, where it is.
    registered_schema text,
    registered_table text,
    registered_key text,
    registered_geometry text,
    current_revision bigint,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check (not anonymous or share_class = 'unconditional')
);

create table onemap.revision (
    id bigint generated always as identity primary key,
    layer_id text not null references onemap.layer,
    number int not null,
    -- staging: being filled; staged: complete, waiting for its publication; the rest says itself.
    state text not null check (state in ('staging', 'staged', 'published', 'superseded')),
    table_name text not null unique,
    feature_count bigint not null default 0,
    geometry_type text,
    srid int not null,
    bbox double precision[],
    fields jsonb not null,
    key_field text,
    report jsonb,
    note text not null default '',
    created_by text not null,
    created_at timestamptz not null default now(),
    published_at timestamptz,
    unique (layer_id, number)
);
alter table onemap.layer add foreign key (current_revision) references onemap.revision;

-- What one department may read of one conditionally shared layer. The area is in EPSG:4490.
create table onemap.access_grant (
    id bigint generated always as identity primary key,
    layer_id text not null references onemap.layer on delete cascade,
    department_id text not null references onemap.department,
    fields text[],
    -- {"field": ["value", ...], ...}: every named field must hold one of its values.
    row_filter jsonb,
    area geometry(MultiPolygon, 4490),
    purpose text not null,
    valid_until timestamptz,
    revoked_at timestamptz,
    granted_by text not null,
    created_at timestamptz not null default now()
);
create index on onemap.access_grant (layer_id);

create table onemap.audit (
    id bigint generated always as identity primary key,
    at timestamptz not null default now(),
    principal text not null,
    department_id text,
    action text not null,
    object_kind text not null,
    object_id text not null,
    detail jsonb not null default '{}',
    request_id text
);
create index on onemap.audit (object_kind, object_id, at);
create index on onemap.audit (at);

create table onemap.upload (
    id uuid primary key,
    department_id text not null references onemap.department,
    created_by text not null,
    filename text not null,
    size bigint not null check (size >= 0),
    state text not null check (state in ('receiving', 'received', 'inspecting', 'inspected', 'loading', 'loaded',
        'published', 'failed')),
    inspection jsonb,
    problem jsonb,
    layer_id text,
    revision int,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create index on onemap.upload (department_id);

create table onemap.job (
    id uuid primary key,
    kind text not null,
    department_id text not null references onemap.department,
    created_by text not null,
    -- Who is authorised again when the job runs: {"person": id} or {"key": id}.
    principal jsonb not null,
    state text not null default 'queued' check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    input jsonb not null,
    stage text not null default '',
    done bigint not null default 0,
    total bigint,
    result jsonb,
    problem jsonb,
    attempts int not null default 0,
    cancel_requested boolean not null default false,
    created_at timestamptz not null default now(),
    started_at timestamptz,
    heartbeat_at timestamptz,
    finished_at timestamptz
);
create index on onemap.job (created_at) where state in ('queued', 'running');

-- Every change of what is shared with whom tells all nodes to read their snapshots anew.
create function onemap.notify_catalog() returns trigger language plpgsql as $$
begin
    perform pg_notify('onemap_catalog', tg_table_name);
    return null;
end $$;
create trigger catalog_changed after insert or update or delete on onemap.layer
    for each statement execute function onemap.notify_catalog();
create trigger catalog_changed after insert or update or delete on onemap.access_grant
    for each statement execute function onemap.notify_catalog();
create trigger catalog_changed after insert or update or delete on onemap.department
    for each statement execute function onemap.notify_catalog();
create trigger identity_changed after update or delete on onemap.person
    for each statement execute function onemap.notify_catalog();
create trigger identity_changed after update or delete on onemap.app_key
    for each statement execute function onemap.notify_catalog();
-- Row by row: clearing out expired sessions, which mostly finds none, must not stir every node.
create trigger identity_changed after delete on onemap.session
    for each row execute function onemap.notify_catalog();

grant usage on schema onemap, data, map to onemap_app, onemap_import;
grant create on schema data, map to onemap_import;
grant select, insert, update, delete on all tables in schema onemap to onemap_app, onemap_import;
grant usage, select on all sequences in schema onemap to onemap_app, onemap_import;
-- The audit trail is written once: nobody but the owner changes or removes a row.
revoke update, delete on onemap.audit from onemap_app, onemap_import;
alter default privileges for role onemap_import in schema data grant select on tables to onemap_app;
alter default privileges for role onemap_import in schema map grant select on tables to onemap_app;
