-- Requests for shared layers, the steps of their approval, their history; what people and departments are told of.

-- Days that are not as the week has them: holidays, and weekends that are worked.
create table onemap.calendar_day (
    day date primary key,
    working boolean not null,
    note text not null default ''
);

-- Who decides on a layer's requests, in which order. Rows without a layer are the department's; without any, its approver decides alone.
create table onemap.approval_step (
    department_id text not null references onemap.department,
    layer_id text references onemap.layer on delete cascade,
    position int not null check (position between 1 and 5),
    approver text not null check (approver in ('requester', 'owner', 'platform')),
    working_days int not null check (working_days between 1 and 60)
);
create unique index on onemap.approval_step (department_id, coalesce(layer_id, ''), position);

create table onemap.request (
    id uuid primary key,
    layer_id text not null references onemap.layer,
    -- As they were when the request was written: what it says stays readable when the layer is no longer known to its writer.
    layer_title_zh text not null,
    layer_title_en text not null,
    owner_id text not null references onemap.department,
    department_id text not null references onemap.department,
    person_id bigint not null references onemap.person,
    state text not null check (state in ('draft', 'submitted', 'returned', 'approved', 'rejected', 'active', 'expired', 'revoked',
        'surrendered')),
    -- Counts every change: who decides says which state of the request was read.
    version int not null default 1,
    purpose text not null,
    legal_basis text not null default '',
    case_number text not null default '',
    -- {"rights": [...], "fields": [...]|null, "filter": text|null, "divisions": [...], "from": date|null, "until": date|null}
    asked jsonb not null,
    asked_area geometry(MultiPolygon, 4490),
    -- What was granted of it, in the same form; null until a decision.
    granted jsonb,
    granted_area geometry(MultiPolygon, 4490),
    valid_from timestamptz,
    valid_until timestamptz,
    grant_id bigint references onemap.access_grant on delete set null,
    -- Whether the end of the term was announced.
    end_announced boolean not null default false,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    submitted_at timestamptz,
    decided_at timestamptz
);
create index on onemap.request (department_id, updated_at desc, id desc);
create index on onemap.request (owner_id, updated_at desc, id desc);
create index on onemap.request (person_id);
create index on onemap.request (layer_id);
create index on onemap.request (valid_until) where state in ('approved', 'active');

-- The steps of one submission. The current one is the first that is pending.
create table onemap.request_step (
    request_id uuid not null references onemap.request on delete cascade,
    position int not null,
    approver text not null check (approver in ('requester', 'owner', 'platform')),
    working_days int not null,
    state text not null default 'pending' check (state in ('pending', 'approved', 'returned', 'rejected')),
    -- The last working day for the decision; null while an earlier step is pending.
    due date,
    reminded_on date,
    decided_by text,
    decided_at timestamptz,
    note text not null default '',
    primary key (request_id, position)
);
create index on onemap.request_step (due) where state = 'pending' and due is not null;

create table onemap.request_event (
    id bigint generated always as identity primary key,
    request_id uuid not null references onemap.request on delete cascade,
    at timestamptz not null default clock_timestamp(),
    -- person:login, or system.
    principal text not null,
    name text not null,
    department_id text,
    action text not null,
    from_state text,
    to_state text not null,
    version int not null,
    note text not null default '',
    detail jsonb not null default '{}'
);
create index on onemap.request_event (request_id, id);

create table onemap.request_attachment (
    request_id uuid primary key references onemap.request on delete cascade,
    filename text not null,
    media text not null check (media in ('application/pdf', 'image/jpeg', 'image/png')),
    size bigint not null,
    sha256 text not null,
    added_by text not null,
    added_at timestamptz not null default now()
);
create index on onemap.request_attachment (sha256);

-- What a person is told, one row for each.
create table onemap.notification (
    id bigint generated always as identity primary key,
    person_id bigint not null references onemap.person on delete cascade,
    -- The department in whose name the person is told: who has moved on does not see it any more.
    department_id text not null references onemap.department,
    kind text not null,
    title_zh text not null,
    title_en text not null,
    -- A path of the portal's interface that tells more.
    link text not null default '',
    request_id uuid references onemap.request on delete cascade,
    created_at timestamptz not null default now(),
    read_at timestamptz
);
create index on onemap.notification (person_id, id desc);
create index on onemap.notification (person_id) where read_at is null;

create table onemap.webhook (
    id uuid primary key,
    department_id text not null references onemap.department,
    url text not null,
    -- Signs what is sent; kept readable, since a signature needs it.
    secret text not null,
    -- Which kinds of events; none means all.
    kinds text[],
    active boolean not null default true,
    created_by text not null,
    created_at timestamptz not null default now()
);
create index on onemap.webhook (department_id);

create table onemap.webhook_delivery (
    id uuid primary key,
    webhook_id uuid not null references onemap.webhook on delete cascade,
    kind text not null,
    body jsonb not null,
    state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
    attempts int not null default 0,
    next_at timestamptz not null default now(),
    last_status int,
    -- One of our own words, never the receiver's text.
    last_problem text,
    created_at timestamptz not null default now(),
    ended_at timestamptz
);
create index on onemap.webhook_delivery (next_at) where state = 'pending';
create index on onemap.webhook_delivery (webhook_id, created_at desc);

-- Wakes open streams of notifications, and those who deliver to webhooks, on every node.
create function onemap.notify_notices() returns trigger language plpgsql as $$
begin
    perform pg_notify('onemap_notices', tg_table_name);
    return null;
end $$;
create trigger notices_changed after insert on onemap.notification
    for each statement execute function onemap.notify_notices();
create trigger notices_changed after insert on onemap.webhook_delivery
    for each statement execute function onemap.notify_notices();

do $$ begin
    if exists (select 1 from information_schema.columns
               where table_schema = 'onemap' and table_name = 'access_grant' and column_name = 'request_id') then
        alter table onemap.access_grant add foreign key (request_id) references onemap.request on delete set null;
    end if;
end $$;

grant select, insert, update, delete on onemap.calendar_day, onemap.approval_step, onemap.request, onemap.request_step,
    onemap.request_attachment, onemap.notification, onemap.webhook, onemap.webhook_delivery to onemap_app, onemap_import;
-- A request's history is written once.
grant select, insert on onemap.request_event to onemap_app, onemap_import;
