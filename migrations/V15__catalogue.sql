-- The catalogue after the compilation guide of 2017 (政务信息资源目录编制指南（试行）): a record for each layer, and for what is no layer.

-- 类·项·目 of a department's resources under a theme, and the last 顺序码 in it.
create table onemap.catalogue_category (
    code text primary key check (code ~ '^[1-9][0-9]{5}$'),
    department_id text not null references onemap.department,
    theme_id text references onemap.theme,
    last_number int not null default 0
);
create unique index on onemap.catalogue_category (department_id, coalesce(theme_id, ''));

create table onemap.catalogue_record (
    id bigint generated always as identity primary key,
    -- 类 1 digit, 项 2, 目 3, 细目 any, then / and the 顺序码.
    code text not null unique check (code ~ '^[1-9][0-9]{5}[0-9]{0,6}/[0-9]{1,9}$'),
    department_id text not null references onemap.department,
    layer_id text unique references onemap.layer on delete cascade,
    theme_id text references onemap.theme,
    kind text not null check (kind in ('layer', 'service', 'offline', 'planned')),
    name text not null check (length(name) between 1 and 200),
    name_en text not null default '',
    abstract text not null default '',
    format text not null default '',
    -- [{"name", "title", "type", "length", "sensitivity"}]
    items jsonb not null default '[]',
    share_class text not null check (share_class in ('unconditional', 'conditional', 'not_shared')),
    share_condition text not null default '',
    share_mode text not null default '',
    -- 是否向社会开放
    openness text not null default 'closed' check (openness in ('open', 'conditional', 'closed')),
    open_condition text not null default '',
    update_cycle text not null default 'irregular' check (update_cycle in ('realtime', 'daily', 'weekly', 'monthly', 'quarterly',
        'half_yearly', 'yearly', 'irregular')),
    published_on date,
    data_updated_at timestamptz,
    related text[] not null default '{}',
    -- As its layer is: whoever has no credential sees only such.
    anonymous boolean not null default false,
    version int not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- What is searched, and its single characters and pairs: Chinese has no spaces between words.
    search_text text not null default '',
    grams text[] not null default '{}'
);
create index catalogue_grams on onemap.catalogue_record using gin (grams) with (fastupdate = off);
create index on onemap.catalogue_record (department_id, id);
create index on onemap.catalogue_record (theme_id);

-- Single characters and pairs of a text, without regard to case; spaces part words.
create function onemap.grams(given text) returns text[] language sql immutable parallel safe as $$
    select coalesce(array_agg(distinct gram), '{}') from (
        select substr(word, i, n) as gram
        from regexp_split_to_table(lower(left(given, 4000)), '\s+') word, generate_series(1, length(word)) i, generate_series(1, 2) n
        where i + n - 1 <= length(word)) grams
$$;

create function onemap.catalogue_searched() returns trigger language plpgsql as $$
begin
    new.search_text := lower(concat_ws(' ', new.name, new.name_en, new.code, new.layer_id, new.abstract,
        (select string_agg(concat_ws(' ', i->>'name', i->>'title'), ' ') from jsonb_array_elements(new.items) i)));
    new.grams := onemap.grams(new.search_text);
    return new;
end $$;
create trigger searched before insert or update of name, name_en, code, abstract, items on onemap.catalogue_record
    for each row execute function onemap.catalogue_searched();

-- The next code of a department under a theme. Departments are 部门信息资源 (类 3); each has a 项 of its own as long as there are such,
-- a theme is a 目 in it.
create function onemap.catalogue_code(department text, theme text) returns text language plpgsql as $$
declare
    category text;
    item int;
    number int;
begin
    update onemap.catalogue_category set last_number = last_number + 1
        where department_id = department and coalesce(theme_id, '') = coalesce(theme, '')
        returning code, last_number into category, number;
    if category is null then
        perform pg_advisory_xact_lock(hashtext('onemap.catalogue_category'));
        select min(substr(code, 2, 2)::int) into item from onemap.catalogue_category where department_id = department;
        if item is null then
            select least(coalesce(max(substr(code, 2, 2)::int), 0) + 1, 99) into item from onemap.catalogue_category;
        end if;
        insert into onemap.catalogue_category (code, department_id, theme_id, last_number)
            select '3' || lpad(item::text, 2, '0') || lpad((coalesce(max(substr(code, 4, 3)::int), 0) + 1)::text, 3, '0'),
                department, theme, 1
            from onemap.catalogue_category where substr(code, 2, 2)::int = item
            on conflict (department_id, coalesce(theme_id, '')) do update set last_number = catalogue_category.last_number + 1
            returning code, last_number into category, number;
    end if;
    return category || '/' || lpad(number::text, 6, '0');
