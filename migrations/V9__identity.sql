-- Grants with rights, a filter, a term and a reason; people with second factors and a history of passwords; sessions that can be told
-- apart; keys with bounds; keys that sign addresses.

alter table onemap.access_grant
    -- What the grantee may do with what the grant opens. Older grants meant looking, asking and taking along.
    add column rights text[] not null default '{view,query,export}'
        check (cardinality(rights) > 0 and rights <@ array['view', 'query', 'print', 'export', 'write']),
    add column valid_from timestamptz,
    -- CQL2 text over the layer's fields. One that does not fit the published revision closes all rows.
    add column filter text check (octet_length(filter) <= 32768),
    -- Codes of the divisions that the area was made of.
    add column divisions text[],
    add column legal_basis text not null default '',
    add column case_number text not null default '',
    add column request_id uuid,
    add column revoked_by text,
    add column revoke_reason text,
    -- Given back by its holder.
    add column surrendered boolean not null default false,
    add check (valid_from is null or valid_until is null or valid_from < valid_until);
create index on onemap.access_grant (department_id);
comment on column onemap.access_grant.filter is 'CQL2 text: only rows for which it is true, beside row_filter';

alter table onemap.person
    drop constraint person_role_check,
    add constraint person_role_check check (role in
        ('platform_administrator', 'department_administrator', 'publisher', 'approver', 'user', 'auditor')),
    add column password_changed_at timestamptz not null default now(),
    -- Somebody else chose the password: nothing else goes until it is changed.
    add column must_change_password boolean not null default false;
create index on onemap.person (department_id);

-- The passwords before the present one.
create table onemap.password_history (
    id bigint generated always as identity primary key,
    person_id bigint not null references onemap.person on delete cascade,
    password_hash text not null,
    until timestamptz not null default now()
);
create index on onemap.password_history (person_id);

-- Time-based one-time passwords (RFC 6238).
create table onemap.second_factor (
    person_id bigint primary key references onemap.person on delete cascade,
    secret bytea not null,
    -- Null until a first code has shown that the person's device has the secret.
    confirmed_at timestamptz,
    -- The step of the last code that was taken: none is taken twice.
    last_step bigint not null default 0,
    -- SHA-256 of the recovery codes that are left.
    recovery bytea[] not null default '{}'
);

alter table onemap.session
    add column id uuid not null unique default gen_random_uuid(),
    add column address text,
    add column agent text,
    -- The password alone was right: such a session may only bring the code, or enrol.
    add column pending boolean not null default false;
create index on onemap.session (person_id);

-- Whoever is moved, demoted, barred or has another password signs in anew.
create function onemap.end_sessions() returns trigger language plpgsql as $$
begin
    delete from onemap.session where person_id = new.id;
    return null;
end $$;
create trigger sessions_end after update of active, role, department_id on onemap.person
    for each row when (old.active is distinct from new.active or old.role is distinct from new.role
        or old.department_id is distinct from new.department_id)
    execute function onemap.end_sessions();

alter table onemap.app_key
    -- Origins of web pages (scheme://host[:port]) that may use it, and networks it may come from; null is any.
    add column allowed_origins text[],
    add column allowed_addresses cidr[],
    -- Requests a day (in Asia/Shanghai) and a second.
    add column daily_quota bigint check (daily_quota > 0),
    add column rate_limit int check (rate_limit > 0),
    -- The key whose place it takes.
    add column replaces uuid references onemap.app_key,
    add column revoked_by text;
create index on onemap.app_key (department_id);

-- Requests by key and day. Nodes add what they counted every few seconds.
create table onemap.key_use (
    key_id uuid not null references onemap.app_key on delete cascade,
    day date not null,
    requests bigint not null,
    primary key (key_id, day)
);

-- Secrets that sign addresses (HMAC-SM3), named by `kid`. One that is revoked takes its addresses along.
create table onemap.signing_key (
    id text primary key,
    department_id text not null references onemap.department,
    label text not null,
    secret bytea not null,
    -- What the addresses are for: the layers, the beginning of the path, the page they may stand in.
    layers text[] not null,
    path text not null,
    origin text,
    expires_at timestamptz not null,
    created_by text not null,
    created_at timestamptz not null default now(),
    revoked_at timestamptz
);
create index on onemap.signing_key (department_id);
create trigger identity_changed after update or delete on onemap.signing_key
    for each statement execute function onemap.notify_catalog();

grant select, insert, update, delete on onemap.password_history, onemap.second_factor, onemap.key_use, onemap.signing_key
    to onemap_app, onemap_import;
grant usage, select on all sequences in schema onemap to onemap_app, onemap_import;
