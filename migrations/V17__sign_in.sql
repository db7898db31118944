-- Sessions that end when they lie idle; accounts at an OpenID provider; certificates of clients as second factors.

alter table onemap.session
    -- To the minute: written when the one that stands here is older than that.
    add column last_used_at timestamptz not null default now(),
    add column opened_by text not null default 'password' check (opened_by in ('password', 'oidc')),
    -- The person has a second factor that was not shown in this session: it is good for nothing but showing it.
    add column unproved boolean not null default false;

-- Who is who at an OpenID provider. An account is linked by its subject, or by what the provider calls it (the claim that the settings
-- name): then the first sign-in puts the subject beside it, which stays the same when names and addresses change.
create table onemap.external_account (
    id bigint generated always as identity primary key,
    person_id bigint not null references onemap.person on delete cascade,
    issuer text not null,
    subject text check (length(subject) between 1 and 255),
    name text check (length(name) between 1 and 255),
    linked_by text not null,
    linked_at timestamptz not null default now(),
    last_used_at timestamptz,
    check (subject is not null or name is not null),
    unique (issuer, subject)
);
create index on onemap.external_account (person_id);
-- As addresses are: without regard to capitals.
create unique index external_account_name on onemap.external_account (issuer, lower(name));

-- Sign-ins at the provider that have been completed: none is completed twice.
create table onemap.spent_sign_in (
    digest bytea primary key,
    until timestamptz not null
);
create index on onemap.spent_sign_in (until);

-- Certificates by their SHA-256. Whose it is and how long it is valid is read from the certificate itself each time it is shown; what
-- stands here is what was read last.
create table onemap.certificate (
    id bigint generated always as identity primary key,
    person_id bigint not null references onemap.person on delete cascade,
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    label text not null check (length(label) <= 100),
    subject text,
    valid_from timestamptz,
    valid_until timestamptz,
    registered_by text not null,
    registered_at timestamptz not null default now(),
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text
);
create index on onemap.certificate (person_id);
create unique index certificate_fingerprint on onemap.certificate (fingerprint) where revoked_at is null;

grant select, insert, update, delete on onemap.external_account, onemap.spent_sign_in, onemap.certificate
    to onemap_app, onemap_import;
grant usage, select on all sequences in schema onemap to onemap_app, onemap_import;