end $$;

-- A layer's record: made when something of it is first published, then following what the layer says of itself. What its department
-- adds (items' lengths and sensitivity, conditions, cycle, related resources) stays.
create function onemap.catalogue_layer(of_layer text) returns void language plpgsql as $$
declare
    l record;
begin
    select layer.*, r.fields, r.archive, r.published_at into l
        from onemap.layer left join onemap.revision r on r.id = layer.current_revision where layer.id = of_layer;
    if l.current_revision is null and l.registered_table is null then
        return;
    end if;
    update onemap.catalogue_record set name = coalesce(nullif(left(l.title_zh, 200), ''), l.id), name_en = left(l.title_en, 200), abstract = l.abstract_zh,
            theme_id = l.theme_id, share_class = l.share_class, anonymous = l.anonymous, department_id = l.department_id,
            data_updated_at = coalesce(l.published_at, data_updated_at), updated_at = now(), version = version + 1
        where layer_id = of_layer;
    if found then
        return;
    end if;
    insert into onemap.catalogue_record (code, department_id, layer_id, theme_id, kind, name, name_en, abstract, format, items,
            share_class, anonymous, share_mode, openness, published_on, data_updated_at)
        values (onemap.catalogue_code(l.department_id, l.theme_id), l.department_id, of_layer, l.theme_id, 'layer',
            coalesce(nullif(left(l.title_zh, 200), ''), l.id), left(l.title_en, 200), l.abstract_zh, case when l.archive is null then '空间数据' else '矢量瓦片' end,
            coalesce((select jsonb_agg(jsonb_build_object('name', f->>'name', 'title', f->>'title_zh', 'type', f->>'type'))
                from jsonb_array_elements(l.fields) f), '[]'),
            l.share_class, l.anonymous, '平台服务', case when l.anonymous then 'open' else 'closed' end,
            coalesce(l.published_at, now())::date, coalesce(l.published_at, now()))
        on conflict (layer_id) do nothing;
end $$;

create function onemap.catalogue_layer_changed() returns trigger language plpgsql as $$
begin
    perform onemap.catalogue_layer(new.id);
    return null;
end $$;
create trigger catalogue_layer_changed after insert or update on onemap.layer
    for each row execute function onemap.catalogue_layer_changed();

select onemap.catalogue_layer(id) from onemap.layer order by department_id, id;

-- Who used which layer in the last 90 days, by the figures of the evidence where it is kept.
do $$ begin
    if to_regclass('onemap.evidence_day') is not null then
        create view onemap.layer_use as
            select layer as layer_id, max(day) as last_used, sum(requests - refused)::bigint as requests,
                count(distinct department) filter (where department <> owner and requests > refused) as departments
            from onemap.evidence_day
            -- To publish, change or describe a layer is not to use it.
            where day > current_date - 90 and requests > refused and operation not like 'write.%'
                and operation not in ('manage', 'edit', 'metadata', 'legend', 'preview')
            group by layer;
    else
        create view onemap.layer_use as
            select null::text as layer_id, null::date as last_used, 0::bigint as requests, 0::bigint as departments where false;
    end if;
end $$;

-- How long after a change of its data a resource is not overdue: the cycle, and a third of it as grace.
create function onemap.catalogue_cycle(cycle text) returns interval language sql immutable parallel safe as $$
    select case cycle when 'realtime' then interval '1 day' when 'daily' then interval '2 days' when 'weekly' then interval '10 days'
        when 'monthly' then interval '41 days' when 'quarterly' then interval '122 days' when 'half_yearly' then interval '243 days'
        when 'yearly' then interval '487 days' end
$$;

-- Whether the items of a record are no longer the fields of its layer.
create function onemap.catalogue_drifted(items jsonb, fields jsonb) returns boolean language sql immutable parallel safe as $$
    select fields is not null and
        coalesce((select jsonb_object_agg(i->>'name', i->>'type') from jsonb_array_elements(items) i), '{}')
        is distinct from coalesce((select jsonb_object_agg(f->>'name', f->>'type') from jsonb_array_elements(fields) f), '{}')
$$;

grant select, insert, update, delete on onemap.catalogue_category, onemap.catalogue_record to onemap_app, onemap_import;
grant select on onemap.layer_use to onemap_app, onemap_import;

-- A request outlives its layer: it says by itself what was asked for.
alter table onemap.request drop constraint request_layer_id_fkey;
