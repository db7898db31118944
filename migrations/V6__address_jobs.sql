-- Address matching of whole files: jobs that keep a checkpoint, their files and results, and what people decided.

alter table onemap.job
    -- How far the work is, in the job's own words; moved in the transaction that did the work. A job that has one goes on from there.
    add column checkpoint jsonb,
    -- Counts the starts. A worker that was taken for dead and is not finds another number here, and its work is refused.
    add column run int not null default 0,
    -- `done` at the last start: what the rate is reckoned from.
    add column done_before bigint not null default 0,
    add column pause_requested boolean not null default false,
    drop constraint job_state_check,
    add constraint job_state_check
        check (state in ('queued', 'running', 'paused', 'succeeded', 'failed', 'cancelled'));
comment on column onemap.job.checkpoint is 'how far a resumable job is; null for one that begins anew';

-- The results of address jobs: one table per job, made and dropped with it.
create schema address;
comment on schema address is 'one table of results per address job';
grant usage on schema address to onemap_app, onemap_import;
grant create on schema address to onemap_import;
alter default privileges for role onemap_import in schema address grant select on tables to onemap_app;

-- The addresses of a job, as they were given: a file of UTF-8 CSV in the data directory, `address/<id>.csv`.
create table onemap.address_file (
    id uuid primary key,
    department_id text not null references onemap.department,
    -- The name it came under; for rows read from a layer, the layer's id.
    filename text not null,
    layer_id text,
    -- What it was before it was rewritten.
    format text not null,
    encoding text not null,
    bytes bigint not null,
    rows bigint not null,
    -- [{"name", "sample": [...], "guess"}]
    columns jsonb not null,
    created_at timestamptz not null default now()
);
create index on onemap.address_file (department_id);

create table onemap.address_job (
    id uuid primary key,
    department_id text not null references onemap.department,
    created_by text not null,
    file_id uuid not null references onemap.address_file,
    -- The durable job; its state is this one's. Null: a draft.
    job_id uuid references onemap.job,
    columns text[] not null default '{}',
    -- The layers to look in; null is all that may be read.
    only_layers text[],
    auto real not null default 0.9,
    reject real not null default 0.3,
    -- The layers that answers came from; a result names one by its place in this list, which only grows.
    sources text[] not null default '{}',
    -- The job whose answers these are held against.
    compare_to uuid references onemap.address_job on delete set null,
    comparison jsonb,
    created_at timestamptz not null default now()
);
create index on onemap.address_job (department_id, created_at);
create index on onemap.address_job (file_id);

-- The divisions that a job's answers lie in, each once.
create table onemap.address_job_division (
    job_id uuid not null references onemap.address_job on delete cascade,
    id int not null,
    district text not null,
    town text not null,
    community text not null,
    primary key (job_id, id)
);

-- What a department's people decided for a text: from then on it is answered so.
create table onemap.address_alias (
    id bigint generated always as identity primary key,
    department_id text not null references onemap.department,
    -- The text, normalised.
    key text not null,
    text text not null,
    kind text not null check (kind in ('pick', 'place', 'reject')),
    -- pick: the layer, its feature (null for a road or another place without a row of its own) and the revision that it is of:
    -- in another one the same number is another row.
    layer_id text,
    feature bigint,
    revision bigint,
    label text,
    lon double precision,
    lat double precision,
    match_level text,
    coordinate_level text,
    district text not null default '',
    town text not null default '',
    community text not null default '',
    -- Who, when and why; where it was decided; its row of the audit trail.
    decided_by text not null,
    decided_at timestamptz not null default now(),
    note text not null default '',
    job_id uuid,
    job_row bigint,
    audit_id bigint not null,
    unique (department_id, key),
    check ((kind = 'reject') = (lon is null))
);

-- Moves with every change of a department's aliases, so that nodes see whether what they keep is still true.
create table onemap.address_alias_version (
    department_id text primary key references onemap.department,
    version bigint not null
);

-- Decisions on rows of a job, the same as the aliases but kept with the job whatever becomes of those.
create table onemap.address_decision (
    job_id uuid not null references onemap.address_job on delete cascade,
    job_row bigint not null,
    kind text not null check (kind in ('pick', 'place', 'reject')),
    layer_id text,
    feature bigint,
    revision bigint,
    label text,
    lon double precision,
    lat double precision,
    match_level text,
    coordinate_level text,
    district text not null default '',
    town text not null default '',
    community text not null default '',
    decided_by text not null,
    decided_at timestamptz not null default now(),
    note text not null default '',
    audit_id bigint not null,
    primary key (job_id, job_row)
);

grant select, insert, update, delete on onemap.address_file, onemap.address_job, onemap.address_job_division,
    onemap.address_alias, onemap.address_alias_version, onemap.address_decision to onemap_app, onemap_import;
grant usage, select on all sequences in schema onemap to onemap_app, onemap_import;
